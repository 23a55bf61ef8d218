# Results that come without a full page: what is on the screen is always the answer to what was asked last.

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from corpus import Article
    from search import Answer, Query

    from ..conftest import FakeSearcher

# Colours do not depend on the language, so each is tried in one.
COLOURS = {"id": "dark", "en": "light"}


@pytest.fixture
def hold(searcher: FakeSearcher, address: str) -> Iterator[dict[str, threading.Event]]:  # noqa: ARG001 - it stops after
    """Questions that are not answered before their event is set, which is when the server at the address stops."""
    held: dict[str, threading.Event] = {}
    answer = searcher.search

    def search(query: Query) -> Answer:
        if query.text in held:
            held[query.text].wait(10)
        return answer(query)

    searcher.search = search
    yield held
    for event in held.values():
        event.set()


@pytest.fixture
def loaded(open_tab: Callable[..., Page]) -> Callable[..., Page]:
    """A tab that tells a full page load from a part replaced: its window keeps a mark."""

    def opened(path: str = "/?q=kapal", **how: object) -> Page:
        tab = open_tab(path, **how)
        tab.evaluate("window.same = true")
        return tab

    return opened


def ask(tab: Page, question: str) -> None:
    tab.get_by_role("searchbox").fill(question)
    tab.keyboard.press("Enter")


def summary(tab: Page, question: str) -> None:
    tab.locator("#summary", has_text=question).wait_for()


def test_a_question_is_answered_without_a_full_page(loaded: Callable[..., Page]) -> None:
    tab = loaded("/")
    ask(tab, "laut surut?")
    summary(tab, "laut surut?")

    assert tab.evaluate("window.same")
    assert tab.url.endswith("/?q=laut+surut%3F")
    assert tab.title() == "laut surut? · Cari"
    assert tab.locator("body").get_attribute("class") == "answering"
    assert tab.get_by_role("searchbox").input_value() == "laut surut?"
    assert tab.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize(("language", "count"), [("id", "3 artikel untuk “laut?”"), ("en", "3 articles for “laut?”")])
def test_the_count_is_announced(language: str, count: str, loaded: Callable[..., Page]) -> None:
    tab = loaded("/?q=kapal", language=language)
    assert tab.get_by_role("status").inner_text() == ""
    ask(tab, "laut?")
    summary(tab, "laut?")

    assert tab.get_by_role("status").inner_text().replace('"', "").replace("“", "").replace("”", "") == count.replace(
        "“", ""
    ).replace("”", "")


def test_a_filter_keeps_the_focus_that_chose_it(loaded: Callable[..., Page]) -> None:
    tab = loaded()
    tab.get_by_role("link", name="Indonesian 2").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=kapal&lang=id")
    tab.get_by_role("heading", name="2 articles for").wait_for()

    assert tab.evaluate("window.same")
    assert tab.evaluate("document.activeElement.closest('.facet') !== null")


def test_dates_are_submitted_with_the_question_and_blank_ones_are_not(loaded: Callable[..., Page]) -> None:
    tab = loaded()
    tab.get_by_label("From").fill("2026-02-01")
    tab.get_by_role("button", name="Apply").click()
    tab.wait_for_url("**/?q=kapal&from=2026-02-01")


def test_a_late_answer_never_replaces_a_newer_one(
    hold: dict[str, threading.Event], loaded: Callable[..., Page]
) -> None:
    hold["lama"] = threading.Event()
    tab = loaded()
    # Without the abort, so that the late answer really comes.
    tab.evaluate("AbortController.prototype.abort = () => {}")
    ask(tab, "lama")
    ask(tab, "baru")
    summary(tab, "baru")
    with tab.expect_response("**/?q=lama") as late:
        hold["lama"].set()
    late.value.finished()
    tab.wait_for_timeout(100)

    assert "baru" in tab.locator("#summary").inner_text()
    assert tab.url.endswith("/?q=baru")


