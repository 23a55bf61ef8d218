"""The vectors of a generation and how they are searched. The only file that knows FAISS.

Up to some tens of thousands of rows every vector is compared. Beyond, four-bit codes of all rows are scanned first, two
dimensions a code, and the vectors of the best candidates compared exactly. A scan of every row is not what FAISS is
quickest at, but what it finds does not depend on what is asked: questions lie apart from passages, and lists of
neighbours (IVF) must be read by the quarter before they hold what questions look for (`bench/growth/kinds.py`).
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged
from .flat_file import write_flat
from .recall import DEPTHS, MOST_CANDIDATES, QUESTIONS, VectorSearch, questions_like, reaches, without

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .encoder import Rows

VECTORS_FILE = "vectors.faiss"
CODES_FILE = "vectors.codes.faiss"

EXACT_ROWS = 100_000
"""Rows of which all are compared, be they all there are or those that a filter allows: 8 ms of a core with 384
dimensions, less than the model takes for a question (`bench/growth/growth.txt`). Codes would take half of that, and
seconds of every build."""

_SEED = 8
_CODE_BITS = 4
_DIMENSIONS_A_CODE = 2
_LEAST_TRAINED = 256
_TRAINED = 16_384
_ROUNDS = 10
_BLOCK_ROWS = 8_192
# Of a million rows, one in 20 is compared in 12 ms, and found by codes in 28; one in two in 81 and 14.
_FEW = 10
# What a filter allows may be rarer among the nearest than among all.
_AMPLE = 1.25
_WIDER = 4

Allowed = npt.NDArray[np.bool_]
"""(n,) bool: which rows of the index may be found."""

Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Row numbers and their inner products, best first, of one query; at most k of them, no padding."""


