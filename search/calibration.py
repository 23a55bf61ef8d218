"""From evidence to a probability of relevance that means the same for every query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .query import Mode

if TYPE_CHECKING:
    import numpy.typing as npt

# Logistic regression of "this passage answers the question", fitted by `bench/relevance/calibrate.py` on 2026-11-23:
# the slope of the score, the slope of how many spreads it stands above the question's background, the intercept.
# `bench/relevance/calibrate.txt` says on what, and how well it holds on sets left out.
_FITTED = {
    Mode.DENSE: (18.226, 1.093, -16.14),
    Mode.HYBRID: (12.45, 1.155, -15.21),
    Mode.LEXICAL: (13.244, 0.0, -5.13),
}
_LEAST_SPREAD = 0.01

ANSWERABLE = 0.12
"""The probability that the best passage must reach for the corpus to count as answering the question.

A false "nothing answers this" is as bad as a false answer: `bench/relevance/calibrate.txt` has the shares of both.
"""


@dataclass(frozen=True, slots=True)
class Background:
    """What a question scores with passages drawn evenly from the corpus: some questions are near to everything."""

    mean: float
    spread: float


NO_BACKGROUND = Background(0.0, 1.0)


def background_of(scores: npt.NDArray[np.float32]) -> Background:
    """The mean and the standard deviation of a question's scores with passages drawn evenly from the corpus."""
    if not len(scores):
        return NO_BACKGROUND
    return Background(float(scores.mean()), max(float(scores.std()), _LEAST_SPREAD))


def probability(scores: npt.NDArray[np.float32], *, of: Mode, background: Background) -> npt.NDArray[np.float32]:
    """The probability of relevance of passages with these scores of an arm, (n,) float32, rising with them.

    Args:
        scores: (n,) cosines, `fusion.meaning`, or shares of words, as the mode has it.
        of: The arm.
        background: Of the question, by the same arm; the shares of words need none.
    """
    slope, standing_slope, intercept = _FITTED[of]
    values = scores.astype(np.float64)
    standing = (values - background.mean) / background.spread
    return (1 / (1 + np.exp(-(slope * values + standing_slope * standing + intercept)))).astype(np.float32)
