from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import IndexDamaged
from indexer.lexical import LexicalIndex, write_lexical
from indexer.word_counts import count_words, words_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

TEXTS = ["kucing makan ikan di dapur", "the cat eats fish", "anjing tidur", "le chat mange", "!!!"]
LANGUAGES = np.array(["id", "en", "id", "fr", "en"])


def write(texts: list[str], *, languages: npt.NDArray[np.str_], folder: Path) -> None:
    passages = [words_of(text, language=language) for text, language in zip(texts, languages, strict=True)]
    write_lexical([count_words(passages)], languages=languages, folder=folder)


@pytest.fixture
def index(tmp_path: Path) -> LexicalIndex:
    write(TEXTS, languages=LANGUAGES, folder=tmp_path)
    return LexicalIndex(tmp_path, languages=LANGUAGES)


def test_a_share_is_bm25_over_the_most_that_the_question_could_get(index: LexicalIndex) -> None:
    # Two Indonesian passages, of 5 and 2 words, 3.5 on average. "kucing" is in one: idf = log(1 + 1.5 / 1.5).
    idf = math.log(2)
    weight = idf * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 5 / 3.5))

    assert index.shares("kucing").tolist() == pytest.approx([weight / idf, 0, 0, 0, 0], abs=1e-6)


def test_a_word_nobody_has_still_counts_as_unmatched(index: LexicalIndex) -> None:
    # "naga" is in neither Indonesian passage: idf = log(1 + 2.5 / .5).
    known, unknown = math.log(2), math.log(6)

    assert index.shares("kucing naga")[0] == pytest.approx(index.shares("kucing")[0] * known / (known + unknown))


def test_each_language_is_searched_with_its_own_words(index: LexicalIndex) -> None:
    assert np.flatnonzero(index.shares("cats")).tolist() == [1]
    assert np.flatnonzero(index.shares("chat")).tolist() == [3]
    assert np.flatnonzero(index.shares("ikannya")).tolist() == [0]


@pytest.mark.parametrize("question", ["", "!!!", "🙂", "zzz"])
def test_a_question_without_known_words_matches_nothing(index: LexicalIndex, question: str) -> None:
    assert not index.shares(question).any()


def test_shares_agree_with_bm25_written_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"kata{chr(97 + i)}{chr(97 + j)}" for i in range(6) for j in range(6)]
    texts = [" ".join(rng.choice(words, rng.integers(3, 30))) for _ in range(60)]
    languages = np.array(["other"] * 60)
    write(texts, languages=languages, folder=tmp_path)
    question = words[3:9]

    split = [text.split() for text in texts]
    mean = np.mean([len(text) for text in split])
    idf = {w: math.log(1 + (60 - (n := sum(w in t for t in split)) + 0.5) / (n + 0.5)) for w in question}
    expected = [
        sum(idf[w] * (f := t.count(w)) / (f + 1.2 * (1 - 0.75 + 0.75 * len(t) / mean)) for w in question)
        / sum(idf.values())
        for t in split
    ]

    np.testing.assert_allclose(
        LexicalIndex(tmp_path, languages=languages).shares(" ".join(question)), expected, rtol=1e-5
    )


def test_passages_without_any_word_can_be_indexed(tmp_path: Path) -> None:
    write(["!!!", "…"], languages=np.array(["id", "id"]), folder=tmp_path)

    assert not LexicalIndex(tmp_path, languages=np.array(["id", "id"])).shares("apa").any()


def test_the_same_passages_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(TEXTS, languages=LANGUAGES, folder=tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})

    assert contents[0] == contents[1]


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    write(TEXTS, languages=LANGUAGES, folder=tmp_path)
    (tmp_path / "lexical.id.vocabulary.json").unlink()

    with pytest.raises(IndexDamaged, match="cari verify"):
        LexicalIndex(tmp_path, languages=LANGUAGES)
