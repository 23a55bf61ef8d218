from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from api.errors import ApiError
from api.page import Examples
from api.page.examples import in_reading_order
from search import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from corpus import Article

    from ..conftest import FakeSearcher


class Opening:
    """A `Live` whose index is not open yet when it is looked at first."""

    def __init__(self, searcher: FakeSearcher) -> None:
        self._searcher = searcher
        self.refused = 0
        self.done = threading.Event()

    @property
    def searcher(self) -> FakeSearcher:
        if not self.refused:
            self.refused += 1
            raise ApiError("not yet")
        self.done.set()
        return self._searcher


def drawn(examples: Examples, searcher: FakeSearcher) -> Mapping[str, tuple[str, ...]]:
    """What the examples are once the thread that draws them is done."""
    examples.of(searcher)
    for thread in threading.enumerate():
        if thread.name == "cari-examples":
            thread.join(5)
    return examples.of(searcher)


def test_examples_are_drawn_from_the_index_once(searcher: FakeSearcher, make_article: Callable[..., Article]) -> None:
    searcher.articles = (make_article(title="Mengapa kapal kandas di muara?"),)
    examples = Examples({})

    assert drawn(examples, searcher) == {"id": ("Mengapa kapal kandas di muara?",)}
    asked = len(searcher.queries)
    drawn(examples, searcher)
    assert len(searcher.queries) == asked


def test_the_first_examples_are_drawn_before_anybody_visits_as_soon_as_the_index_is_open(
    searcher: FakeSearcher, make_article: Callable[..., Article]
) -> None:
    searcher.articles = (make_article(title="Mengapa kapal kandas di muara?"),)
    examples = Examples({})
    opening = Opening(searcher)
    examples.start(opening)
    opening.done.wait(5)
    deadline = time.monotonic() + 5
    while not examples.of(searcher) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert examples.of(searcher) == {"id": ("Mengapa kapal kandas di muara?",)}
    assert opening.refused == 1


def test_a_process_that_ends_waits_for_the_thread_that_draws(searcher: FakeSearcher) -> None:
    threads: list[threading.Thread] = []
    drawing = threading.Event()

    def drawn_from(**_: object) -> tuple[Article, ...]:
        threads.append(threading.current_thread())
        drawing.set()
        return ()

    searcher.drawn = drawn_from
    opening = Opening(searcher)
    opening.refused = 1
    Examples({}).start(opening)

    assert drawing.wait(5)
    assert [thread.daemon for thread in threads] == [False]


def test_what_the_operator_chose_is_shown_and_nothing_is_drawn(searcher: FakeSearcher) -> None:
    assert drawn(Examples({"en": ["Why?"], "id": []}), searcher) == {"en": ("Why?",)}
    assert searcher.queries == []


def test_a_new_generation_has_its_own_examples_and_shows_the_old_ones_until_they_are_drawn(
    searcher: FakeSearcher, make_searcher: type[FakeSearcher], make_article: Callable[..., Article]
) -> None:
    searcher.articles = (make_article(title="Mengapa kapal kandas di muara?"),)
    new = make_searcher(articles=(make_article(title="Siapa yang membuka pelabuhan?"),), generation="new")
    examples = Examples({})
    old = drawn(examples, searcher)
    go_on, answer = threading.Event(), new.search

    def slow(query: object) -> object:
        go_on.wait(5)
        return answer(query)

    new.search = slow
    began = time.monotonic()
    assert examples.of(new) == old
    assert time.monotonic() - began < 1
    go_on.set()
    assert drawn(examples, new) == {"id": ("Siapa yang membuka pelabuhan?",)}


def test_an_index_that_cannot_be_drawn_from_is_a_line_in_the_log(
    searcher: FakeSearcher, make_article: Callable[..., Article], caplog: pytest.LogCaptureFixture
) -> None:
    searcher.articles = (make_article(title="Mengapa kapal kandas di muara?"),)
    searcher.failure = BadQuery("no")

    assert drawn(Examples({}), searcher) == {}
    assert "no example questions" in caplog.text


def test_examples_in_the_language_of_the_reader_come_first() -> None:
    questions = {"en": ("a", "b"), "id": ("c",)}

    assert in_reading_order(questions, interface="id") == (("id", "c"), ("en", "a"), ("en", "b"))
    assert in_reading_order(questions, interface="en") == (("en", "a"), ("en", "b"), ("id", "c"))
