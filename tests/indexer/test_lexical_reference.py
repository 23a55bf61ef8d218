# The lexical index against BM25 written here from its formula, over real text when it is there.

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import TYPE_CHECKING

import bm25s
import numpy as np
import pytest

from indexer import lexical
from indexer.lexical import LexicalIndex, write_lexical
from indexer.terms import asked_terms, terms
from indexer.word_counts import count_words, words_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

K1, B = 1.2, 0.75
PASSAGES = 500


class NaiveBM25:
    """Counts in dictionaries, a sum for each passage; nothing shared with the index but its terms."""

    def __init__(self, texts: list[str], *, language: str) -> None:
        self.language = language
        self.counts = [Counter(term.stem for term in terms(text, language=language)) for text in texts]
        self.lengths = [sum(counts.values()) for counts in self.counts]
        self.mean_length = sum(self.lengths) / len(texts)

    def inverse_frequency(self, stem: str) -> float:
        having = sum(stem in counts for counts in self.counts)
        return math.log(1 + (len(self.counts) - having + 0.5) / (having + 0.5))

    def scores(self, question: str) -> list[float]:
        stems = dict.fromkeys(term.stem for term in asked_terms(question, language=self.language))
        weights = {stem: self.inverse_frequency(stem) for stem in stems}
        found = []
        for counts, length in zip(self.counts, self.lengths, strict=True):
            norm = K1 * (1 - B + B * length / self.mean_length)
            found.append(sum(weight * counts[stem] / (counts[stem] + norm) for stem, weight in weights.items()))
        most = sum(weights.values())
        return [score / most for score in found] if most else found


def write(texts: list[str], *, language: str, folder: Path) -> None:
    parts = [texts[: len(texts) // 3], texts[len(texts) // 3 :]]
    counted = [count_words(words_of(text, language=language) for text in part) for part in parts]
    write_lexical(counted, languages=np.array([language] * len(texts)), folder=folder)


def agree(texts: list[str], questions: list[str], *, language: str, folder: Path) -> None:
    languages = np.array([language] * len(texts))
    write(texts, language=language, folder=folder)
    index, naive = LexicalIndex(folder, languages=languages), NaiveBM25(texts, language=language)
    for question in questions:
        np.testing.assert_allclose(index.shares(question), naive.scores(question), atol=1e-5, err_msg=question)


@pytest.mark.parametrize(("folder", "language"), [("facqa", "id"), ("xquad-mt/id-id", "id"), ("xquad-mt/en-en", "en")])
def test_scores_agree_with_a_naive_bm25_on_real_passages(
    tmp_path: Path, shared: Callable[[str], Path], folder: str, language: str
) -> None:
    files = (shared(f"eval/{folder}") / name for name in ("corpus.jsonl", "queries.jsonl"))
    texts, questions = (
        [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()] for path in files
    )
    assert len(texts) > PASSAGES

    agree(texts[:PASSAGES], questions[:: len(questions) // 40], language=language, folder=tmp_path)


@pytest.mark.parametrize("language", ["id", "en", "other"])
def test_scores_agree_with_a_naive_bm25_on_random_words(tmp_path: Path, language: str) -> None:
    rng = random.Random(0)  # noqa: S311 - texts, not secrets
    words = [left + right for left in ("ba", "ku", "ra", "mem") for right in ("baca", "jual", "runs", "42", "kan")]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 60))) for _ in range(PASSAGES)]
    questions = [" ".join(rng.choices([*words, "unheard"], k=rng.randint(1, 12))) for _ in range(20)]

    agree(texts, questions, language=language, folder=tmp_path)


def test_a_word_asked_twice_counts_once(tmp_path: Path) -> None:
    languages = np.array(["id", "id"])
    write(["kapal feri", "bus kota"], language="id", folder=tmp_path)
    index = LexicalIndex(tmp_path, languages=languages)

    assert index.shares("feri " * 500).tolist() == index.shares("feri").tolist()


def test_the_files_are_the_engines_own_to_the_last_bit(tmp_path: Path, sample_sentences: dict[str, list[str]]) -> None:
    texts = [(text, language) for language, some in sample_sentences.items() for text in some]
    random.Random(0).shuffle(texts)  # noqa: S311 - to be repeated
    languages = np.array([language for _, language in texts])
    passages = [words_of(text, language=language) for text, language in texts]
    parts = [passages[:7], passages[7:8], [], passages[8:]]
    ours, engines = tmp_path / "ours", tmp_path / "engines"
    ours.mkdir()
    write_lexical([count_words(part) for part in parts], languages=languages, folder=ours)

    for language in ("id", "en"):
        vocabulary: dict[str, int] = {}
        ids = [
            [vocabulary.setdefault(term.stem, len(vocabulary)) for term in terms(text, language=language)]
            for text, of in texts
            if of == language
        ]
        index = bm25s.BM25(k1=K1, b=B, method="lucene")
        index.index((ids, vocabulary), create_empty_token=False, show_progress=False)
        index.save(engines, **lexical._names(language), show_progress=False)

    assert {path.name: path.read_bytes() for path in ours.iterdir()} == {
        path.name: path.read_bytes() for path in engines.iterdir()
    }
