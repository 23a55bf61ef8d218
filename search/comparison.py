"""The arms of the ranking side by side on one evaluation set, and whether together they beat the best alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from .bootstrap import RESAMPLES, mean_intervals
from .evaluation import found_articles, measured
from .query import Mode, Query
from .searcher import MAX_QUERY_CHARACTERS

if TYPE_CHECKING:
    from .evaluation import EvaluationSet
    from .searcher import Searcher

COMPARED = ("ndcg@10", "recall@100", "mrr@10")
_JUDGED = COMPARED[0]


class Arm(StrEnum):
    """A way to rank: one kind of evidence alone, or several together."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"
    LATE = "hybrid+late"

    @property
    def mode(self) -> Mode:
        """Which mode of a query it is; the hybrid one with or without late interaction."""
        return Mode.HYBRID if self is Arm.LATE else Mode(self.value)


SINGLE = (Arm.DENSE, Arm.LEXICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """Means over the questions by measure, each question's nDCG@10, and the 95 % interval of that mean."""

    arm: Arm
    measures: dict[str, float]
    low: float
    high: float
    ndcg_by_query: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """By how much nDCG@10 hybrid+late is better than an arm, with the paired 95 % interval."""

    over: Arm
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All arms on one set. `best` is the better of the single arms; `resamples` and `seed` made the intervals."""

    name: str
    queries: int
    articles: int
    arms: tuple[ArmResult, ...]
    gains: tuple[Gain, ...]
    best: Arm
    resamples: int
    seed: int

    @property
    def gain(self) -> Gain:
        """That over the best single arm."""
        return next(gain for gain in self.gains if gain.over is self.best)

    @property
    def holds(self) -> bool:
        """Whether hybrid+late is at least as good as the best single arm, as far as these questions can tell."""
        return self.gain.high >= 0


def compare(searcher: Searcher, questions: EvaluationSet, *, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Ask every question once, and rank with every arm.

    A question longer than the engine takes counts as unanswered.
    """
    found: dict[Arm, dict[str, list[str]]] = {arm: {} for arm in Arm}
    for key, text in questions.queries.items():
        if len(text) > MAX_QUERY_CHARACTERS:
            continue
        embedding = searcher.embed(Query(text=text))
        for arm in Arm:
            found[arm][key] = found_articles(
                searcher, text, mode=arm.mode, embedding=embedding, late=arm is not Arm.HYBRID
            )
    by_arm = {arm: measured(found[arm], questions.qrels) for arm in Arm}
    keys = list(questions.queries)
    ndcg = np.array([[by_arm[arm][_JUDGED][key] for arm in Arm] for key in keys])
    # hybrid+late is the last column; equal seeds draw the same questions for means and for gains.
    gains = ndcg[:, -1:] - ndcg[:, :-1]
    spans = mean_intervals(np.hstack([ndcg, gains]), resamples=resamples, seed=seed).tolist()
    results = tuple(
        ArmResult(
            arm=arm,
            measures={name: float(np.mean([by_arm[arm][name][key] for key in keys])) for name in COMPARED},
            low=low,
            high=high,
            ndcg_by_query=by_arm[arm][_JUDGED],
        )
        for arm, (low, high) in zip(Arm, spans, strict=False)
    )
    others = [arm for arm in Arm if arm is not Arm.LATE]
    return Comparison(
        name=questions.name,
        queries=len(keys),
        articles=searcher.info.articles,
        arms=results,
        gains=tuple(
            Gain(over=arm, mean=float(mean), low=low, high=high)
            for arm, mean, (low, high) in zip(others, gains.mean(axis=0), spans[len(results) :], strict=True)
        ),
        best=max(SINGLE, key=lambda arm: next(r.measures[_JUDGED] for r in results if r.arm is arm)),
        resamples=resamples,
        seed=seed,
    )
