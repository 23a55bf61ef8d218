"""How the evidence of three arms becomes one ranking of passages in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Scores = npt.NDArray[np.float32]

_DENSE_WEIGHT = 0.75
_LEXICAL_WEIGHT = 0.1
_DECIMALS = 5


def meaning(*, dense: Scores, late: Scores) -> Scores:
    """Late + .75 dense, (n,) float32: what is comparable between languages.

    Rounded to five decimals, so that how a processor orders a sum cannot order results.
    """
    return np.round(late + _DENSE_WEIGHT * dense, _DECIMALS).astype(np.float32)


def fused(*, dense: Scores, late: Scores, lexical: Scores, languages: npt.NDArray[np.str_]) -> Scores:
    """One score a passage, (n,) float32, comparable between languages.

    Which places of the ranking a language takes is decided by late + .75 dense, which mean the same in both.
    Within a language, late + .75 dense + .1 lexical decides which passage takes which place. So shared words never
    lift a passage over one in the other language, which could not have them; nor does their lack push one down.
    The dense weight is flat around its value: `bench/relevance/ablation.txt`.

    Args:
        dense: (n,) cosines.
        late: (n,) MaxSim.
        lexical: (n,) shares of the question's words.
        languages: (n,).
    """
    comparable = meaning(dense=dense, late=late)
    with_words = np.round(comparable + _LEXICAL_WEIGHT * lexical, _DECIMALS)
    scores = np.empty_like(comparable)
    for language in np.unique(languages):
        rows = np.flatnonzero(languages == language)
        # subtle: equal evidence must get equal scores, or ties would be broken here and not by passage id.
        order = rows[np.argsort(-with_words[rows], kind="stable")]
        places = -np.sort(-comparable[rows])
        first_of_tie = np.searchsorted(-with_words[order], -with_words[order], side="left")
        scores[order] = places[first_of_tie]
    return scores
