from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from indexer import unit_rows as of_unit_length
from indexer.errors import IndexDamaged
from indexer.recall import DEPTHS, LEAST_RECALL, VectorSearch
from indexer.vectors import CODES_FILE, VECTORS_FILE, FlatVectors, VectorIndex, open_vectors, write_vectors

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


def make_coded(rows: Rows, folder: Path) -> VectorIndex:
    search = write_vectors([rows[:7], rows[7:]], dim=rows.shape[1], folder=folder, exact_rows=0)
    return open_vectors(folder, search=search)


# Every implementation of the protocol is put here, and passes the same tests.
MAKERS = {"flat": make_flat, "coded": make_coded}


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


def test_the_file_is_the_one_that_faiss_would_write(tmp_path: Path) -> None:
    rows = unit_rows(30)
    index = faiss.IndexFlatIP(DIM)
    index.add(rows)

    write_vectors([rows[:7], rows[7:]], dim=DIM, folder=tmp_path)

    assert (tmp_path / VECTORS_FILE).read_bytes() == faiss.serialize_index(index).tobytes()


def test_few_rows_have_no_codes(tmp_path: Path) -> None:
    search = write_vectors([unit_rows(1000)], dim=DIM, folder=tmp_path, exact_rows=1000)

    assert (search.exact_rows, search.questions, search.reaches, search.fell_short) == (1000, 0, (), False)
    assert not (tmp_path / CODES_FILE).exists()


def test_an_odd_number_of_dimensions_is_searched_exactly(tmp_path: Path) -> None:
    rows = of_unit_length(unit_rows(400)[:, :7])

    assert write_vectors([rows], dim=7, folder=tmp_path, exact_rows=0).reaches == ()


@dataclass(frozen=True)
class Many:
    """Rows enough for codes to find fewer than all, crowded as passages are, and questions that stand apart."""

    rows: Rows
    questions: Rows
    folder: Path
    search: VectorSearch


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    random = np.random.default_rng(6)
    subjects = random.standard_normal((400, 64))
    rows = of_unit_length((subjects.repeat(50, axis=0) + random.standard_normal((20_000, 64))).astype(np.float32))
    asked = random.permutation(20_000)[:50]
    questions = of_unit_length(rows[asked] + 0.1 * random.standard_normal((50, 64)).astype(np.float32))
    folder = tmp_path_factory.mktemp("many")
    search = write_vectors(
        (rows[at : at + 3000] for at in range(0, 20_000, 3000)), dim=64, folder=folder, exact_rows=50
    )
    return Many(rows, questions, folder, search)


def recall(many: Many, *, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> float:
    """The share of the best k, over all questions, that a search finds."""
    found = open_vectors(many.folder, search=many.search).search(many.questions, k=k, allowed=allowed)
    shares = []
    for question, (numbers, scores) in zip(many.questions, found, strict=True):
        best = brute_force(many.rows, question, k, allowed)
        assert len(numbers) == len(set(numbers.tolist())) == len(best)
        assert (np.diff(scores) <= 0).all()
        np.testing.assert_allclose(scores, many.rows[numbers] @ question, atol=1e-5)
        assert allowed is None or allowed[numbers].all()
        shares.append(np.count_nonzero(scores >= best[-1] - 1e-6) / len(best))
    return float(np.mean(shares))


def test_what_was_measured_holds_for_other_questions(many: Many) -> None:
    assert [reach.depth for reach in many.search.reaches] == list(DEPTHS)
    for reach in many.search.reaches:
        assert reach.depth <= reach.candidates < len(many.rows)
        assert reach.recall >= LEAST_RECALL
        assert recall(many, k=reach.depth) >= LEAST_RECALL


@pytest.mark.parametrize("share", [0.5, 0.05, 0.001])
def test_a_filter_loses_nothing_however_few_it_lets_through(many: Many, share: float) -> None:
    allowed = np.random.default_rng(7).random(len(many.rows)) < share

    for k in DEPTHS:
        assert recall(many, k=k, allowed=allowed) >= LEAST_RECALL


def test_a_filter_that_shuts_out_all_that_is_near_still_finds_the_next(many: Many) -> None:
    many = replace(many, questions=many.questions[:1])
    allowed = many.rows @ many.questions[0] < 0

    assert recall(many, k=64, allowed=allowed) >= LEAST_RECALL


def test_as_few_as_are_compared_exactly_are_all_found(many: Many) -> None:
    allowed = np.zeros(len(many.rows), bool)
    allowed[::400] = True  # 50 rows

    assert recall(many, k=64, allowed=allowed) == 1


def test_more_than_there_are_gives_all_but_for_none(many: Many) -> None:
    index = open_vectors(many.folder, search=many.search)

    ((numbers, scores),) = index.search(many.questions[:1], k=30_000)

    assert sorted(numbers.tolist()) == list(range(20_000))
    np.testing.assert_allclose(scores, brute_force(many.rows, many.questions[0], 20_000), atol=1e-5)
    assert len(index.search(many.questions[:1], k=10, allowed=np.zeros(20_000, bool))[0][0]) == 0
    assert len(index) == 20_000
    np.testing.assert_array_equal(index.vectors(np.array([19_999, 3])), many.rows[[19_999, 3]])


def test_the_same_rows_make_the_same_files_and_figures(many: Many, tmp_path: Path) -> None:
    search = write_vectors([many.rows], dim=64, folder=tmp_path, exact_rows=50)

    assert search == many.search
    for name in (VECTORS_FILE, CODES_FILE):
        assert (tmp_path / name).read_bytes() == (many.folder / name).read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"not an index at all" * 20, "vectors", "other codes"])
def test_codes_that_are_none_of_these_rows_are_named(many: Many, tmp_path: Path, content: str | bytes | None) -> None:
    (tmp_path / VECTORS_FILE).write_bytes((many.folder / VECTORS_FILE).read_bytes())
    codes = tmp_path / CODES_FILE
    if content == "other codes":
        other = tmp_path / "other"
        other.mkdir()
        write_vectors([many.rows[:1000]], dim=64, folder=other, exact_rows=0)
        codes.write_bytes((other / CODES_FILE).read_bytes())
    elif content is not None:
        codes.write_bytes((many.folder / VECTORS_FILE).read_bytes() if isinstance(content, str) else content)

    with pytest.raises(IndexDamaged, match=CODES_FILE):
        open_vectors(tmp_path, search=many.search)


def test_rows_whose_codes_do_not_find_enough_are_searched_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.vectors.MOST_CANDIDATES", 64)

    search = write_vectors([unit_rows(2000)], dim=DIM, folder=tmp_path, exact_rows=0)

    assert search.fell_short
    assert not (tmp_path / CODES_FILE).exists()
    assert isinstance(open_vectors(tmp_path, search=search), FlatVectors)


def test_a_question_that_is_not_a_number_finds_rows_of_the_index_or_none(many: Many) -> None:
    question = np.full((1, 64), np.nan, np.float32)

    ((rows, scores),) = open_vectors(many.folder, search=many.search).search(question, k=10)

    assert len(rows) == len(scores)
    assert ((rows >= 0) & (rows < len(many.rows))).all()
