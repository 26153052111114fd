"""Exported models on disk: a zip of graph, manifest and card, or a graph that carries the manifest itself.

What lies in a zip is stored, not compressed, so that nothing can be larger inside than outside.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from molzoo_runner.errors import ModelFileError, one_line
from molzoo_runner.graph_check import check_model
from molzoo_runner.manifest import Manifest, checksum, read_manifest
from molzoo_runner.wire import BYTES, fields, text, write_entry

MANIFEST = "manifest.json"
CARDS = ("card.html", "card.md")
GRAPH_NAME = re.compile(r"model(-\d{1,2})?\.onnx")
METADATA, KEY, VALUE = 14, 1, 2
MANIFEST_KEY = "molzoo.manifest"
NEITHER = "it is neither a zip nor an ONNX graph with the manifest that `molzoo export` writes"
MOST_BYTES, MOST_OF_MANIFEST, MOST_MEMBERS = 1 << 31, 1 << 24, 80


@dataclass(frozen=True)
class Archive:
    """Content of an exported model.

    Args:
        manifest: Everything but the weights.
        graphs: ONNX models by the names that the manifest gives them.
        cards: Cards of the run by name, as text.
    """

    manifest: Manifest
    graphs: dict[str, bytes]
    cards: dict[str, str]


def read_archive(path: str | Path) -> Archive:
    """Read an exported model, `.zip` or `.onnx`, and check everything that can be checked before it is used.

    Raises:
        ModelFileError: It is none, or damaged, or holds what molzoo never writes.
        OSError: It cannot be opened.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if path.stat().st_size > MOST_BYTES:
            raise ModelFileError("it is larger than 2 GB")
        archive = _read_zip(path) if start[:2] == b"PK" else _read_onnx(path.read_bytes())
        for content in archive.graphs.values():
            check_model(content)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {one_line(error)}") from error
    return archive


def _read_zip(path: Path) -> Archive:
    try:
        with zipfile.ZipFile(path) as file:
            members = _checked_members(file, path.stat().st_size)
            content = {name: file.read(info) for name, info in members.items()}
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        struct.error,
    ) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"the zip is damaged: {one_line(error)}") from error
    manifest = read_manifest(content.pop(MANIFEST))
    expected = {member.file: member.sha256 for member in manifest.members} | manifest.cards
    if len(expected) < len(manifest.members) + len(manifest.cards) or set(expected) != set(content):
        raise ModelFileError("the zip has other files than its manifest names")
    for name, digest in expected.items():
        if checksum(content[name]) != digest:
            raise ModelFileError(f"{name} has another checksum than the manifest says: it was changed, or is damaged")
    cards = {name: content.pop(name).decode("utf-8", errors="replace") for name in manifest.cards}
    return Archive(manifest, content, cards)


def _checked_members(file: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Files of a zip by name, once nothing speaks against reading them."""
    members = file.infolist()
    names = [info.filename for info in members]
    if len(members) > MOST_MEMBERS or len(set(names)) < len(names):
        raise ModelFileError("the zip has too many files, or one twice")
    if MANIFEST not in names:
        raise ModelFileError(f"the zip has no {MANIFEST}: it is not an exported model")
    for info in members:
        shown = repr(info.filename[:60])
        if info.filename not in (MANIFEST, *CARDS) and not GRAPH_NAME.fullmatch(info.filename):
            raise ModelFileError(f"the zip has a file {shown}, which molzoo never writes")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise ModelFileError(f"the zip has {shown} compressed or encrypted: molzoo stores files as they are")
        if info.file_size != info.compress_size:
            raise ModelFileError(f"the zip gives {shown} two different sizes")
    if sum(info.file_size for info in members) > size:
        raise ModelFileError("the zip declares more bytes than it has")
    if file.getinfo(MANIFEST).file_size > MOST_OF_MANIFEST:
        raise ModelFileError("the manifest is larger than 16 MB")
    return {info.filename: info for info in members}


def _read_onnx(content: bytes) -> Archive:
    found, start = b"", 0
    try:
        for number, kind, value, at in fields(memoryview(content)):
            if number == METADATA and kind == BYTES and text(value, KEY) == MANIFEST_KEY:
                found, start = text(value, VALUE).encode(), at
    except ModelFileError as error:
        raise ModelFileError(f"{NEITHER}, or it is damaged ({error})") from error
    if not found:
        raise ModelFileError(NEITHER)
    manifest = read_manifest(found)
    if len(manifest.members) > 1:
        raise ModelFileError("the manifest of an ONNX graph names several members")
    (member,) = manifest.members
    if member.size != start or checksum(memoryview(content)[:start]) != member.sha256:
        raise ModelFileError("the graph has another checksum than its manifest says: it was changed, or is damaged")
    return Archive(manifest, {member.file: content}, {})


def zip_content(archive: Archive) -> bytes:
    """Return a zip; the checksums of the manifest must be those of the content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        file.writestr(MANIFEST, archive.manifest.to_json())
        for name, card in archive.cards.items():
            file.writestr(name, card)
        for name, graph in archive.graphs.items():
            file.writestr(name, graph)
    return buffer.getvalue()


def with_manifest(content: bytes, manifest: Manifest) -> bytes:
    """Return an ONNX model with a manifest behind it, as metadata that any reader of ONNX shows."""
    value = json.dumps(json.loads(manifest.to_json()), ensure_ascii=True).encode()
    return content + write_entry(METADATA, write_entry(KEY, MANIFEST_KEY.encode()) + write_entry(VALUE, value))
