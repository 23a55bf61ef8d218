"""How the evidence of three arms becomes one ranking of passages in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Scores = npt.NDArray[np.float32]

_DENSE_WEIGHT = 0.25
_LEXICAL_WEIGHT = 0.3
_LEXICAL_WEIGHT_WITHOUT_LATE = 0.2
_DECIMALS = 5


def meaning(*, dense: Scores, late: Scores | None) -> Scores:
    """Late + .25 dense, or dense alone, (n,) float32: what is comparable between languages.

    Rounded to five decimals, so that how a processor orders a sum cannot order results.
    """
    total = dense if late is None else late + _DENSE_WEIGHT * dense
    return np.round(total, _DECIMALS).astype(np.float32)


def fused(*, dense: Scores, late: Scores | None, lexical: Scores, languages: npt.NDArray[np.str_]) -> Scores:
    """One score a passage, (n,) float32, comparable between languages.

    Which places of the ranking a language takes is decided by late + .25 dense, which mean the same in both.
    Within a language, late + .25 dense + .3 lexical decides which passage takes which place. So shared words never
    lift a passage over one in the other language, which could not have them; nor does their lack push one down.
    Both weights are flat around their values: `bench/relevance/weights.txt`.

    Args:
        dense: (n,) cosines.
        late: (n,) MaxSim, or None where no token vectors were stored: then dense + .2 lexical decides within a
            language, and dense alone between languages.
        lexical: (n,) shares of the question's words.
        languages: (n,).
    """
    comparable = meaning(dense=dense, late=late)
    weight = _LEXICAL_WEIGHT_WITHOUT_LATE if late is None else _LEXICAL_WEIGHT
    with_words = np.round(comparable + weight * lexical, _DECIMALS)
    scores = np.empty_like(comparable)
    for language in np.unique(languages):
        rows = np.flatnonzero(languages == language)
        # subtle: equal evidence must get equal scores, or ties would be broken here and not by passage id.
        order = rows[np.argsort(-with_words[rows], kind="stable")]
        places = -np.sort(-comparable[rows])
        first_of_tie = np.searchsorted(-with_words[order], -with_words[order], side="left")
        scores[order] = places[first_of_tie]
    return scores
