"""From evidence to a probability of relevance that means the same for every query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .query import Mode

if TYPE_CHECKING:
    import numpy.typing as npt

# Logistic regression of "this passage answers the question" on an arm's score, over the ten best passages of
# questions of XQuAD, FacQA, TyDi QA and Belebele's Wikibooks and Wikivoyage part, and over the three best once the
# answering ones are taken out of the pool. Fitted on 2026-11-23 over pools of 302 to 1,313 passages, before words
# counted, with what became `bench/relevance/calibrate.py`; expected calibration error on a family left out: .013 to
# .079, FacQA .145, TyDi QA .116.
_SLOPE_AND_INTERCEPT = {Mode.DENSE: (59.7, -51.9), Mode.HYBRID: (32.9, -49.0)}


def probability(scores: npt.NDArray[np.float32], *, of: Mode) -> npt.NDArray[np.float32]:
    """The probability of relevance of passages with these scores of an arm, (n,) float32, rising with them.

    The share of words that lexical search goes by is returned as it is: nothing has calibrated it yet.
    """
    if of is Mode.LEXICAL:
        return np.clip(scores, 0, 1).astype(np.float32)
    slope, intercept = _SLOPE_AND_INTERCEPT[of]
    logits = slope * scores.astype(np.float64) + intercept
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
