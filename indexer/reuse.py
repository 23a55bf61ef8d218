"""What a build takes over from the live generation, rather than making it again."""

from __future__ import annotations

import errno
import os
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .cache import Embedded
from .segments import Entry, read_keys, read_vectors, read_words, segment_files, segments_of
from .token_store import record_type

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .encoder import Rows
    from .generation import Generation
    from .token_store import Packed
    from .word_counts import WordCounts

# A file system without hard links, a target on another one, a file of too many names, another user's file.
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS})


class Reusable:
    """The segments of a generation that was verified when it was opened.

    Args:
        generation: Made by the same model and division as what is being built.
        folder: Where it stands.
        late: Whether tokens are taken over too, which it then has.
    """

    def __init__(self, generation: Generation, folder: Path, *, late: bool) -> None:
        self._generation = generation
        self._folder = folder
        self._late = late
        digests = [digest for _, digest in generation.store.digests()]
        self._bounds = segments_of(generation.store)
        self._segments = {
            tuple(digests[first:end]): at for at, (first, end) in enumerate(pairwise(self._bounds.tolist()))
        }
        self._rows = {digest: row for row, digest in enumerate(digests)}
        self._read: tuple[int, list[bytes], Rows, WordCounts] | None = None

    def segment(self, digests: Sequence[str]) -> int | None:
        """The segment of exactly these articles, in this order."""
        return self._segments.get(tuple(digests))

    def take(self, segment: int, *, folder: Path, as_segment: int) -> dict[str, str]:
        """Put the files of a segment into `folder`, by a link where the file system has links.

        Returns:
            The new names of those that are linked, and so were verified, with the names they have there.

        Raises:
            OSError: the disk refuses.
        """
        old, new = (segment_files(number, late=self._late) for number in (segment, as_segment))
        return {
            name: before
            for before, name in zip(old, new, strict=True)
            if _link_or_copy(self._folder / before, folder / name)
        }

    def keys(self, segment: int) -> list[bytes]:
        """The cache's names for the texts of a segment."""
        return read_keys(self._folder, segment)

    def entries(self, digest: str) -> list[Entry] | None:
        """What is kept of the passages of an article, if it has that article."""
        row = self._rows.get(digest)
        if row is None:
            return None
        segment = int(np.searchsorted(self._bounds, row, side="right")) - 1
        keys, vectors, words = self._content(segment)
        first_passage = self._generation.store.first_passage
        first, end = int(first_passage[row]), int(first_passage[row + 1])
        skipped = int(first_passage[self._bounds[segment]])
        return [
            Entry(keys[at], Embedded(np.array(vectors[at]), self._tokens(at + skipped)), words.words(at))
            for at in range(first - skipped, end - skipped)
        ]

    def _tokens(self, passage: int) -> Packed:
        store = self._generation.tokens
        if store is None:
            return np.empty(0, record_type(self._generation.manifest.model.dim))
        return store.tokens([passage])[0]

    def _content(self, segment: int) -> tuple[list[bytes], Rows, WordCounts]:
        """Of the segment that was asked for last, kept: neighbours are asked for one after the other."""
        if self._read is None or self._read[0] != segment:
            dim = self._generation.manifest.model.dim
            vectors = read_vectors(self._folder, segment, dim=dim)
            self._read = segment, self.keys(segment), vectors, read_words(self._folder, segment)
        return self._read[1:]


def _link_or_copy(source: Path, target: Path) -> bool:
    """Whether it became a link."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
        return False
    return True
