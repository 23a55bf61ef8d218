"""FAISS's file of a flat index, written row by row: FAISS itself would hold all rows in memory to write them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .encoder import Rows

# Its kind, dimensions, rows, two fields no longer in use, whether it is trained, the measure, how many numbers follow.
_HEADER = struct.Struct("<4siqqq?iq")
_KIND = b"IxFI"
_UNUSED = 1 << 20
_TRAINED = True
_INNER_PRODUCT = 0


def write_flat(batches: Iterable[Rows], *, dim: int, path: Path) -> int:
    """Write the rows, in order; returns how many there were.

    Args:
        batches: (n, dim) float32 each.
        dim: Their dimensions.
        path: The file.

    Raises:
        OSError: the disk refuses.
    """
    count = 0
    with path.open("wb") as stream:
        stream.write(_header(dim, count))
        for rows in batches:
            stream.write(np.ascontiguousarray(rows, np.float32).data)
            count += len(rows)
        stream.seek(0)
        stream.write(_header(dim, count))
    return count


def _header(dim: int, count: int) -> bytes:
    return _HEADER.pack(_KIND, dim, count, _UNUSED, _UNUSED, _TRAINED, _INNER_PRODUCT, count * dim)