class VectorIndex(Protocol):
    """Nearest passages by inner product. Thread-safe."""

    def __len__(self) -> int:
        """How many rows it holds."""

    def search(self, queries: Rows, *, k: int, allowed: Allowed | None = None) -> list[Found]:
        """The k best allowed rows for each query; fewer when fewer are allowed. Ties may come in any order."""

    def vectors(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The stored vectors of these rows, (len(rows), dim) float32."""


class FlatVectors:
    """Every vector compared with every query: exact."""

    def __init__(self, index: faiss.IndexFlatIP) -> None:
        self._index = index

    @classmethod
    def open(cls, folder: Path) -> FlatVectors:
        """Open what `write_vectors` wrote; the vectors stay on disk and are mapped into memory.

        Raises:
            IndexDamaged: the file is missing or not such an index.
        """
        return cls(_read(folder / VECTORS_FILE, faiss.IndexFlat))

    def __len__(self) -> int:
        """How many rows it holds."""
        return int(self._index.ntotal)

    def search(self, queries: Rows, *, k: int, allowed: Allowed | None = None) -> list[Found]:
        """The k best allowed rows for each query."""
        return self.best(queries, k=k, rows=None if allowed is None else np.flatnonzero(allowed))

    def best(self, queries: Rows, *, k: int, rows: npt.NDArray[np.int64] | None) -> list[Found]:
        """The k best of these rows for each query, or of all."""
        k = min(k, len(self) if rows is None else len(rows))
        if k <= 0:
            empty = np.empty(0, np.int64), np.empty(0, np.float32)
            return [empty for _ in queries]
        bound_threads(1)
        params = None
        if rows is not None:
            # FAISS's stubs do not know the keyword forms that its Python layer adds.
            params = faiss.SearchParameters(sel=faiss.IDSelectorArray(rows))  # type: ignore[call-arg]
        scores, found = self._index.search(np.ascontiguousarray(queries), k, params=params)
        # What has no score, of a question that is not a number, FAISS gives the row -1.
        return [(one[one >= 0], values[one >= 0]) for one, values in zip(found, scores, strict=True)]

    def vectors(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The stored vectors of these rows."""
        found: Rows = self._index.reconstruct_batch(rows)
        return found


class CodedVectors:
    """Codes of all vectors scanned for candidates, whose vectors are then compared.

    Args:
        flat: The vectors.
        codes: Of the same rows.
        search: How many candidates that takes, as measured when they were written.
    """

    def __init__(self, flat: FlatVectors, codes: faiss.IndexPQFastScan, *, search: VectorSearch) -> None:
        self._flat = flat
        self._codes = codes
        self._search = search

    def __len__(self) -> int:
        """How many rows it holds."""
        return len(self._flat)

    def search(self, queries: Rows, *, k: int, allowed: Allowed | None = None) -> list[Found]:
        """The k best allowed rows for each query, as far as the codes hold them."""
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        if k <= 0 or count <= max(self._search.exact_rows, len(self) // _FEW):
            return self._flat.search(queries, k=k, allowed=allowed)
        bound_threads(1)
        k = min(k, count)
        # So many of all rows are likely to hold k of those allowed.
        width = k if count == len(self) else int(_AMPLE * k * len(self) / count)
        return [self._nearest(query, k=k, allowed=allowed, width=width) for query in queries]

    def _nearest(self, query: npt.NDArray[np.float32], *, k: int, allowed: Allowed | None, width: int) -> Found:
        """The k best allowed rows, thought to be among the `width` best of all."""
        while True:
            scanned = min(len(self), self._search.candidates(width))
            rows: npt.NDArray[np.int64] = self._codes.search(query[np.newaxis], scanned)[1][0]
            rows = rows[rows >= 0]
            places = np.arange(len(rows)) if allowed is None else np.flatnonzero(allowed[rows])
            # Where a filter shuts out what is near, k allowed rows reach as far down as so many of all would, and
            # that many candidates are needed to find them: rows crowd the more, the farther away they are.
            width = int(places[k - 1]) + 1 if len(places) >= k else _WIDER * scanned
            if scanned >= min(len(self), self._search.candidates(width)):
                break
        # In the order in which they lie in memory.
        return self._flat.best(query[np.newaxis], k=k, rows=np.sort(rows[places]))[0]

    def vectors(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The stored vectors of these rows."""
        return self._flat.vectors(rows)


def open_vectors(folder: Path, *, search: VectorSearch) -> VectorIndex:
    """Open what `write_vectors` wrote, to be searched as it returned.

    Raises:
        IndexDamaged: a file is missing or not such an index.
    """
    flat = FlatVectors.open(folder)
    if not search.reaches:
        return flat
    codes = _read(folder / CODES_FILE, faiss.IndexPQFastScan)
    if codes.ntotal != len(flat):
        raise IndexDamaged(f"{folder / CODES_FILE} has {codes.ntotal} rows, not the {len(flat)} of {VECTORS_FILE}")
    return CodedVectors(flat, codes, search=search)


def write_vectors(batches: Iterable[Rows], *, dim: int, folder: Path, exact_rows: int = EXACT_ROWS) -> VectorSearch:
    """Write the rows, in order, as `folder/vectors.faiss`, and their codes beside it where there are many.

    Holds one batch of rows in memory, then the codes: a byte for four dimensions of a row.

    Args:
        batches: (n, dim) float32 each.
        dim: Their dimensions; an odd number is searched exactly.
        folder: Where the files go.
        exact_rows: Beyond so many rows they are searched by codes, unless these do not reach a recall of 99 %.

    Returns:
        How they are to be searched.

    Raises:
        OSError: the disk refuses.
    """
    count = write_flat(batches, dim=dim, path=folder / VECTORS_FILE)
    if count <= max(exact_rows, _LEAST_TRAINED) or dim % _DIMENSIONS_A_CODE:
        return VectorSearch(exact_rows=exact_rows)
    flat = _read(folder / VECTORS_FILE, faiss.IndexFlat)
    codes = _coded(flat)
    sources = _spread(count, QUESTIONS)
    asked = questions_like(flat.reconstruct_batch(sources), seed=_SEED)
    best, rows = flat.search(asked, min(count, DEPTHS[-1] + 1))
    _, candidates = codes.search(asked, min(count, MOST_CANDIDATES))
    found = reaches(
        without(sources, rows=rows, of=best),
        candidates=without(sources, rows=candidates, of=candidates),
        score=lambda number, rows: flat.reconstruct_batch(rows) @ asked[number],
    )
    if found:
        _write(codes, folder / CODES_FILE)
    return VectorSearch(exact_rows=exact_rows, questions=len(asked), reaches=found)


def bound_threads(threads: int) -> None:
    """Let FAISS use at most so many threads for what the calling thread asks of it."""
    faiss.omp_set_num_threads(threads)


def _coded(flat: faiss.IndexFlat) -> faiss.IndexPQFastScan:
    """The codes of all rows, learnt from some of them."""
    codes = faiss.IndexPQFastScan(flat.d, flat.d // _DIMENSIONS_A_CODE, _CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    codes.pq.cp.niter = _ROUNDS
    codes.pq.cp.seed = _SEED
    codes.pq.cp.min_points_per_centroid = 1
    codes.train(flat.reconstruct_batch(_spread(flat.ntotal, _TRAINED)))
    for start in range(0, flat.ntotal, _BLOCK_ROWS):
        codes.add(flat.reconstruct_n(start, min(_BLOCK_ROWS, flat.ntotal - start)))
    return codes


def _spread(count: int, wanted: int) -> npt.NDArray[np.int64]:
    """At most that many of `count` rows, in their order, drawn alike every time."""
    drawn = np.random.default_rng(_SEED).choice(count, min(count, wanted), replace=False)
    return np.sort(drawn)


def _read(path: Path, kind: type[faiss.Index]) -> Any:  # noqa: ANN401 - FAISS's own types
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise IndexDamaged(f"{path} does not open ({error}); run: cari verify") from error
    if not isinstance(index, kind):
        raise IndexDamaged(f"{path} is a {type(index).__name__}, expected {kind.__name__}; run: cari verify")
    return index


def _write(index: faiss.Index, path: Path) -> None:
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        # FAISS tells why in words, which end with the system's.
        said = str(error).rstrip(")")
        code = next((code for code in errno.errorcode if said.endswith(os.strerror(code))), errno.EIO)
        raise OSError(code, os.strerror(code), str(path)) from error
