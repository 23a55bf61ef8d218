from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Passage, TokenStore, TokenVectors
from indexer.encoder import unit_rows
from indexer.token_store import pack, unpack, write_tokens
from search.highlight import best_sentences
from search.late import Matches, match, rarity

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from indexer import Rows

DIM = 8
AXES = np.eye(DIM, dtype=np.float32)
NO_LANGUAGE = np.array(["und"])


def text(*axes: int, piece: int = 5_000) -> TokenVectors:
    """A text whose tokens point along these axes."""
    return pieces(np.full(len(axes), piece, np.int32), AXES[list(axes)])


def pieces(ids: npt.NDArray[np.int32], vectors: Rows) -> TokenVectors:
    return TokenVectors(ids, vectors, np.arange(len(ids), 0, -1, np.int32))


def store_of(folder: Path, *passages: TokenVectors) -> TokenStore:
    write_tokens([pack(passage) for passage in passages], folder=folder)
    return TokenStore(folder, dim=DIM)


def scores(question: TokenVectors, store: TokenStore) -> list[float]:
    rows = np.arange(len(store))
    found = match(question, rows, store=store, languages=np.repeat(NO_LANGUAGE, len(store)), offsets={})
    return found.scores().tolist()


def test_the_score_is_the_mean_of_each_question_tokens_best_cosine(tmp_path: Path) -> None:
    store = store_of(tmp_path, text(0, 1, 2), text(0, 4, 5), text(6, 7))

    assert scores(text(0, 1), store) == [1.0, 0.5, 0.0]


def test_a_rare_question_token_counts_more() -> None:
    # log(1 + 50 / 50) = .693 and log(1 + 5000 / 50) = 4.615, as the docstring says.
    np.testing.assert_allclose(rarity(np.array([0, 50, 5000], np.int32)), [0, 0.693147, 4.615121], rtol=1e-5)


def test_weights_of_a_question_sum_to_one(tmp_path: Path) -> None:
    question = pieces(np.array([50, 5000], np.int32), AXES[[0, 1]])
    store = store_of(tmp_path, text(0, 2, 2, 2))

    # Only the frequent token matches: .693 / (.693 + 4.615) = .13058.
    assert scores(question, store) == [pytest.approx(0.13058, abs=1e-5)]


def test_a_passage_without_tokens_scores_least(tmp_path: Path) -> None:
    store = store_of(tmp_path, text(), text(0))

    assert scores(text(0), store) == [-1.0, 1.0]


def test_removing_an_offset_equals_removing_it_from_every_vector(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = unit_rows(rng.standard_normal((5, DIM)).astype(np.float32))
    question = pieces(np.full(3, 900, np.int32), unit_rows(rng.standard_normal((3, DIM)).astype(np.float32)))
    store = store_of(tmp_path, pieces(np.full(5, 900, np.int32), vectors))
    offset = (AXES[0] * 0.2).astype(np.float32)

    found = match(question, np.array([0]), store=store, languages=np.array(["id"]), offsets={"id": offset})

    stored = unpack(store.tokens([0])[0])
    np.testing.assert_allclose(found.cosines, question.vectors @ unit_rows(stored - offset).T, atol=1e-6)


def test_only_the_rarest_tokens_of_a_very_long_question_are_compared(tmp_path: Path) -> None:
    ids = np.arange(1, 2001, dtype=np.int32)
    question = pieces(ids, AXES[ids % DIM])
    store = store_of(tmp_path, text(0, 1, 2))

    found = match(question, np.array([0]), store=store, languages=NO_LANGUAGE, offsets={})

    assert found.cosines.shape == (64, 3)


def test_a_part_of_the_passages_matches_as_it_did_among_all(tmp_path: Path) -> None:
    store = store_of(tmp_path, text(0, 1, 2), text(), text(6, 0, 7, 1))
    all_three = match(text(0, 1), np.arange(3), store=store, languages=np.repeat(NO_LANGUAGE, 3), offsets={})

    part = all_three.of(np.array([2, 1]))

    assert part.rows.tolist() == [2, 1]
    assert (part.bounds.tolist(), part.to_end.tolist()) == ([0, 4, 4], [4, 3, 2, 1])
    assert part.cosines.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    assert part.scores().tolist() == [1.0, -1.0]
    assert all_three.have(np.array([2, 0]))
    assert not all_three.have(np.array([2, 3]))


def passage(body: str) -> Passage:
    return Passage("a#0", "a", body, 0, len(body))


def marked(*given: tuple[str, dict[str, float]]) -> list[str]:
    """The sentences marked in passages, "" for none.

    Args:
        given: A passage's text, and the cosine of a question of one token with each piece, which begins where it is
            found, with the space before it. A piece that is not found is one of the title.
    """
    cosines = [cosine for _, pieces in given for cosine in pieces.values()]
    to_end = [len(body) - (body.find(piece) if piece in body else -2) for body, pieces in given for piece in pieces]
    found = best_sentences(
        [passage(body) for body, _ in given],
        Matches(
            np.arange(len(given)),
            np.array([cosines], np.float32),
            np.array([1.0], np.float32),
            np.cumsum([0, *(len(pieces) for _, pieces in given)]),
            np.array(to_end, np.uint16),
        ),
    )
    assert {mark.kind for marks in found for mark in marks} <= {"sentence"}
    return [
        "".join(body[mark.start : mark.end] for mark in marks) for (body, _), marks in zip(given, found, strict=True)
    ]


def test_the_sentence_of_the_best_matching_token_is_marked() -> None:
    body = "Hujan turun deras. Jembatan itu roboh. Warga mengungsi."

    assert marked((body, {"Hujan": 0.1, " roboh": 0.9, " mengungsi": 0.2})) == ["Jembatan itu roboh."]


def test_a_piece_that_begins_with_the_space_between_two_sentences_belongs_to_the_second() -> None:
    assert marked(("Hujan turun. Jembatan roboh.", {" turun": 0.5, " Jembatan": 0.9})) == ["Jembatan roboh."]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Mengapa roboh? Jembatan itu tua. Warga mengungsi.", "Jembatan itu tua."),
        ("Mengapa roboh? Siapa lewat? Apa kata warga?", "Mengapa roboh?"),
    ],
)
def test_a_sentence_that_asks_is_marked_only_where_all_do(body: str, expected: str) -> None:
    _, _, _, second, *_, third = body.split()

    assert marked((body, {" roboh": 0.9, f" {second}": 0.5, f" {third}": 0.2})) == [expected]


def test_tokens_of_the_title_mark_nothing() -> None:
    body = "Hujan turun deras. Jembatan itu roboh."

    assert marked((body, {"Banjir": 0.99, " turun": 0.1, " roboh": 0.5})) == ["Jembatan itu roboh."]


@pytest.mark.parametrize("body", ["Hanya satu kalimat.", ""])
def test_a_passage_of_one_sentence_has_no_mark(body: str) -> None:
    assert marked((body, {"Hanya": 0.9})) == [""]


def test_passages_of_a_page_are_marked_each_by_its_own_tokens() -> None:
    one = ("Hujan turun. Jembatan roboh.", {" turun": 0.2, " roboh": 0.8})
    none = ("Tanpa token. Sama sekali.", {})
    of_a_title = ("Warga mengungsi. Air surut.", {"Banjir": 1.0})
    other = ("Kapal kandas. Awak selamat.", {"Kapal": 0.9, " selamat": 0.3})

    assert marked(one, none, of_a_title, other) == ["Jembatan roboh.", "", "", "Kapal kandas."]
    assert marked(none) == [""]