def test_a_question_that_was_overtaken_is_aborted_and_leaves_no_trace_in_the_history(
    hold: dict[str, threading.Event], loaded: Callable[..., Page]
) -> None:
    hold["lama"] = threading.Event()
    tab = loaded()
    ask(tab, "lama")
    with tab.expect_event("requestfailed", lambda request: request.url.endswith("/?q=lama")):
        ask(tab, "baru")
    summary(tab, "baru")
    tab.go_back()
    summary(tab, "kapal")


@pytest.mark.parametrize(("language", "said"), [("id", "Mencari jawaban…"), ("en", "Looking for answers…")])
def test_a_skeleton_stands_in_for_an_answer_that_takes_long(
    language: str,
    said: str,
    hold: dict[str, threading.Event],
    loaded: Callable[..., Page],
    violations: Callable[..., list[str]],
) -> None:
    hold["lama"] = threading.Event()
    tab = loaded("/?q=kapal", language=language)
    ask(tab, "lama")
    tab.locator(".skeleton").wait_for()

    assert tab.locator("main").get_attribute("aria-busy") == "true"
    assert tab.get_by_role("status").inner_text() == said
    assert violations(tab, colours=COLOURS[language]) == []
    hold["lama"].set()
    summary(tab, "lama")
    assert tab.locator(".skeleton").count() == 0
    assert tab.locator("main").get_attribute("aria-busy") is None


@pytest.mark.parametrize(("motion", "animation"), [("reduce", "none"), ("no-preference", "breathe")])
def test_nothing_moves_for_those_who_asked_for_that(
    motion: str, animation: str, hold: dict[str, threading.Event], loaded: Callable[..., Page]
) -> None:
    hold["lama"] = threading.Event()
    tab = loaded(reduced_motion=motion)
    ask(tab, "lama")
    tab.locator(".skeleton").wait_for()

    assert tab.locator(".bone").first.evaluate("bone => getComputedStyle(bone).animationName") == animation
    assert tab.locator("html").evaluate("root => getComputedStyle(root).scrollBehavior") == (
        "auto" if motion == "reduce" else "smooth"
    )


def test_what_is_typed_while_an_answer_comes_is_kept(
    hold: dict[str, threading.Event], loaded: Callable[..., Page]
) -> None:
    hold["lama"] = threading.Event()
    tab = loaded()
    ask(tab, "lama")
    tab.keyboard.type(" sekali")
    hold["lama"].set()
    summary(tab, "lama")

    assert tab.get_by_role("searchbox").input_value() == "lama sekali"
    assert tab.evaluate("document.activeElement.id") == "q"


def test_back_and_forward_restore_question_hits_and_place(
    searcher: FakeSearcher, make_article: Callable[..., Article], loaded: Callable[..., Page]
) -> None:
    searcher.articles = tuple(make_article(id=str(at), title=f"Kapal {at}") for at in range(30))
    tab = loaded("/?q=kapal&limit=30", viewport={"width": 800, "height": 600})
    tab.evaluate("scrollTo(0, 2500)")
    tab.keyboard.press("/")
    tab.evaluate("scrollTo(0, 2500)")
    tab.keyboard.type("laut")
    tab.evaluate("scrollTo(0, 2500)")
    tab.keyboard.press("Enter")
    summary(tab, "laut")
    assert tab.evaluate("scrollY") == 0

    tab.go_back()
    summary(tab, "kapal")
    assert tab.evaluate("scrollY") == 2_500
    assert tab.get_by_role("searchbox").input_value() == "kapal"
    tab.go_forward()
    summary(tab, "laut")
    assert tab.evaluate("window.same")
    assert tab.evaluate("scrollY") == 0


