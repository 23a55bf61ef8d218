"""Token vectors of passages on disk, four bits a dimension, for late interaction.

What is kept of a token is its direction. A unit vector is divided by its largest absolute coordinate, each
coordinate rounded to one of 15 steps, and the direction read back as codes / |codes|: (.6, -.8) becomes
(5, -7), which is (.581, -.814). Measured on Belebele's Wikibooks and Wikivoyage part, nDCG@10 is that of
unquantised vectors to .002 in every direction; three bits lose up to .005 (`bench/relevance/ablation.py`).
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .encoder import Rows, TokenVectors

TOKENS_FILE = "tokens.bin"
BOUNDS_FILE = "tokens.bounds.npy"

_STEPS = 7
_ZERO = 8
# A model's vocabulary runs from frequent to rare pieces. The first few hundred are punctuation, prefixes and
# function words of every language: a third of all tokens, whose vectors decide nothing.
FREQUENT_PIECES = 300
_LEAST_TOKENS = 4
# Tokens unpacked at a time: more would not stay in the processor's cache.
_BLOCK_TOKENS = 2048

RECORD = "to_end"
"""Names what `record_type` describes, for what keeps records beyond a generation; another one, another name."""

Packed = npt.NDArray[np.void]
"""(t,) records of `record_type`: the kept tokens of one or more passages."""


def record_type(dim: int) -> np.dtype[np.void]:
    """How a token is stored: codes of two dimensions a byte, their squared length, where it stands in the passage.

    The low halves of the bytes are the first dim / 2 dimensions, the high halves the others. `to_end` counts code
    points from where the token begins to the end of the passage, which ends the embedded text: more than the passage
    has, and the token is of the title. A passage of more than 65,535 code points has its first ones counted as one.
    """
    return np.dtype([("codes", "u1", dim // 2), ("length2", "<u2"), ("to_end", "<u2")])


def pack(tokens: TokenVectors) -> Packed:
    """The tokens worth keeping of one passage; all, when few are."""
    kept = tokens.ids >= FREQUENT_PIECES
    if np.count_nonzero(kept) < _LEAST_TOKENS:
        kept[:] = True
    vectors = tokens.vectors[kept]
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    codes = np.rint(vectors / np.where(largest > 0, largest, 1) * _STEPS).astype(np.int32)
    half = codes.shape[1] // 2
    packed = np.empty(len(codes), record_type(codes.shape[1]))
    packed["codes"] = (codes[:, :half] + _ZERO) | (codes[:, half:] + _ZERO) << 4
    packed["length2"] = np.maximum((codes * codes).sum(axis=1), 1)
    packed["to_end"] = np.minimum(tokens.to_end[kept], np.iinfo(np.uint16).max)
    return packed


def unpack(packed: Packed) -> Rows:
    """The directions, (t, dim) float32, unit rows."""
    codes = packed["codes"]
    halves = np.concatenate([codes & 0x0F, codes >> 4], axis=1).astype(np.float32) - _ZERO
    return (halves / np.sqrt(packed["length2"].astype(np.float32))[:, None]).astype(np.float32, copy=False)


def products(vectors: npt.NDArray[np.float32], packed: Packed) -> npt.NDArray[np.float32]:
    """The inner product of each vector with each unpacked token, (n, t) float32, without unpacking them.

    A byte is low + 16 high, each code eight more than it means. So for a vector with the halves v and w, the sum
    over v (low - 8) + w (high - 8) is (v - w / 16) low + w / 16 byte, less 8 times the sum of the vector. Worked
    value: v = 1, w = 2, low = 11, high = 6 (byte 107): .875 * 11 + .125 * 107 - 24 = -1 = 1 * 3 + 2 * -2.

    Args:
        vectors: (n, dim) float32.
        packed: (t,) tokens.
    """
    first, second = np.split(vectors, 2, axis=1)
    of_low, of_byte = first - second / 16, second / 16
    sums = np.empty((len(vectors), len(packed)), np.float32)
    for start in range(0, len(packed), _BLOCK_TOKENS):
        block = slice(start, start + _BLOCK_TOKENS)
        codes = packed["codes"][block]
        sums[:, block] = of_low @ (codes & 0x0F).astype(np.float32).T
        sums[:, block] += of_byte @ codes.astype(np.float32).T
    sums -= _ZERO * vectors.sum(axis=1, keepdims=True)
    sums /= np.sqrt(packed["length2"].astype(np.float32))
    return sums


class TokenStore:
    """The token vectors of a generation, read from its file when they are asked for. Thread-safe.

    Not mapped: pages of a map count as the process's memory once they were touched, which would soon be all of the
    largest file of an index, and a file that is cut short would kill the process.
    """

    def __init__(self, folder: Path, *, dim: int) -> None:
        try:
            self._bounds: npt.NDArray[np.int64] = np.load(folder / BOUNDS_FILE, allow_pickle=False)
            self._type = record_type(dim)
            self._path = folder / TOKENS_FILE
            self._file = _opened(self._path, size_bytes=int(self._bounds[-1]) * self._type.itemsize)
            weakref.finalize(self, os.close, self._file)
        except (OSError, ValueError, IndexError) as error:
            raise IndexDamaged(f"the token vectors in {folder} do not open ({error}); run: cari verify") from error

    def __len__(self) -> int:
        """How many passages it holds."""
        return len(self._bounds) - 1

    def tokens(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[Packed, npt.NDArray[np.int64]]:
        """The tokens of these passages, one after the other.

        Returns:
            The records, and (len(rows) + 1,) int64: where each passage's begin among them.

        Raises:
            IndexDamaged: the file was cut short after it was opened.
        """
        rows = np.asarray(rows, np.int64)
        first, size = self._bounds[rows], self._type.itemsize
        bounds = np.concatenate([[0], np.cumsum(self._bounds[rows + 1] - first)])
        packed = np.empty(bounds[-1], self._type)
        into = packed.view(np.uint8).data
        edges = (bounds * size).tolist()
        for offset, start, end in zip((first * size).tolist(), edges[:-1], edges[1:], strict=True):
            if os.preadv(self._file, [into[start:end]], offset) != end - start:
                raise IndexDamaged(f"{self._path} ends before byte {offset + end - start}; run: cari verify")
        return packed, bounds


def _opened(path: Path, *, size_bytes: int) -> int:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    found = os.fstat(file).st_size
    if found == size_bytes:
        return file
    os.close(file)
    raise ValueError(f"{path.name} has {found} bytes, not {size_bytes}")


def write_tokens(passages: Iterable[Packed], *, folder: Path) -> None:
    """Write the packed tokens of all passages, in order."""
    counts = [0]
    with (folder / TOKENS_FILE).open("wb") as stream:
        for packed in passages:
            stream.write(packed.tobytes())
            counts.append(len(packed))
    np.save(folder / BOUNDS_FILE, np.cumsum(counts, dtype=np.int64))
