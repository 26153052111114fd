"""Fetches a MoleculeNet file once and keeps it: retries, resumes, checks, and is never left half-written."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import platformdirs
from tqdm import tqdm

from zoo.data.errors import DataError, DataNotFoundError
from zoo.data.reading.sets import SHA256, KnownSet

HOST = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets"
BLOCK = 1 << 16
# The host answers 403, not 404, for a name that it does not have.
NOT_THERE = (403, 404, 410)
PASSING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Args:
        attempts: Connections for one file, >= 1.
        timeout: Seconds without a byte after which a connection counts as lost.
        pause: Seconds before the second attempt; doubled before each further one.
    """

    attempts: int = 5
    timeout: float = 20.0
    pause: float = 1.0


class _LostError(Exception):
    """This attempt failed, another one may not."""


class _NotThereError(Exception):
    """The server has no such file."""


def dataset_cache() -> Path:
    """Where downloaded files are kept: the environment variable `MOLZOO_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("MOLZOO_CACHE") or platformdirs.user_cache_dir("molzoo")).expanduser() / "datasets"


def fetch(
    entry: KnownSet, *, base_url: str | None = None, cache: Path | None = None, patience: Patience | None = None
) -> tuple[Path, list[str]]:
    """The file of a known set, downloaded if it is not in the cache.

    Args:
        entry: The set.
        base_url: Folder of the files on the web; else the environment variable `MOLZOO_DATA_URL`, else the host of
            MoleculeNet.
        cache: Folder to keep them in; `None` takes `dataset_cache()`.
        patience: How long to try.

    Returns:
        The file, and notes to show: one if its content is not that of the copy molzoo was tested with.

    Raises:
        DataError: It cannot be downloaded or is not the table it should be; says what to do offline.
    """
    place = cache or dataset_cache()
    names = (f"{entry.file}.gz", entry.file) if entry.gzipped else (entry.file, f"{entry.file}.gz")
    for name in names:
        if _is_whole(place / name):
            return place / name, _compare(place / name, entry)
    root = (base_url or os.environ.get("MOLZOO_DATA_URL") or HOST).rstrip("/")
    for name in names:
        try:
            _download(f"{root}/{name}", place / name, entry, patience or Patience())
        except _NotThereError:
            continue
        return place / name, _compare(place / name, entry)
    raise DataNotFoundError(f"data set {entry.name!r}: {root} has no {entry.file}: {_offline(entry)}")


def _offline(entry: KnownSet) -> str:
    return (
        f"get {entry.file} by other means and name its folder with data_dir= or MOLZOO_DATA ('b3db' needs no download)"
    )


def _download(url: str, target: Path, entry: KnownSet, patience: Patience) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(target) as file:
            _receive(url, file, entry, patience)
            file.flush()
            os.fsync(file.fileno())
            _check_content(Path(file.name), url, entry)
            # The checksum goes first: a file that is there always has one to be checked against.
            _checksum_file(target).write_text(_digest(Path(file.name)))
            os.replace(file.name, target)
    except OSError as error:
        raise DataError(f"cannot write {target} ({error.strerror}): make room, or set MOLZOO_CACHE") from error


@contextmanager
def _temporary(target: Path) -> Iterator[BinaryIO]:
    path = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        with path.open("wb+") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def _receive(url: str, file: BinaryIO, entry: KnownSet, patience: Patience) -> None:
    """Fill the file, in several attempts that go on where the last one stopped."""
    for attempt in range(patience.attempts):
        try:
            _receive_once(url, file, patience.timeout)
            return
        except _LostError as error:
            if attempt + 1 == patience.attempts:
                raise DataError(
                    f"data set {entry.name!r} cannot be downloaded from {url} ({error}; {patience.attempts} attempts): "
                    f"try again later, or offline {_offline(entry)}"
                ) from error
            time.sleep(patience.pause * 2**attempt)


def _receive_once(url: str, file: BinaryIO, timeout: float) -> None:
    """One connection, which goes on behind what is in the file already.

    Raises:
        _LostError: The connection broke; what came is kept.
        _NotThereError: The server has no such file.
    """
    have = file.seek(0, os.SEEK_END)
    headers = {"User-Agent": "molzoo", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
            if have and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
                file.seek(0)  # a server without ranges sends all of it again
                file.truncate()
            _copy(answer, file)
    except urllib.error.HTTPError as error:
        if error.code in NOT_THERE:
            raise _NotThereError from error
        if error.code not in PASSING:
            raise DataError(f"{url}: the server answers {error.code} {error.reason}: try again later") from error
        raise _LostError(f"the server answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _LostError(str(getattr(error, "reason", "")) or str(error) or type(error).__name__) from error


def _copy(answer: http.client.HTTPResponse, file: BinaryIO) -> None:
    length = answer.headers.get("Content-Length")
    end = None if length is None else file.tell() + int(length)
    name = Path(answer.url).name
    with tqdm(total=end, initial=file.tell(), desc=name, unit="B", unit_scale=True, disable=None) as bar:
        while block := answer.read1(BLOCK):  # `read` would wait for a whole block and lose half of one
            file.write(block)
            bar.update(len(block))
    if end is not None and file.tell() != end:
        raise _LostError(f"the connection ended after {file.tell()} of {end} bytes")


def _content(path: Path) -> Iterator[bytes]:
    """The bytes of the table, decompressed if they are compressed."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


def _check_content(path: Path, url: str, entry: KnownSet) -> None:
    """Refuse what is not the table, such as the login page of a network."""
    try:
        blocks = _content(path)
        start = next(blocks, b"")
        for _ in blocks:
            pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{url}: what came is damaged ({error}): try again later, or {_offline(entry)}") from error
    header = start.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    if entry.smiles_column not in [name.strip().strip('"') for name in header.lstrip("\ufeff").split(",")]:
        raise DataError(
            f"{url}: what came is not {entry.file} (it begins {header[:40]!r}), perhaps a page of a proxy or a login: "
            f"{_offline(entry)}"
        )


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _is_whole(path: Path) -> bool:
    """Whether a file of the cache is there and still what was downloaded."""
    try:
        return _checksum_file(path).read_text().strip() == _digest(path)
    except OSError:
        return False


def _compare(path: Path, entry: KnownSet) -> list[str]:
    """A note if the content is not the one that molzoo was tested with.

    No error: the known checksums are those of redistributed copies, and a host may write the same table differently.
    """
    digest = hashlib.sha256()
    for block in _content(path):
        digest.update(block)
    if digest.hexdigest() == SHA256.get(entry.file, digest.hexdigest()):
        return []
    return [f"{path.name} is not byte for byte the copy that molzoo was tested with: results may differ a little"]