def test_back_from_an_article_finds_the_results_where_they_were_left(
    searcher: FakeSearcher, make_article: Callable[..., Article], loaded: Callable[..., Page]
) -> None:
    searcher.articles = tuple(make_article(id=str(at), title=f"Kapal {at}") for at in range(30))
    tab = loaded("/?q=kapal&limit=30", viewport={"width": 800, "height": 600})
    tab.get_by_role("link", name="Kapal 20").click()
    tab.wait_for_url("**/articles/20?**")
    tab.go_back()
    summary(tab, "kapal")
    tab.wait_for_function("scrollY > 1000")


@pytest.mark.parametrize(
    ("language", "said", "again"), [("id", "Tidak tersambung", "Coba lagi"), ("en", "No connection", "Try again")]
)
def test_without_a_network_the_page_says_so_and_tries_again_when_asked(
    language: str,
    said: str,
    again: str,
    loaded: Callable[..., Page],
    violations: Callable[..., list[str]],
) -> None:
    tab = loaded("/?q=kapal", language=language, expected="ERR_")
    tab.route("**/?q=laut", lambda route: route.abort())
    ask(tab, "laut")
    tab.get_by_role("alert").get_by_text(said, exact=True).wait_for()
    assert tab.url.endswith("/?q=laut")
    assert tab.get_by_role("searchbox").input_value() == "laut"
    assert violations(tab, colours=COLOURS[language]) == []
    tab.unroute("**/?q=laut")
    tab.get_by_role("link", name=again).click()
    summary(tab, "laut")


def test_an_answer_that_is_no_page_shows_the_request_id_and_a_way_on(loaded: Callable[..., Page]) -> None:
    tab = loaded("/?q=kapal", expected="status of 502")
    tab.route(
        "**/?q=laut", lambda route: route.fulfill(status=502, body="Bad gateway", headers={"X-Request-ID": "abc-1"})
    )
    ask(tab, "laut")

    assert "abc-1" in tab.get_by_role("alert").inner_text()


def test_a_failure_shows_its_request_id_in_place_and_can_be_tried_again(
    searcher: FakeSearcher, loaded: Callable[..., Page]
) -> None:
    tab = loaded("/?q=kapal", expected="status of 500")
    searcher.failure = RuntimeError("inside")
    with tab.expect_response("**/?q=laut") as failed:
        ask(tab, "laut")
    tab.get_by_text(failed.value.headers["x-request-id"]).wait_for()
    assert tab.evaluate("window.same")
    searcher.failure = None
    tab.get_by_role("link", name="Try again").click()
    summary(tab, "laut")


@pytest.mark.parametrize(
    ("language", "said", "promise"),
    [
        ("id", "Sebentar, sedang disiapkan", "Mencoba lagi dalam 1 detik"),
        ("en", "One moment, getting ready", "Trying again in 1 second"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_service_that_is_loading_is_asked_again_when_it_said(  # noqa: PLR0917 - cases and fixtures
    whole: bool,  # noqa: FBT001 - a case
    language: str,
    said: str,
    promise: str,
    searcher: FakeSearcher,
    loaded: Callable[..., Page],
    violations: Callable[..., list[str]],
) -> None:
    busy = HTTPException(503, headers={"Retry-After": "1"})
    searcher.failure = busy if whole else None
    tab = loaded("/?q=kapal", language=language, expected="status of 503")
    searcher.failure = busy
    if not whole:
        ask(tab, "laut")
    tab.get_by_role("heading", name=said).wait_for()
    assert promise in tab.get_by_role("alert").inner_text()
    assert violations(tab, colours=COLOURS[language]) == []
    searcher.failure = None
    summary(tab, "kapal" if whole else "laut")
    assert tab.evaluate("window.same")


def test_a_service_asked_too_often_says_so(searcher: FakeSearcher, open_tab: Callable[..., Page]) -> None:
    searcher.failure = HTTPException(429, headers={"Retry-After": "30"})
    tab = open_tab("/?q=kapal", expected="status of 429")

    assert "Too many questions at once" in tab.get_by_role("alert").inner_text()
    assert "Trying again in 30 seconds." in tab.get_by_role("alert").inner_text()
