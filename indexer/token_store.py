"""Token vectors of passages on disk, four bits a dimension, for late interaction.

What is kept of a token is its direction. A unit vector is divided by its largest absolute coordinate, each
coordinate rounded to one of 15 steps, and the direction read back as codes / |codes|: (.6, -.8) becomes
(5, -7), which is (.581, -.814). Measured on Belebele's Wikibooks and Wikivoyage part, nDCG@10 is that of
unquantised vectors to .002 in every direction; three bits lose up to .005 (`bench/relevance/ablation.py`).
"""

from __future__ import annotations

import os
import resource
import weakref
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .encoder import Rows, TokenVectors

_TOKENS_FILE = "tokens.{:05}.bin"
_BOUND_BYTES = np.dtype("<i8").itemsize

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
    """The token vectors of a generation, read from its files when they are asked for. Thread-safe.

    Not mapped: pages of a map count as the process's memory once they were touched, which would soon be all of the
    largest files of an index, and a file that is cut short would kill the process.
    """

    def __init__(self, folder: Path, *, dim: int) -> None:
        self._type = record_type(dim)
        self._folder = folder
        paths = sorted(folder.glob("tokens.*.bin"))
        _allow_files(len(paths))
        opened = [_open(path, owner=self, record=self._type) for path in paths]
        bounds = [bounds for _, bounds in opened] or [np.zeros(1, np.int64)]
        self._files = np.repeat([file for file, _ in opened] or [0], [len(some) - 1 for some in bounds])
        # In bytes of their file.
        self._starts: npt.NDArray[np.int64] = np.concatenate([some[:-1] for some in bounds])
        self._ends: npt.NDArray[np.int64] = np.concatenate([some[1:] for some in bounds])

    def __len__(self) -> int:
        """How many passages it holds."""
        return len(self._starts)

    def tokens(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[Packed, npt.NDArray[np.int64]]:
        """The tokens of these passages, one after the other.

        Returns:
            The records, and (len(rows) + 1,) int64: where each passage's begin among them.

        Raises:
            IndexDamaged: the file was cut short after it was opened.
        """
        rows = np.asarray(rows, np.int64)
        files, starts = self._files[rows], self._starts[rows]
        edges = np.concatenate([[0], np.cumsum(self._ends[rows] - starts)])
        packed = np.empty(edges[-1] // self._type.itemsize, self._type)
        into = packed.view(np.uint8).data
        places = zip(files.tolist(), starts.tolist(), pairwise(edges.tolist()), strict=True)
        for file, offset, (start, end) in places:
            if os.preadv(file, [into[start:end]], offset) != end - start:
                raise IndexDamaged(f"the token vectors in {self._folder} were cut short; run: cari verify")
        return packed, edges // self._type.itemsize


def tokens_file(segment: int) -> str:
    """The name of the file of a segment's tokens."""
    return _TOKENS_FILE.format(segment)


def write_tokens(passages: Iterable[Packed], *, folder: Path, segment: int = 0) -> None:
    """Write the packed tokens of the passages of a segment, in order.

    The file says how many passages they are, where the tokens of each begin and where the last end; then come the
    tokens.
    """
    kept = list(passages)
    bounds = np.concatenate([[0], np.cumsum([len(packed) for packed in kept])]).astype("<i8")
    with (folder / tokens_file(segment)).open("wb") as stream:
        stream.write(np.array(len(kept), "<i8").tobytes() + bounds.tobytes())
        for packed in kept:
            stream.write(packed.tobytes())


def _open(path: Path, *, owner: TokenStore, record: np.dtype[np.void]) -> tuple[int, npt.NDArray[np.int64]]:
    """The file of a segment, closed with its owner, and (passages + 1,) the bytes where the tokens of each begin."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(owner, os.close, file)
        found = os.fstat(file).st_size
        passages = int.from_bytes(os.pread(file, _BOUND_BYTES, 0), "little")
        head = min(_BOUND_BYTES * (passages + 2), found)
        bounds = head + record.itemsize * np.frombuffer(os.pread(file, head - _BOUND_BYTES, _BOUND_BYTES), "<i8")
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"the token vectors in {path} do not open ({error}); run: cari verify") from error
    if len(bounds) != passages + 1 or found != bounds[-1]:
        raise IndexDamaged(f"the token vectors in {path} end in the wrong place, at byte {found}; run: cari verify")
    return file, bounds


def _allow_files(more: int) -> None:
    """Let this process hold so many more files open, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and more > soft // 4:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
