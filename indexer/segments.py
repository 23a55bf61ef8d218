"""A generation's passages in segments, runs of whole articles, each with files of its own that never change.

Where a segment ends is decided by the articles themselves, not by their numbers: an article of n passages is the last
of its segment where its digest, read as a number from 0 to 1, is less than n / 1024. So segments have about 1,024
passages, equal corpora have equal segments however they came to be, and an article that is changed, added or removed
touches the segment it is in, at most the one beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .token_store import tokens_file, write_tokens
from .word_counts import WordCounts, count_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .cache import Embedded
    from .encoder import Rows
    from .store import Store
    from .word_counts import Words

_MEAN_PASSAGES = 1024
_MOST_PASSAGES = 2048
"""Of more than one article: what is embedded at a time, and held in memory until it is written."""
_DIGEST_DIGITS = 8
_SEGMENT_FILE = re.compile(r"(tokens|vectors)\.\d+\.bin|passages\.\d+\.npz")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index keeps of a passage: the cache's name for its text, its embedding before offsets, its words."""

    key: bytes
    embedded: Embedded
    words: Words


def segment_bounds(articles: Iterable[tuple[str, int]]) -> npt.NDArray[np.int64]:
    """Where each segment begins, and where the last ends, (segments + 1,) int64 article rows.

    Args:
        articles: The digest of each article and how many passages it has, in order.
    """
    bounds, row, held = [0], 0, 0
    for digest, passages in articles:
        if held and held + passages > _MOST_PASSAGES:
            bounds.append(row)
            held = 0
        held += passages
        row += 1
        if int(digest[:_DIGEST_DIGITS], 16) * _MEAN_PASSAGES < passages * 16**_DIGEST_DIGITS:
            bounds.append(row)
            held = 0
    return np.array(bounds if bounds[-1] == row else [*bounds, row], np.int64)


def segments_of(store: Store) -> npt.NDArray[np.int64]:
    """Where the segments of these articles begin; see `segment_bounds`."""
    digests = (digest for _, digest in store.digests())
    return segment_bounds(zip(digests, np.diff(store.first_passage).tolist(), strict=True))


def segment_files(segment: int, *, late: bool) -> list[str]:
    """The names of a segment's files."""
    names = [_vectors_file(segment), _passages_file(segment)]
    return [*names, tokens_file(segment)] if late else names


def is_of_segment(name: str) -> bool:
    """Whether a file of this name is a segment's."""
    return _SEGMENT_FILE.fullmatch(name) is not None


def write_segment(entries: Sequence[Entry], *, folder: Path, segment: int, late: bool) -> None:
    """Write all that is kept of a segment's passages, their tokens with `late` only.

    Raises:
        OSError: the disk refuses.
    """
    with (folder / _vectors_file(segment)).open("wb") as stream:
        for entry in entries:
            stream.write(entry.embedded.vector.astype(np.float32).tobytes())
    words = count_words(entry.words for entry in entries)
    np.savez(
        folder / _passages_file(segment),
        keys=np.frombuffer(b"".join(entry.key for entry in entries), np.uint8).reshape(len(entries), -1),
        stems=np.frombuffer("\n".join(words.stems).encode(), np.uint8),
        bounds=words.bounds,
        ids=words.ids,
        counts=words.counts,
    )
    if late:
        write_tokens((entry.embedded.tokens for entry in entries), folder=folder, segment=segment)


def read_keys(folder: Path, segment: int) -> list[bytes]:
    """The cache's names for the texts of a segment's passages."""
    with np.load(folder / _passages_file(segment), allow_pickle=False) as content:
        return [row.tobytes() for row in content["keys"]]


def read_words(folder: Path, segment: int) -> WordCounts:
    """The words of a segment's passages."""
    with np.load(folder / _passages_file(segment), allow_pickle=False) as content:
        joined = content["stems"].tobytes().decode()
        stems = joined.split("\n") if joined else []
        return WordCounts(stems, content["bounds"], content["ids"], content["counts"])


def read_vectors(folder: Path, segment: int, *, dim: int) -> Rows:
    """The vectors of a segment's passages before offsets, (n, dim) float32, unit rows, mapped into memory."""
    return np.memmap(folder / _vectors_file(segment), np.float32, mode="r").reshape(-1, dim)


def _vectors_file(segment: int) -> str:
    return f"vectors.{segment:05}.bin"


def _passages_file(segment: int) -> str:
    return f"passages.{segment:05}.npz"
