"""What each step of the ranking is worth: nDCG@10 by direction, one step changed at a time.

python bench/relevance/ablation.py [SET...]     (default: the six directions of belebele-other)
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pools import Pool, ndcg10, open_embedded, read_pool

from indexer.encoder import unit_rows
from indexer.offsets import Offsets, language_offsets, without_offsets
from indexer.token_store import FREQUENT_PIECES
from search.late import rarity

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from indexer import TokenVectors

_DIRECTIONS = ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One variant of late interaction; the defaults are what the engine does."""

    offsets: bool = True
    rarity: bool = True
    bits: int | None = 4
    frequent: int = FREQUENT_PIECES


def dense_scores(pool: Pool, *, offsets: bool) -> npt.NDArray[np.float32]:
    """(questions, passages) cosines of the pooled vectors."""
    passages = pool.passages.vectors
    if offsets:
        passages = without_offsets(passages, pool.languages, language_offsets(passages, pool.languages))
    scores: npt.NDArray[np.float32] = pool.questions.vectors @ passages.T
    return scores


def late_scores(
    pool: Pool, variant: Late, *, through: Callable[[np.ndarray], np.ndarray] = lambda rows: rows
) -> npt.NDArray[np.float32]:
    """(questions, passages) MaxSim; `through` is what storing makes of a passage's token vectors."""
    tokens = [through(stored(entry, variant)) for entry in pool.passages.tokens]
    if variant.offsets:
        offsets = _token_offsets(tokens, pool.languages)
        tokens = [unit_rows(t - offsets[str(of)]) for t, of in zip(tokens, pool.languages, strict=True)]
    bounds = np.cumsum([0, *(len(t) for t in tokens)])[:-1]
    every = np.concatenate(tokens).T
    rows = []
    for question in pool.questions.tokens:
        weights = rarity(question.ids) if variant.rarity else np.ones(len(question.ids), np.float32)
        best = np.maximum.reduceat(question.vectors @ every, bounds, axis=1)
        rows.append(weights @ best / weights.sum())
    return np.array(rows)


def stored(tokens: TokenVectors, variant: Late) -> npt.NDArray[np.float32]:
    """The vectors that are kept of a passage, (t, dim) float32, unit rows."""
    kept = tokens.ids >= variant.frequent
    vectors = tokens.vectors[kept] if np.count_nonzero(kept) > 3 else tokens.vectors  # noqa: PLR2004 - as the store
    if variant.bits is None:
        return vectors
    steps = 2 ** (variant.bits - 1) - 1
    return unit_rows(np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * steps))


def _token_offsets(tokens: list[npt.NDArray[np.float32]], languages: npt.NDArray[np.str_]) -> Offsets:
    return language_offsets(np.array([t.mean(axis=0) for t in tokens]), languages)


def main() -> None:
    """Print the table."""
    names = sys.argv[1:] or [f"belebele-other/{direction}" for direction in _DIRECTIONS]
    encoder = open_embedded()
    pools = [read_pool(name, encoder=encoder, most_questions=600) for name in names]
    print(f"{'nDCG@10':<42}" + " ".join(f"{name.rpartition('/')[2]:>9}" for name in names))
    dense = [dense_scores(pool, offsets=True) for pool in pools]
    late = [late_scores(pool, Late()) for pool in pools]
    rows: dict[str, list[npt.NDArray[np.float32]]] = {
        "dense": [dense_scores(pool, offsets=False) for pool in pools],
        "dense, language offsets removed": dense,
        "late, as described in ColBERT": [
            late_scores(pool, Late(offsets=False, rarity=False, bits=None, frequent=0)) for pool in pools
        ],
        "late (offsets, rarity, 4 bits, 300 left out)": late,
        "  without language offsets": [late_scores(pool, Late(offsets=False)) for pool in pools],
        "  without rarity": [late_scores(pool, Late(rarity=False)) for pool in pools],
        "  all pieces kept": [late_scores(pool, Late(frequent=0)) for pool in pools],
        "  not quantised": [late_scores(pool, Late(bits=None)) for pool in pools],
        "  3 bits": [late_scores(pool, Late(bits=3)) for pool in pools],
    }
    for weight in (0.25, 0.5, 0.75, 1.0, 2.0):
        rows[f"late + {weight} dense"] = [x + weight * y for x, y in zip(late, dense, strict=True)]
    for name, scores in rows.items():
        figures = (ndcg10(s, pool.relevant) for s, pool in zip(scores, pools, strict=True))
        print(f"{name:<42}" + " ".join(f"{figure:9.3f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
