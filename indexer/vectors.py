"""The vectors of a generation, searched exactly. The only file that knows FAISS."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .encoder import Rows

VECTORS_FILE = "vectors.faiss"

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
    """Every vector compared with every query: exact, and fast enough to hundreds of thousands of rows."""

    def __init__(self, index: faiss.IndexFlatIP) -> None:
        self._index = index

    @classmethod
    def open(cls, folder: Path) -> FlatVectors:
        """Open what `write_vectors` wrote; the vectors stay on disk and are mapped into memory.

        Raises:
            IndexDamaged: the file is missing or not such an index.
        """
        path = folder / VECTORS_FILE
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))  # type: ignore[arg-type]
        except RuntimeError as error:
            raise IndexDamaged(f"{path} does not open ({error}); run: cari verify") from error

    def __len__(self) -> int:
        """How many rows it holds."""
        return int(self._index.ntotal)

    def search(self, queries: Rows, *, k: int, allowed: Allowed | None = None) -> list[Found]:
        """The k best allowed rows for each query."""
        k = min(k, len(self) if allowed is None else int(np.count_nonzero(allowed)))
        if k <= 0:
            empty = np.empty(0, np.int64), np.empty(0, np.float32)
            return [empty for _ in queries]
        params = None
        if allowed is not None:
            # FAISS's stubs do not know the keyword forms that its Python layer adds.
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))  # type: ignore[call-arg,arg-type]
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._index.search(np.ascontiguousarray(queries), k, params=params)
        return [(found[found >= 0], values[found >= 0]) for found, values in zip(rows, scores, strict=True)]

    def vectors(self, rows: npt.NDArray[np.int64]) -> Rows:
        """The stored vectors of these rows."""
        found: Rows = self._index.reconstruct_batch(rows)
        return found


def write_vectors(batches: Iterable[Rows], *, dim: int, folder: Path) -> None:
    """Write the rows, in order, as `folder/vectors.faiss`.

    Raises:
        OSError: the disk refuses.
    """
    index = faiss.IndexFlatIP(dim)
    for rows in batches:
        index.add(np.ascontiguousarray(rows, np.float32))
    path = folder / VECTORS_FILE
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        # FAISS tells why in words, which end with the system's.
        said = str(error).rstrip(")")
        code = next((code for code in errno.errorcode if said.endswith(os.strerror(code))), errno.EIO)
        raise OSError(code, os.strerror(code), str(path)) from error


def bound_threads(threads: int) -> None:
    """Let FAISS use at most so many threads in this process."""
    faiss.omp_set_num_threads(threads)
