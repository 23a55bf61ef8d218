from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import EncoderFailed, HashingEncoder, TokenVectors
from indexer.encoder import Embedding
from search import Filters, Group, Mode, Query, Searcher
from search.question_memory import QuestionMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = [
    {"id": f"{n}", "title": f"Kapal {n}", "text": f"Kapal nomor {n} kandas. {'Warga menonton. ' * n}", "lang": "id"}
    for n in range(8)
]


def embedding(size: int = 10) -> Embedding:
    tokens = TokenVectors(np.zeros(1, np.int32), np.zeros((1, size), np.float32), np.zeros(1, np.int32))
    return Embedding(np.zeros((1, size), np.float32), [tokens])


SIZE = 2 * 4 + 2 * 10 * 4


def test_the_exact_text_is_remembered_and_no_other() -> None:
    memory, kept = QuestionMemory(), embedding()
    memory.keep("kapal", kept)

    assert memory.get("kapal") is kept
    assert memory.get("Kapal") is None
    assert memory.get("kapal ") is None


def test_the_question_that_was_used_longest_ago_is_forgotten_first() -> None:
    memory = QuestionMemory(questions=2)
    memory.keep("satu", embedding())
    memory.keep("dua", embedding())
    memory.get("satu")
    memory.keep("tiga", embedding())

    assert [memory.get(text) is not None for text in ("satu", "dua", "tiga")] == [True, False, True]
    assert len(memory) == 2


def test_its_bytes_are_bounded_and_counted() -> None:
    memory = QuestionMemory(max_bytes=3 * SIZE)
    for number in range(5):
        memory.keep(f"{number}", embedding())
        memory.keep(f"{number}", embedding())

    assert (len(memory), memory.size_bytes) == (3, 3 * SIZE)
    memory.keep("too large", embedding(1_000))
    assert (len(memory), memory.size_bytes) == (3, 3 * SIZE)
    memory.keep("large", embedding(20))
    assert memory.size_bytes == sum((2 * 4 + 2 * 20 * 4, SIZE))


def test_a_memory_of_no_questions_keeps_none() -> None:
    memory = QuestionMemory(questions=0)
    memory.keep("kapal", embedding())

    assert (memory.get("kapal"), memory.size_bytes) == (None, 0)


def test_what_is_kept_can_be_written_by_nobody() -> None:
    memory, kept = QuestionMemory(), embedding()
    memory.keep("kapal", kept)

    for array in (kept.vectors, kept.tokens[0].ids, kept.tokens[0].vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1


def test_it_does_not_tell_what_was_asked() -> None:
    memory = QuestionMemory()
    memory.keep("rahasia", embedding())

    assert "rahasia" not in f"{memory!r} {memory}"


def test_threads_may_share_it() -> None:
    memory = QuestionMemory(questions=10)

    def use(own: int) -> None:
        for number in range(2_000):
            memory.keep(f"{(own + number) % 25}", embedding())
            memory.get(f"{number % 25}")

    threads = [threading.Thread(target=use, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(memory), memory.size_bytes) == (10, 10 * SIZE)


class Counting(HashingEncoder):
    """Counts the questions that it is asked, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.fails = False

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        self.asked += texts
        if self.fails:
            raise EncoderFailed("out of order")
        return super().embed_queries(texts)


@pytest.fixture
def forgetful(make_searcher: Callable[..., Searcher]) -> Searcher:
    return make_searcher(*ROWS, encoder=Counting())


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def searcher(forgetful: Searcher, counting: Counting) -> Searcher:
    return Searcher(forgetful._generation, encoder=counting, memory=QuestionMemory())


QUERY = Query(text="kapal kandas", limit=2)
CHANGES = (
    {"offset": 2},
    {"offset": 4},
    {"group": Group.NONE},
    {"explain": True},
    {"mode": Mode.DENSE},
    {"text": "  KAPAL KANDAS"},
    {"filters": Filters(languages=frozenset({"id"}))},
    {"filters": Filters(published_from=date(2026, 1, 1))},
)


def test_other_pages_filters_and_modes_of_a_question_ask_the_model_no_more(
    searcher: Searcher, counting: Counting, forgetful: Searcher
) -> None:
    assert not searcher.search(QUERY).remembered
    for change in CHANGES:
        changed = replace(QUERY, **change)
        answer = searcher.search(changed)
        assert answer.remembered
        assert answer == forgetful.search(changed)

    assert counting.asked == ["kapal kandas"]
    assert not forgetful.search(QUERY).remembered


def test_a_search_by_words_alone_recalls_nothing(searcher: Searcher) -> None:
    searcher.search(QUERY)

    assert not searcher.search(replace(QUERY, mode=Mode.LEXICAL)).remembered


def test_a_failure_is_not_remembered_and_what_is_outlasts_it(searcher: Searcher, counting: Counting) -> None:
    searcher.search(QUERY)
    counting.fails = True
    assert searcher.search(QUERY).degraded is None
    assert searcher.search(replace(QUERY, text="feri")).degraded is not None
    counting.fails = False

    assert searcher.search(replace(QUERY, text="feri")).degraded is None
    assert counting.asked == ["kapal kandas", "feri", "feri"]
