"""From evidence to a probability of relevance that means the same for every query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .query import Mode

if TYPE_CHECKING:
    import numpy.typing as npt

# Logistic regression of "this passage answers the question" on an arm's score, over the ten best passages of
# questions of XQuAD, FacQA, TyDi QA and Belebele's Wikibooks and Wikivoyage part, and over the three best once the
# answering ones are taken out of the pool: `bench/relevance/calibrate.py`.
_SLOPE_AND_INTERCEPT = {Mode.DENSE: (59.7, -51.9), Mode.HYBRID: (32.9, -49.0)}


def probability(scores: npt.NDArray[np.float32], *, of: Mode) -> npt.NDArray[np.float32]:
    """The probability of relevance of passages with these scores of an arm, (n,) float32, rising with them."""
    slope, intercept = _SLOPE_AND_INTERCEPT[of]
    logits = slope * scores.astype(np.float64) + intercept
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
