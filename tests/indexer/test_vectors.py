from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from indexer.errors import IndexDamaged
from indexer.vectors import VECTORS_FILE, FlatVectors, VectorIndex, write_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import Rows

DIM = 24


def unit_rows(count: int, *, seed: int = 0) -> Rows:
    rows = np.random.default_rng(seed).standard_normal((count, DIM), np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def make_flat(rows: Rows, folder: Path) -> VectorIndex:
    write_vectors([rows[:7], rows[7:]], dim=DIM, folder=folder)
    return FlatVectors.open(folder)


# Every implementation of the protocol is put here, and passes the same tests.
MAKERS = {"flat": make_flat}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Rows], VectorIndex]:
    return lambda rows: MAKERS[request.param](rows, tmp_path)


def brute_force(
    rows: Rows, query: Rows, k: int, allowed: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.float32]:
    """The k best scores, best first."""
    scores = rows @ query
    scores = scores if allowed is None else scores[allowed]
    return np.sort(scores)[::-1][:k]


def agrees(
    found: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]],
    *,
    rows: Rows,
    query: Rows,
    k: int,
    allowed: npt.NDArray[np.bool_] | None = None,
) -> None:
    numbers, scores = found
    np.testing.assert_allclose(scores, brute_force(rows, query, k, allowed), atol=1e-5)
    np.testing.assert_allclose(scores, rows[numbers] @ query, atol=1e-5)
    assert len(set(numbers.tolist())) == len(numbers)
    assert allowed is None or allowed[numbers].all()


@pytest.mark.parametrize("k", [1, 10, 300])
def test_the_best_rows_are_those_of_brute_force(make: Callable[[Rows], VectorIndex], k: int) -> None:
    rows, queries = unit_rows(300), unit_rows(5, seed=1)
    index = make(rows)

    for query, found in zip(queries, index.search(queries, k=k), strict=True):
        agrees(found, rows=rows, query=query, k=k)


def test_asking_for_more_than_there_are_gives_all_without_padding(make: Callable[[Rows], VectorIndex]) -> None:
    rows = unit_rows(9)
    index = make(rows)

    ((numbers, scores),) = index.search(rows[:1], k=100)

    assert sorted(numbers.tolist()) == list(range(9))
    assert len(scores) == 9
    assert len(index) == 9


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_only_allowed_rows_are_found(make: Callable[[Rows], VectorIndex], share: float) -> None:
    rows, queries = unit_rows(250), unit_rows(4, seed=2)
    index = make(rows)
    allowed = np.random.default_rng(3).random(250) < share
    allowed[249] = True  # the last bit of the last byte

    for query, found in zip(queries, index.search(queries, k=40, allowed=allowed), strict=True):
        agrees(found, rows=rows, query=query, k=40, allowed=allowed)


def test_more_than_are_allowed_gives_only_those(make: Callable[[Rows], VectorIndex]) -> None:
    allowed = np.zeros(20, bool)
    allowed[[4, 11]] = True

    ((numbers, _),) = make(unit_rows(20)).search(unit_rows(1, seed=1), k=10, allowed=allowed)

    assert sorted(numbers.tolist()) == [4, 11]


def test_nothing_allowed_finds_nothing_for_each_query(make: Callable[[Rows], VectorIndex]) -> None:
    found = make(unit_rows(20)).search(unit_rows(3, seed=1), k=10, allowed=np.zeros(20, bool))

    assert [(len(numbers), len(scores)) for numbers, scores in found] == [(0, 0)] * 3


def test_an_empty_index_finds_nothing(make: Callable[[Rows], VectorIndex]) -> None:
    index = make(unit_rows(0))

    ((numbers, _),) = index.search(unit_rows(1), k=10)

    assert (len(index), len(numbers)) == (0, 0)


def test_equal_rows_are_all_found_with_equal_scores(make: Callable[[Rows], VectorIndex]) -> None:
    rows = np.concatenate([np.repeat(unit_rows(1), 12, axis=0), unit_rows(5, seed=4)])

    ((numbers, scores),) = make(rows).search(rows[:1], k=12)

    assert sorted(numbers.tolist()) == list(range(12))
    assert np.ptp(scores) == 0


def test_negative_scores_are_found_too(make: Callable[[Rows], VectorIndex]) -> None:
    rows = unit_rows(3)

    ((_, scores),) = make(rows).search(-rows[:1], k=3)

    assert scores[-1] == pytest.approx(-1, abs=1e-5)


def test_stored_vectors_come_back_in_the_order_asked(make: Callable[[Rows], VectorIndex]) -> None:
    rows = unit_rows(30)

    np.testing.assert_array_equal(make(rows).vectors(np.array([29, 0, 0, 7])), rows[[29, 0, 0, 7]])


def test_an_index_that_is_opened_again_answers_the_same(tmp_path: Path) -> None:
    rows, queries = unit_rows(60), unit_rows(3, seed=5)
    first = make_flat(rows, tmp_path).search(queries, k=10)

    again = FlatVectors.open(tmp_path).search(queries, k=10)

    for (numbers, scores), (same_numbers, same_scores) in zip(first, again, strict=True):
        np.testing.assert_array_equal(numbers, same_numbers)
        np.testing.assert_array_equal(scores, same_scores)


@pytest.mark.parametrize("content", [None, b"", b"not an index at all" * 20])
def test_a_file_that_is_no_index_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / VECTORS_FILE).write_bytes(content)

    with pytest.raises(IndexDamaged, match=VECTORS_FILE):
        FlatVectors.open(tmp_path)


def test_a_folder_that_cannot_be_written_is_a_refusal_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=VECTORS_FILE):
        write_vectors([unit_rows(3)], dim=DIM, folder=tmp_path / "absent")
