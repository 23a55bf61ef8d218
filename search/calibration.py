"""From evidence to a probability of relevance that means the same for every query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .query import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

# Logistic regression of "this passage answers the question" on its standing: slope and intercept, fitted by
# `bench/relevance/calibrate.py` on 2026-11-23. `calibrate.txt` beside it says on what, and how well it holds elsewhere.
_FITTED = {
    Mode.DENSE: (7.631, -8.543),
    Mode.HYBRID: (5.827, -8.395),
    Mode.LEXICAL: (4.850, -4.682),
}
_LEAD = 4.0
_RIVALS = 10

ANSWERABLE = 0.2
"""The probability that the best passage must reach for the corpus to count as answering the question.

A false "nothing answers this" is as bad as a false answer: `bench/relevance/calibrate.txt` has the shares of both.
"""


def standing(
    scores: npt.NDArray[np.float32],
    *,
    background: Callable[[], float],
    stories: npt.NDArray[np.integer],
    languages: npt.NDArray[np.str_],
) -> npt.NDArray[np.float64]:
    """How a passage stands among the others, (n,) float64: its score plus four times its lead.

    The lead is over the mean of the ten best passages of other stories, which are as good as the best where the answer
    itself is missing; what a score alone is worth differs from question to question. Ten, so that a few other stories
    with the answer do not hide it; of the passage's own language where there are so many, so that its translations do
    not either. With scores .9, .8 and .6 of three stories of one language and a background of .5, the first leads by
    .9 - (.8 + .6 + 8 * .5) / 10 = .36 and stands at 2.34.

    Args:
        scores: (n,) cosines, `fusion.meaning`, or shares of words.
        background: Gives what the question scores with anything at all, which stands for rivals; asked where there
            are too few of them.
        stories: (n,) which story each passage belongs to.
        languages: (n,) of each passage.
    """
    values = scores.astype(np.float64)
    order = np.argsort(-values, kind="stable")
    _, first = np.unique(stories[order], return_index=True)
    best = order[np.sort(first)]
    missing = [background()] * (_RIVALS + 1 - len(best)) if len(best) <= _RIVALS else []
    rivals = np.empty(len(values))
    for language in np.unique(languages):
        own = languages == language
        near = np.concatenate([best[own[best]], best[~own[best]]])[: _RIVALS + 1]
        tops = np.concatenate([values[near], missing])
        rivals[own] = tops[:_RIVALS].sum()
        for place, row in enumerate(near[:_RIVALS]):
            rivals[own & (stories == stories[row])] += tops[_RIVALS] - tops[place]
    return values + _LEAD * (values - rivals / _RIVALS)


def probability(standings: npt.NDArray[np.float64], *, of: Mode) -> npt.NDArray[np.float32]:
    """The probability of relevance of passages with these standings by an arm, (n,) float32, rising with them."""
    slope, intercept = _FITTED[of]
    probabilities: npt.NDArray[np.float32] = (1 / (1 + np.exp(-(slope * standings + intercept)))).astype(np.float32)
    return probabilities
