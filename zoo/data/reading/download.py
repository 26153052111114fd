"""Fetches a MoleculeNet file once, with pooch, and keeps it: retried, checked, and never left half-written."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import pooch
from tqdm import tqdm

from zoo.data.errors import DataError, DataNotFoundError
from zoo.data.reading.sets import SHA256, KnownSet

HOST = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets"
BLOCK = 1 << 16
# The host answers 403, not 404, for a name that it does not have.
NOT_THERE = (403, 404, 410)
PASSING = (408, 425, 429, 500, 502, 503, 504)
HEADERS = {"User-Agent": "molzoo", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Patience:
    """Limits of the attempts.

    Args:
        attempts: Downloads of one file, >= 1; the pauses between them grow from one second.
        timeout: Seconds without a byte after which a connection counts as lost.
    """

    attempts: int = 5
    timeout: float = 20.0


class _NotThereError(Exception):
    """Error of a file that the server does not have."""


class _RefusedError(Exception):
    """Error that another attempt would not mend; it carries the one for the user, which pooch would retry."""

    def __init__(self, reason: DataError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def dataset_cache() -> Path:
    """Return the folder of downloaded files: the environment variable `MOLZOO_CACHE`, or the user's cache folder."""
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
    """Let pooch download a file, several times if connections break; it appears when it is complete and checked."""
    from requests.exceptions import RequestException

    root, _, name = url.rpartition("/")
    try:
        target.unlink(missing_ok=True)  # damaged, or it would have been taken
        store = pooch.create(target.parent, f"{root}/", registry={name: None}, retry_if_failed=patience.attempts - 1)
        with _quiet():
            store.fetch(name, downloader=_Download(target, entry, patience.timeout))
    except _RefusedError as error:
        raise error.reason from error
    except RequestException as error:
        raise DataError(
            f"data set {entry.name!r} cannot be downloaded from {url} ({error}; {patience.attempts} attempts): "
            f"try again later, or offline {_offline(entry)}"
        ) from error
    except OSError as error:
        raise DataError(f"cannot write {target} ({error.strerror}): make room, or set MOLZOO_CACHE") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pooch from announcing what the progress bar shows."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@dataclass
class _Download:
    """One attempt, as pooch calls it; the checksum is written before the file appears, so that no file lacks one.

    Args:
        target: Where the file will be.
        entry: What it should hold.
        timeout: Seconds without a byte.
    """

    target: Path
    entry: KnownSet
    timeout: float

    def __call__(self, url: str, output_file: str, _: Any = None) -> None:
        """Download to `output_file` and check what came.

        Raises:
            _NotThereError: The server has no such file.
            _RefusedError: The server refuses, or sends something else.
            RequestException: The connection broke; pooch tries again.
        """
        from requests.exceptions import HTTPError

        bar = tqdm(total=1, desc=self.target.name, unit="B", unit_scale=True, disable=None)  # pooch sets the total
        fetch_once = pooch.HTTPDownloader(progressbar=bar, chunk_size=BLOCK, timeout=self.timeout, headers=HEADERS)
        try:
            fetch_once(url, output_file, None)
        except HTTPError as error:
            answer = error.response
            if answer is None or answer.status_code in PASSING:
                raise
            if answer.status_code in NOT_THERE:
                raise _NotThereError from error
            said = f"{answer.status_code} {answer.reason}"
            raise _RefusedError(DataError(f"{url}: the server answers {said}: try again later")) from error
        finally:
            bar.close()
        _check_content(Path(output_file), url, self.entry)
        _checksum_file(self.target).write_text(pooch.file_hash(output_file))


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
        reason = DataError(f"{url}: what came is damaged ({error}): try again later, or {_offline(entry)}")
        raise _RefusedError(reason) from error
    header = start.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    if entry.smiles_column not in [name.strip().strip('"') for name in header.lstrip("\ufeff").split(",")]:
        raise _RefusedError(
            DataError(
                f"{url}: what came is not {entry.file} (it begins {header[:40]!r}), perhaps a page of a proxy or a "
                f"login: {_offline(entry)}"
            )
        )


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _is_whole(path: Path) -> bool:
    """Return whether a file of the cache is there and still what was downloaded."""
    try:
        return _checksum_file(path).read_text().strip() == pooch.file_hash(str(path))
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
