from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import Passage, TokenStore, TokenVectors
from indexer.encoder import unit_rows
from indexer.token_store import pack, unpack, write_tokens
from search.highlight import best_sentence
from search.late import Matches, match, rarity

if TYPE_CHECKING:
    from pathlib import Path

DIM = 8
AXES = np.eye(DIM, dtype=np.float32)
NO_LANGUAGE = np.array(["und"])


def text(*axes: int, piece: int = 5_000) -> TokenVectors:
    """A text whose tokens point along these axes."""
    return TokenVectors(np.full(len(axes), piece, np.int32), AXES[list(axes)])


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
    question = TokenVectors(np.array([50, 5000], np.int32), AXES[[0, 1]])
    store = store_of(tmp_path, text(0, 2, 2, 2))

    # Only the frequent token matches: .693 / (.693 + 4.615) = .13058.
    assert scores(question, store) == [pytest.approx(0.13058, abs=1e-5)]


def test_a_passage_without_tokens_scores_least(tmp_path: Path) -> None:
    store = store_of(tmp_path, text(), text(0))

    assert scores(text(0), store) == [-1.0, 1.0]


def test_removing_an_offset_equals_removing_it_from_every_vector(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = unit_rows(rng.standard_normal((5, DIM)).astype(np.float32))
    question = TokenVectors(np.full(3, 900, np.int32), unit_rows(rng.standard_normal((3, DIM)).astype(np.float32)))
    store = store_of(tmp_path, TokenVectors(np.full(5, 900, np.int32), vectors))
    offset = (AXES[0] * 0.2).astype(np.float32)

    found = match(question, np.array([0]), store=store, languages=np.array(["id"]), offsets={"id": offset})

    stored = unpack(store.tokens([0])[0])
    np.testing.assert_allclose(found.cosines, question.vectors @ unit_rows(stored - offset).T, atol=1e-6)


def test_only_the_rarest_tokens_of_a_very_long_question_are_compared(tmp_path: Path) -> None:
    ids = np.arange(1, 2001, dtype=np.int32)
    question = TokenVectors(ids, AXES[ids % DIM])
    store = store_of(tmp_path, text(0, 1, 2))

    found = match(question, np.array([0]), store=store, languages=NO_LANGUAGE, offsets={})

    assert found.cosines.shape == (64, 3)


def passage(body: str) -> Passage:
    return Passage("a#0", "a", body, 0, len(body))


def matches(cosines: list[float], places: list[int]) -> Matches:
    return Matches(
        np.array([cosines], np.float32),
        np.array([1.0], np.float32),
        np.array([0, len(places)]),
        np.array(places, np.uint16),
    )


def test_the_sentence_of_the_best_matching_token_is_marked() -> None:
    body = "Hujan turun deras. Jembatan itu roboh. Warga mengungsi."
    starts = np.array([0, 6, 12, 19, 28, 32, 39, 45], np.int32)

    (mark,) = best_sentence(passage(body), matches([0.1, 0.9, 0.2], [1, 5, 7]), token_starts=starts, title_length=0)

    assert (body[mark.start : mark.end], mark.kind) == ("Jembatan itu roboh.", "sentence")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Mengapa roboh? Jembatan itu tua. Warga mengungsi.", "Jembatan itu tua."),
        ("Mengapa roboh? Siapa lewat? Apa kata warga?", "Mengapa roboh?"),
    ],
)
def test_a_sentence_that_asks_is_marked_only_where_all_do(body: str, expected: str) -> None:
    starts = np.array([0, 8, 15, 24, 33, 39], np.int32)

    (mark,) = best_sentence(passage(body), matches([0.9, 0.5, 0.2], [1, 2, 5]), token_starts=starts, title_length=0)

    assert body[mark.start : mark.end] == expected


def test_tokens_of_the_title_mark_nothing() -> None:
    body = "Hujan turun deras. Jembatan itu roboh."
    title = "Banjir\n"
    starts = np.array([0, 7, 13, 19, 26, 35, 39], np.int32)

    (mark,) = best_sentence(
        passage(body), matches([0.99, 0.1, 0.5], [0, 2, 5]), token_starts=starts, title_length=len(title)
    )

    assert body[mark.start : mark.end] == "Jembatan itu roboh."


@pytest.mark.parametrize("body", ["Hanya satu kalimat.", ""])
def test_a_passage_of_one_sentence_has_no_mark(body: str) -> None:
    starts = np.array([0], np.int32)

    assert best_sentence(passage(body), matches([0.9], [0]), token_starts=starts, title_length=0) == ()
