"""How far a mean over questions can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

RESAMPLES = 2_000
CONFIDENCE = 0.95
_BLOCK_DRAWS = 1_000_000


def mean_intervals(
    values: npt.NDArray[np.float64], *, resamples: int = RESAMPLES, confidence: float = CONFIDENCE, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Percentile bootstrap intervals of column means (Efron & Tibshirani 1993, chapter 13).

    The questions are drawn anew with replacement, as many as there are, `resamples` times; the interval of a
    column is what the middle `confidence` of its means span. Every column sees the same draws, so for two
    systems give the column of their differences: that is the paired bootstrap (Sakai 2006). Two questions with
    0 and 1 give means 0, .5 and 1 in a quarter, half and quarter of the draws, hence the interval 0 to 1.

    Args:
        values: (questions, columns) float64, at least one question.
        resamples: How often.
        confidence: Between 0 and 1.
        seed: Of the draws; equal seeds give equal intervals.

    Returns:
        (columns, 2) float64, the low and the high end.
    """
    questions, columns = values.shape
    random = np.random.default_rng(seed)
    means = np.empty((resamples, columns))
    block = max(1, _BLOCK_DRAWS // questions)
    for start in range(0, resamples, block):
        drawn = random.integers(questions, size=(min(block, resamples - start), questions))
        for column in range(columns):
            means[start : start + len(drawn), column] = values[drawn, column].mean(axis=1)
    edge = (1 - confidence) / 2
    ends: npt.NDArray[np.float64] = np.quantile(means, [edge, 1 - edge], axis=0)
    return ends.T
