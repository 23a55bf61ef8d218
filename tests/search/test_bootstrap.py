from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from search.bootstrap import mean_intervals


def test_the_interval_of_equal_values_is_that_value() -> None:
    assert mean_intervals(np.full((7, 1), 0.25)).tolist() == [[0.25, 0.25]]


def test_the_means_of_two_questions_are_drawn_as_often_as_arithmetic_says() -> None:
    # 0 and 1 drawn twice: mean 0 in 1/4 of the draws, 1/2 in 1/2, 1 in 1/4.
    values = np.array([[0.0], [1.0]])

    assert mean_intervals(values).tolist() == [[0, 1]]
    # The middle 40 % lie within the middle half, the middle 60 % do not.
    assert mean_intervals(values, confidence=0.4).tolist() == [[0.5, 0.5]]
    assert mean_intervals(values, confidence=0.6).tolist() == [[0, 1]]


def test_the_interval_of_many_questions_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(3).normal(0.5, 0.2, (2_000, 1))

    low, high = mean_intervals(values, resamples=4_000)[0]

    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)


def test_the_interval_is_that_of_another_implementation() -> None:
    values = np.random.default_rng(4).beta(0.5, 0.5, 300)

    found = mean_intervals(values[:, None], resamples=20_000)[0]

    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=5).confidence_interval
    assert tuple(found) == pytest.approx((expected.low, expected.high), abs=0.002)


def test_equal_seeds_give_equal_intervals_and_other_seeds_others() -> None:
    values = np.random.default_rng(5).random((50, 2))

    assert np.array_equal(mean_intervals(values, seed=1), mean_intervals(values, seed=1))
    assert not np.array_equal(mean_intervals(values, seed=1), mean_intervals(values, seed=2))


def test_every_column_sees_the_same_draws() -> None:
    values = np.random.default_rng(6).random((50, 1))

    found = mean_intervals(np.hstack([values, values + 1, values - values]))

    np.testing.assert_allclose(found[0] + 1, found[1])
    assert found[2].tolist() == [0, 0]


def test_draws_in_blocks_are_those_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(7).random((50, 2))
    whole = mean_intervals(values, resamples=100)
    monkeypatch.setattr("search.bootstrap._BLOCK_DRAWS", 333)

    np.testing.assert_allclose(mean_intervals(values, resamples=100), whole)
