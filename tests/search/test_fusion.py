from __future__ import annotations

import numpy as np
import pytest

from search import Mode
from search.calibration import probability
from search.fusion import fused


def test_the_arms_are_summed_as_written() -> None:
    # .8 + .75 * .84 = 1.43
    assert fused(np.array([0.84], np.float32), np.array([0.8], np.float32)).tolist() == [pytest.approx(1.43)]


def test_noise_of_the_last_digits_does_not_order_results() -> None:
    dense, late = np.array([0.84, 0.84], np.float32), np.array([0.8, 0.8000002], np.float32)

    first, second = fused(dense, late)

    assert first == second


@pytest.mark.parametrize("arm", [Mode.DENSE, Mode.HYBRID])
def test_a_probability_rises_with_its_score_and_stays_between_0_and_1(arm: Mode) -> None:
    found = probability(np.linspace(-1, 1.75, 200, dtype=np.float32), of=arm)

    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_probability_is_the_logistic_function() -> None:
    # 1 / (1 + exp(-(32.9 * 1.5 - 49.0))) = 1 / (1 + exp(-.35)) = .5866
    assert probability(np.array([1.5], np.float32), of=Mode.HYBRID)[0] == pytest.approx(0.5866, abs=1e-3)
