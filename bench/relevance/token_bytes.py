"""What the bytes of stored token vectors buy: nDCG@10 of late interaction by how they are stored.

python bench/relevance/token_bytes.py           (about five minutes on two cores)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np
from ablation import Late, late_scores, stored
from pools import ndcg10, open_embedded, read_pool

from indexer.encoder import unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable

_DIRECTIONS = ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")
_LEARNT_FROM = "xquad-mt/id-en"
_RECORD_BYTES = 4
"""Beside the codes of a token: its squared length and its place."""

Rows = np.ndarray


def main() -> None:
    """Print the table."""
    encoder = open_embedded()
    pools = [read_pool(f"belebele-other/{name}", encoder=encoder, most_questions=600) for name in _DIRECTIONS]
    others = read_pool(_LEARNT_FROM, encoder=encoder, most_questions=50, most_passages=400)
    learnt = np.concatenate([stored(entry, Late(bits=None)) for entry in others.passages.tokens])
    tokens = np.mean([len(stored(entry, Late())) for pool in pools for entry in pool.passages.tokens])
    print(f"{tokens:.0f} stored tokens a passage; what is learnt is learnt from {_LEARNT_FROM}")
    print(f"{'stored as':<34}{'bytes':>6}{'a passage':>10}" + "".join(f"{name:>10}" for name in _DIRECTIONS))
    for name, (size, both) in _variants(learnt).items():
        figures = [ndcg10(late_scores(pool, Late(bits=None), through=both), pool.relevant) for pool in pools]
        print(f"{name:<34}{size:>6}{tokens * size:>10.0f}" + "".join(f"{x:10.3f}" for x in figures), flush=True)


def _variants(learnt: Rows) -> dict[str, tuple[int, Callable[[Rows], Rows]]]:
    """By name: bytes a token, and what the stored vectors become."""
    dim = learnt.shape[1]
    variants: dict[str, tuple[int, Callable[[Rows], Rows]]] = {"half precision": (2 * dim, lambda rows: rows)}
    for bits in (8, 4, 3, 2):
        name = f"{bits} bits" + (" (what is stored)" if bits == 4 else "")  # noqa: PLR2004
        variants[name] = (dim * bits // 8 + _RECORD_BYTES, lambda rows, bits=bits: _coarse(rows, bits=bits))
    for pieces in (96, 48):
        quantizer = faiss.ProductQuantizer(dim, pieces, 8)
        quantizer.train(learnt)
        variants[f"product quantiser, {pieces} bytes"] = (
            pieces + _RECORD_BYTES,
            lambda rows, quantizer=quantizer: unit_rows(quantizer.decode(quantizer.compute_codes(rows))),
        )
    _, _, directions = np.linalg.svd(learnt, full_matrices=False)
    for kept in (256, 192, 128):
        basis = directions[:kept]
        variants[f"{kept} principal directions, 4 bits"] = (
            kept // 2 + _RECORD_BYTES,
            lambda rows, basis=basis: unit_rows(_coarse(rows @ basis.T, bits=4) @ basis),
        )
    return variants


def _coarse(rows: Rows, *, bits: int) -> Rows:
    steps = 2 ** (bits - 1) - 1
    return unit_rows(np.rint(rows / np.abs(rows).max(axis=1, keepdims=True) * steps))


if __name__ == "__main__":
    main()
