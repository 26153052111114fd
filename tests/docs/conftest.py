"""The scripts that make pages of the site."""

import sys

from support.places import ROOT

sys.path.insert(0, str(ROOT / "docs"))
