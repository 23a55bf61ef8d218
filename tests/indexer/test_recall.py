from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest

from indexer import unit_rows
from indexer.recall import DEPTHS, Reach, VectorSearch, questions_like, reaches, without

SEARCH = VectorSearch(
    exact_rows=100,
    questions=200,
    reaches=(
        Reach(depth=10, candidates=1501, recall=0.999),
        Reach(depth=64, candidates=1501, recall=0.998),
        Reach(depth=1000, candidates=1501, recall=0.991),
    ),
)


@pytest.mark.parametrize(("k", "candidates"), [(1, 1501), (64, 1501), (1000, 1501), (1001, 1503), (2000, 3002)])
def test_as_many_candidates_as_the_deepest_search_took_and_in_proportion_beyond(k: int, candidates: int) -> None:
    assert SEARCH.candidates(k) == candidates


def test_a_manifest_gives_back_what_was_measured() -> None:
    assert VectorSearch.of(json.loads(json.dumps(asdict(SEARCH)))) == SEARCH


def test_questions_are_as_far_from_their_passages_as_real_ones() -> None:
    passages = unit_rows(np.random.default_rng(1).standard_normal((2000, 384)).astype(np.float32))

    questions = questions_like(passages, seed=3)

    cosines = (questions * passages).sum(axis=1)
    np.testing.assert_allclose(np.linalg.norm(questions, axis=1), 1, atol=1e-5)
    assert np.quantile(cosines, [0, 0.5, 1]) == pytest.approx([0.59, 0.69, 0.79], abs=0.01)
    np.testing.assert_array_equal(questions, questions_like(passages, seed=3))


def test_what_a_question_was_made_of_is_left_out_or_else_the_last() -> None:
    rows = np.array([[4, 7, 2], [1, 3, 5]])

    assert without(np.array([7, 9]), rows=rows, of=rows).tolist() == [[4, 2], [1, 3]]


def ranked(order: npt.NDArray[np.int64], *, questions: int = 50) -> tuple[Reach, ...]:
    """What is measured where row r scores -r, and an approximate search finds rows in this order."""
    best = np.tile(-np.arange(DEPTHS[-1], dtype=np.float32), (questions, 1))
    return reaches(
        best,
        candidates=np.tile(order, (questions, 1)),
        score=lambda _question, rows: -rows.astype(np.float32),
    )


def test_an_order_that_is_right_needs_no_more_than_are_wanted() -> None:
    found = ranked(np.arange(5000))

    assert [(one.depth, one.candidates, one.recall) for one in found] == [(10, 1000, 1), (64, 1000, 1), (1000, 1000, 1)]


def test_candidates_grow_by_half_until_the_best_are_among_them() -> None:
    # The best ten stand below place 1,600: 1,000 and 1,500 are tried, then 2,250.
    order = np.concatenate([np.arange(10, 1610), np.arange(10), np.arange(1610, 5000)])

    assert [(one.candidates, one.recall) for one in ranked(order)] == [(2250, 1)] * 3


def test_an_order_that_never_finds_enough_is_refused() -> None:
    assert ranked(np.arange(1, 5000)) == ()


def test_the_lower_end_of_the_interval_must_reach_what_is_asked() -> None:
    # One question of 100 finds nothing among the first: .99 on average, with a wide interval.
    best = np.tile(-np.arange(DEPTHS[-1], dtype=np.float32), (100, 1))
    candidates = np.tile(np.arange(5000), (100, 1))
    candidates[0] = np.concatenate([np.arange(1000, 5000), np.arange(1000)])  # the best ten below place 4,000

    found = reaches(best, candidates=candidates, score=lambda _question, rows: -rows.astype(np.float32))

    assert {one.candidates for one in found} == {5000}
