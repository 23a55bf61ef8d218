"""How many bytes of disk a build needs, and how many are there."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import IndexNotWritable
from .token_store import record_type

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .chunker import Tokenizer

SAMPLED_ARTICLES = 64
"""Articles that are enough to know how long passages are."""
_SURELY_KEPT = 0.5
"""Of a passage's tokens, what share is stored whatever they are; about two thirds are (see `token_store.pack`)."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(slots=True, kw_only=True)
class Room:
    """The disk under an index. What a build needs is counted low: one that would fit is never refused."""

    index: Path
    cache: Path
    written_bytes: int = 0
    generation_bytes: int = 0
    cached_bytes: int = 0

    def expect(self, work: Path, *, generation_bytes: int, cached_bytes: int) -> None:
        """Say what is still to come, once that is known.

        Args:
            work: Where the build writes; what is there already is there.
            generation_bytes: What will be written there besides, at least.
            cached_bytes: What the cache will hold in the end, at least.

        Raises:
            IndexNotWritable: that is more than is free.
        """
        self.generation_bytes, self.cached_bytes = generation_bytes, cached_bytes
        if self._to_come() > self._free():
            raise IndexNotWritable(
                f"the disk of {self.index} is too full: {self.figures()}; free space there, then run the same command "
                "again. The live generation is as it was"
            )
        self.written_bytes = size_bytes(work)

    def figures(self, error: OSError | None = None) -> str:
        """The bytes needed and the bytes there, for people.

        Args:
            error: What the disk refused with, if it did.
        """
        free = self._free()
        needed = self.written_bytes + self._to_come()
        if error is not None and error.errno in _FULL:
            needed = max(needed, free + 1)
        need = f"at least {needed:,} bytes are needed and " if needed else ""
        return f"{need}{free:,} bytes are free"

    def _to_come(self) -> int:
        return self.generation_bytes + max(0, self.cached_bytes - size_bytes(self.cache))

    def _free(self) -> int:
        # Its folder may be what could not be made.
        there = next(folder for folder in (self.index, *self.index.parents) if folder.is_dir())
        return shutil.disk_usage(there).free


def size_bytes(folder: Path) -> int:
    """The bytes of the files of a folder, 0 where there is none."""
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


def least_token_bytes(texts: Iterable[str], *, tokenizer: Tokenizer, dim: int) -> float:
    """The bytes that the stored tokens of a passage take at least, as these texts have it."""
    counts = [len(tokenizer.token_starts(text)) for text in texts]
    return float(np.mean(counts)) * _SURELY_KEPT * record_type(dim).itemsize if counts else 0.0
