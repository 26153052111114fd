"""What griffe is told about the docstrings: an "Example:" holds a session of Python."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^Example:$", re.M)


class Examples(griffe.Extension):
    """Examples are shown as code, as those of a section "Examples" are."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section of an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub("Examples:", obj.docstring.value)
