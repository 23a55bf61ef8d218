"""How far an approximate search must look, found out on the corpus itself.

Questions stand apart from passages: with the default model, the cosine of a real question of ten evaluation sets
with the nearest of 30,000 passages is .59, .69 and .79 at the 10th, 50th and 90th percentile. A passage's own vector
would be too easy a question. So passages are drawn and turned away until their cosine with where they were is
between those, and must find not themselves, which stand out from all others, but their neighbours. That is about
as hard as finding what real questions look for: `bench/growth/growth.txt` has both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .encoder import unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .encoder import Rows

DEPTHS = (10, 64, 1000)
"""How many of the best are looked for: a page, what all arms judge, and as far as paging reaches."""
LEAST_RECALL = 0.99
QUESTIONS = 200
MOST_CANDIDATES = 16_384

_COSINES = (0.59, 0.79)
_ONE_SIDED_95 = 1.645
_TIE = 1e-6
"""Scores this near are equal: sums of products in another order differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """So many candidates hold that share of the `depth` best rows, on average over the sampled questions."""

    depth: int
    candidates: int
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSearch:
    """How the vectors of a generation are searched: a part of its manifest.

    Up to `exact_rows` all of them are compared. Beyond, codes find candidates: `reaches` has one entry for each of
    `DEPTHS`, measured with so many `questions`, all with as many candidates. It is empty where codes are not used.
    """

    exact_rows: int
    questions: int = 0
    reaches: tuple[Reach, ...] = ()

    @property
    def fell_short(self) -> bool:
        """Whether codes were tried, and did not find enough."""
        return bool(self.questions) and not self.reaches

    @classmethod
    def of(cls, content: dict[str, Any]) -> VectorSearch:
        """What a manifest says, read back."""
        return cls(**content | {"reaches": tuple(Reach(**reach) for reach in content["reaches"])})

    def candidates(self, k: int) -> int:
        """How many candidates hold the k best: the same number up to the deepest depth, in proportion beyond."""
        deepest = self.reaches[-1]
        return -(-max(k, deepest.depth) * deepest.candidates // deepest.depth)


def questions_like(vectors: Rows, *, seed: int) -> Rows:
    """Directions as far from these passages as questions are from theirs, (n, dim) float32, unit rows.

    Args:
        vectors: (n, dim) float32, unit rows.
        seed: The same one gives the same questions.
    """
    random = np.random.default_rng(seed)
    noise = random.standard_normal(vectors.shape)
    along = (noise * vectors).sum(axis=1, keepdims=True)
    away = unit_rows((noise - along * vectors).astype(np.float32))
    cosine = random.uniform(*_COSINES, (len(vectors), 1)).astype(np.float32)
    return unit_rows(cosine * vectors + np.sqrt(1 - cosine * cosine) * away)


def without(sources: npt.NDArray[np.int64], *, rows: npt.NDArray[np.int64], of: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What was found, less what each question was made of, or the last where that was not found.

    Args:
        sources: (questions,) rows.
        rows: (questions, d) rows found.
        of: (questions, d) what to return of each, but for one a question.
    """
    last = np.argsort(rows == sources[:, np.newaxis], axis=1, kind="stable")
    return np.take_along_axis(of, last, axis=1)[:, :-1]


def reaches(
    best: npt.NDArray[np.float32],
    *,
    candidates: npt.NDArray[np.int64],
    score: Callable[[int, npt.NDArray[np.int64]], npt.NDArray[np.float32]],
) -> tuple[Reach, ...]:
    """The fewest candidates that hold 99 % of the best at every depth; none where that takes too many.

    The lower end of the mean's one-sided 95 % interval must reach it, not the mean alone.

    Args:
        best: (questions, d) the scores of each question's best rows, best first; d is the deepest depth, or all rows.
        candidates: (questions, c) rows in the order in which an approximate search finds them.
        score: The scores of these rows with the question of this number.
    """
    most = candidates.shape[1]
    size, scored = min(most, DEPTHS[-1]), 0
    scores = [np.empty(0, np.float32)] * len(candidates)
    while True:
        more = (score(number, rows[scored:size]) for number, rows in enumerate(candidates))
        scores = [np.concatenate(pair) for pair in zip(scores, more, strict=True)]
        scored = size
        recalls = {depth: _recalls(scores, best=best, depth=min(depth, best.shape[1])) for depth in DEPTHS}
        if all(_surely(found) >= LEAST_RECALL for found in recalls.values()):
            return tuple(
                Reach(depth=depth, candidates=size, recall=round(float(found.mean()), 4))
                for depth, found in recalls.items()
            )
        if size >= most:
            return ()
        size = min(most, size + size // 2)


def _recalls(
    scores: list[npt.NDArray[np.float32]], *, best: npt.NDArray[np.float32], depth: int
) -> npt.NDArray[np.float64]:
    """The share of the best that are among these scores, (questions,)."""
    least = best[:, depth - 1] - _TIE
    among = np.array([(found >= one).sum() for found, one in zip(scores, least, strict=True)], np.float64)
    shares: npt.NDArray[np.float64] = np.minimum(among, depth) / depth
    return shares


def _surely(recalls: npt.NDArray[np.float64]) -> float:
    """The lower end of the mean's interval."""
    return float(recalls.mean() - _ONE_SIDED_95 * recalls.std() / np.sqrt(len(recalls)))
