"""Which files hold articles, in which order, and how their bytes are reached."""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import BadRecordError
from .rejection import Rejection

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator
    from pathlib import Path

KIND_BY_SUFFIX: Final = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "webpage",
    ".htm": "webpage",
    ".jsonl": "jsonlines",
    ".ndjson": "jsonlines",
    ".csv": "csv",
    ".parquet": "parquet",
}
SUPPORTED: Final = ", ".join(KIND_BY_SUFFIX) + ", each also .gz"

MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
"""A longer record is a mistake, not a news article: a whole novel is under 2 MiB of UTF-8."""

DAMAGE: Final = (OSError, EOFError, zlib.error)
"""What reading a file can raise when it is unreadable, vanished, truncated or corrupt."""


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """A file to read. `shown` names it as the user would, `relative` is its path below the PATH argument."""

    path: Path
    shown: str
    relative: str
    kind: str
    packed: bool


def kind_of(name: str) -> tuple[str | None, bool]:
    """The kind of a file by its name (None when unsupported), and whether it is gzipped."""
    lowered = name.lower()
    packed = lowered.endswith(".gz")
    stem = lowered.removesuffix(".gz")
    # splitext, so that ".txt" alone (a hidden file) has no kind
    return KIND_BY_SUFFIX.get(os.path.splitext(stem)[1]), packed  # noqa: PTH122 - a name, not a path


def printable(path: Path | str) -> str:
    """The path as text that can always be printed: file names on disk need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find_files(
    root: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]
) -> Iterator[ArticleFile]:
    """The article files under `root` (or `root` itself), by name within each folder.

    Hidden files, README files and unsupported extensions inside a folder are passed over silently. `seen` holds
    (device, inode) of what was already walked: a file or folder that is reached twice, through a link or
    through overlapping PATH arguments, is read once.
    """
    if root.is_dir():
        yield from _walk(root, root, seen=seen, quarantine=quarantine)
        return
    kind, packed = kind_of(root.name)
    if kind is None:
        quarantine(Rejection(printable(root), f"unsupported file type; supported: {SUPPORTED}"))
    elif _is_new(root, seen=seen, quarantine=quarantine):
        yield ArticleFile(root, printable(root), printable(root.name), kind, packed)


def _walk(
    folder: Path, root: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]
) -> Iterator[ArticleFile]:
    if not _is_new(folder, seen=seen, quarantine=quarantine):
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        quarantine(Rejection(printable(folder), f"cannot list the folder: {error.strerror}"))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            is_folder = entry.is_dir()
        except OSError as error:  # too many levels of links, or a name too long
            quarantine(Rejection(printable(entry), f"cannot be read: {error.strerror}"))
            continue
        if is_folder:
            yield from _walk(entry, root, seen=seen, quarantine=quarantine)
            continue
        kind, packed = kind_of(entry.name)
        # A README beside articles describes them; given by name as a PATH it is read like any file.
        if kind is None or entry.name.lower().startswith("readme."):
            continue
        if _is_new(entry, seen=seen, quarantine=quarantine):
            yield ArticleFile(entry, printable(entry), printable(entry.relative_to(root).as_posix()), kind, packed)


def _is_new(path: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]) -> bool:
    try:
        status = path.stat()
    except OSError as error:
        quarantine(Rejection(printable(path), f"cannot be read: {error.strerror}"))
        return False
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        quarantine(Rejection(printable(path), "already read under another path; left out this time"))
        return False
    seen.add(identity)
    return True


def open_bytes(file: ArticleFile) -> io.BufferedIOBase:
    """The file's bytes, unpacked as they are read.

    Raises:
        OSError: the file cannot be opened.
    """
    if file.packed:
        return gzip.open(file.path, "rb")
    return file.path.open("rb")


def read_whole(file: ArticleFile) -> bytes:
    """All bytes of a file that holds one article.

    Raises:
        BadRecordError: empty, longer than MAX_RECORD_BYTES, unreadable or damaged.
    """
    try:
        with open_bytes(file) as stream:
            raw = stream.read(MAX_RECORD_BYTES + 1)
    except DAMAGE as error:
        raise BadRecordError(describe_damage(error)) from error
    if not raw:
        raise BadRecordError("the file is empty")
    if len(raw) > MAX_RECORD_BYTES:
        raise BadRecordError(f"longer than {MAX_RECORD_BYTES:,} bytes; split it into articles")
    return raw


def describe_damage(error: BaseException) -> str:
    """In words, why reading stopped."""
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return f"damaged gzip data ({error}); pack the file again"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"
