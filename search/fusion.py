"""How the evidence of several arms becomes one score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_DENSE_WEIGHT = 0.75
_DECIMALS = 5


def fused(dense: npt.NDArray[np.float32], late: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Late + .75 dense, (n,) float32: a sum, so that no passage is punished for what an arm cannot see.

    The weight is flat between .25 and 1; more helps questions whose answer is spread over a passage (TyDi QA),
    less those answered by one phrase (FacQA): see `bench/relevance`.
    """
    return np.round(late + _DENSE_WEIGHT * dense, _DECIMALS).astype(np.float32)
