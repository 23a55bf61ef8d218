"""Which files hold articles, in which order, and how their bytes are reached."""

from __future__ import annotations

import gzip
import os
import re
import stat
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

MAX_MARKUP_BYTES: Final = 4 * 1024 * 1024
"""The same for pages and Markdown, whose parsers take a hundred times as long."""

MAX_UNPACKED_BYTES: Final = 1024 * 1024 * 1024
MAX_EXPANSION: Final = 100
"""A packed file may unpack to the former, or to this many times its size; news packs to a fourth, say."""

DAMAGE: Final = (OSError, EOFError, zlib.error)
"""What reading a file can raise when it is unreadable, vanished, truncated or corrupt."""

# A name with a line break or an escape sequence in it must not write lines of its own into a report.
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


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
    """The path as text that can always be printed, on one line: file names may hold any byte but two."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def find_files(
    root: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]
) -> Iterator[ArticleFile]:
    """The article files under `root` (or `root` itself), by name within each folder.

    Hidden files, README files and unsupported extensions inside a folder are passed over silently. `seen` holds
    (device, inode) of what was already walked: a file or folder that is reached twice, through a link or
    through overlapping PATH arguments, is read once. A link that leads out of `root` is not followed: whoever may
    put files there need not be allowed to publish the rest of the disk.
    """
    if root.is_dir():
        yield from _walk(root, seen=seen, quarantine=quarantine)
        return
    kind, packed = kind_of(root.name)
    if kind is None:
        quarantine(Rejection(printable(root), f"unsupported file type; supported: {SUPPORTED}"))
    elif _is_new(root, seen=seen, quarantine=quarantine):
        yield ArticleFile(root, printable(root), printable(root.name), kind, packed)


def _walk(root: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]) -> Iterator[ArticleFile]:
    inside = root.resolve()
    # The last is the next. A list, because folders may stand deeper in each other than Python calls.
    pending = [root]
    while pending:
        entry = pending.pop()
        try:
            is_folder = entry.is_dir()
            kind, packed = kind_of(entry.name)
            # A README beside articles describes them; given by name as a PATH it is read like any file.
            if not is_folder and (kind is None or entry.name.lower().startswith("readme.")):
                continue
            if entry.is_symlink() and entry != root and not entry.resolve().is_relative_to(inside):
                quarantine(
                    Rejection(printable(entry), "a link out of the folder; name its target as a PATH to read it")
                )
            elif is_folder and _is_new(entry, seen=seen, quarantine=quarantine):
                inner = sorted(entry.iterdir(), reverse=True)
                pending += [each for each in inner if not each.name.startswith(".")]
            elif not is_folder and kind is not None and _is_new(entry, seen=seen, quarantine=quarantine):
                yield ArticleFile(entry, printable(entry), printable(entry.relative_to(root).as_posix()), kind, packed)
        except (OSError, RuntimeError) as error:  # no permission, a name too long, links in a ring
            quarantine(Rejection(printable(entry), describe_damage(error)))


def _is_new(path: Path, *, seen: set[tuple[int, int]], quarantine: Callable[[Rejection], None]) -> bool:
    try:
        status = path.stat()
    except OSError as error:
        quarantine(Rejection(printable(path), describe_damage(error)))
        return False
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        # Opening a pipe would wait for whoever writes it, and a device may never end.
        quarantine(Rejection(printable(path), "not a regular file, but a pipe, a socket or a device"))
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
        OSError: the file cannot be opened; while it is read, that it unpacks to more than it may.
    """
    if file.packed:
        return _Unpacked(file.path, "rb")
    return file.path.open("rb")


class _Unpacked(gzip.GzipFile):
    """A gzip file that ends in an OSError where it unpacks to more than any article file would.

    A few kilobytes can unpack to gigabytes: memory is safe from them elsewhere, time and disk are here.
    """

    def read(self, size: int | None = -1) -> bytes:
        return self._bounded(super().read(size))

    def read1(self, size: int = -1) -> bytes:
        return self._bounded(super().read1(size))

    def _bounded(self, piece: bytes) -> bytes:
        if self.tell() > MAX_UNPACKED_BYTES:
            limit = max(MAX_UNPACKED_BYTES, MAX_EXPANSION * os.fstat(self.fileno()).st_size)
            if self.tell() > limit:
                raise OSError(f"it unpacks to more than {limit:,} bytes; unpack it yourself if it should")
        return piece


def read_whole(file: ArticleFile, *, max_bytes: int) -> bytes:
    """All bytes of a file that holds one article.

    Raises:
        BadRecordError: empty, longer than `max_bytes`, unreadable or damaged.
    """
    try:
        with open_bytes(file) as stream:
            raw = stream.read(max_bytes + 1)
    except DAMAGE as error:
        raise BadRecordError(describe_damage(error)) from error
    if not raw:
        raise BadRecordError("the file is empty")
    if len(raw) > max_bytes:
        raise BadRecordError(f"longer than {max_bytes:,} bytes; split it into articles")
    return raw


def describe_damage(error: BaseException) -> str:
    """In words, why reading stopped."""
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return f"damaged gzip data ({error}); pack the file again"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"
