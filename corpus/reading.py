"""Every article under some paths, one after the other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from .csvtable import read_csv
from .errors import BadRecordError, PathError
from .files import SUPPORTED, ArticleFile, find_files, printable
from .jsonlines import read_jsonlines
from .making import make_article
from .parquet import read_parquet
from .record import Record, article_digest, is_usable_id, sha256_hex
from .rejection import Rejection
from .single import read_single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .article import Article

_READERS: Final[Mapping[str, Callable[[ArticleFile], Iterator[Record | Rejection]]]] = {
    "text": read_single,
    "markdown": read_single,
    "webpage": read_single,
    "jsonlines": read_jsonlines,
    "csv": read_csv,
    "parquet": read_parquet,
}
_DERIVED_ID_CHARS: Final = 16
_SUFFIX_CHARS: Final = 8


def read_articles(
    paths: Sequence[Path],
    *,
    quarantine: Callable[[Rejection], None],
    known: Callable[[str], Article | None] = lambda _digest: None,
) -> Iterator[Article]:
    """The articles under `paths`, in the order of the paths, then of the file names, then of the records.

    A record that cannot become an article goes to `quarantine` with its place and the reason, and reading goes
    on. No more than one record, or one batch of a parquet file, is held at a time; what grows with the corpus
    is the set of ids.

    `known(digest)` may return the article made of an identical record before, which then is not made again.

    An article's id is the record's own; else, for a file of one article, its path below the PATH argument;
    else the record's URL; else the beginning of a hash of its content.

    Raises:
        PathError: at once, when a path does not exist or cannot be read, a folder holds no file with a supported
            extension, or none of the paths does.
    """
    _check(paths)
    return _read(paths, quarantine, known)


def _check(paths: Sequence[Path]) -> None:
    if not paths:
        raise PathError("no path was given; name files or folders of articles")
    empty = []
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise PathError(f"{printable(path)} does not exist; check the spelling, or create it first") from error
        except OSError as error:  # a name too long, links in a ring, a folder above that may not be entered
            raise PathError(f"{printable(path)} cannot be read: {error.strerror}") from error
        if not os.access(path, os.R_OK):
            raise PathError(f"{printable(path)} cannot be read: permission denied; run as a user who may read it")
        if next(find_files(path, seen=set(), quarantine=lambda _rejection: None), None) is None:
            empty.append(path)
    # One foreign file among others is what a shell's "news/*" gives, and is only reported.
    hopeless = empty if len(empty) == len(paths) else [path for path in empty if path.is_dir()]
    if hopeless:
        raise PathError(f"no article files under {printable(hopeless[0])}; supported: {SUPPORTED}")


def _read(
    paths: Sequence[Path], quarantine: Callable[[Rejection], None], known: Callable[[str], Article | None]
) -> Iterator[Article]:
    ids = _Ids()
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for file in find_files(path, seen=seen, quarantine=quarantine):
            for record in _READERS[file.kind](file):
                if isinstance(record, Rejection):
                    quarantine(record)
                    continue
                try:
                    article_id = ids.choose(record)
                    digest = article_digest(article_id, record.fingerprint)
                    article = known(digest) or make_article(record.load(), article_id=article_id, digest=digest)
                except BadRecordError as error:
                    quarantine(Rejection(record.place, str(error)))
                    continue
                # Only now: a record that became nothing must not keep its id from one that can use it.
                ids.take(article_id, place=record.place)
                yield article


class _Ids:
    """The ids given out so far, and where."""

    def __init__(self) -> None:
        self._first_seen: dict[str, str] = {}

    def choose(self, record: Record) -> str:
        """The record's id, which no article before it has.

        Raises:
            BadRecordError: the record states an id that is taken, or repeats the content of one without id.
        """
        wanted, other = _candidates(record)
        first = self._first_seen.get(wanted)
        if first is not None and other is not None:
            wanted, first = other, self._first_seen.get(other)
        if first is not None:
            what = f"duplicate id {wanted!r}" if record.given_id is not None else "duplicate of a record without id"
            raise BadRecordError(f"{what}, first seen at {first}")
        return wanted

    def take(self, article_id: str, *, place: str) -> None:
        """From now on, the id belongs to the article made of the record at `place`."""
        self._first_seen[article_id] = place


def _candidates(record: Record) -> tuple[str, str | None]:
    """The id to take, and another for when it is taken by something else."""
    if record.given_id is not None:
        return record.given_id, None
    if record.file_id is not None:
        return record.file_id, f"{record.file_id}~{sha256_hex(record.place.encode())[:_SUFFIX_CHARS]}"
    if record.url is not None and is_usable_id(record.url):
        return record.url, f"{record.url}~{record.fingerprint[:_SUFFIX_CHARS]}"
    return record.fingerprint[:_DERIVED_ID_CHARS], None
