"""How well an engine's vectors rank: nDCG@10 by their cosines, and by late interaction."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "relevance"))

from pools import ndcg10

if TYPE_CHECKING:
    import numpy.typing as npt
    from engines import Vectors
    from passages import Pools


@dataclass(frozen=True, slots=True)
class Figures:
    """nDCG@10 by direction; `late` is empty where there are no token vectors."""

    dense: dict[str, float]
    late: dict[str, float]


def nothing() -> Figures:
    """Where nothing was judged."""
    return Figures({}, {})


def relevance(questions: Vectors, passages: Vectors, *, pools: Pools) -> Figures:
    """Both rankings as the vectors are, without language offsets: here engines are compared, not rankings."""
    kinds = {"dense": questions.pooled @ passages.pooled.T}
    if questions.tokens:
        kinds["late"] = _late(questions, passages)
    found: dict[str, dict[str, float]] = {
        kind: {one.name: ndcg10(scores[np.ix_(one.questions, one.passages)], one.relevant) for one in pools.directions}
        for kind, scores in kinds.items()
    }
    return Figures(found["dense"], found.get("late", {}))


def _late(questions: Vectors, passages: Vectors) -> npt.NDArray[np.float32]:
    """(questions, passages) MaxSim: of each token of the question its best match, and of these the mean."""
    every = np.concatenate(passages.tokens).T
    bounds = np.cumsum([0, *(len(tokens) for tokens in passages.tokens)])[:-1]
    rows = [np.maximum.reduceat(tokens @ every, bounds, axis=1).mean(axis=0) for tokens in questions.tokens]
    return np.array(rows, np.float32)
