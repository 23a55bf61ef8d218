# Every state of every page, in both languages: it says what it is, axe-core finds nothing, nothing sticks out.

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from ..conftest import FakeSearcher

STATES = {
    "first visit": ("/", "Coba tanyakan", "Try asking"),
    "results": ("/?q=kapal", "3 artikel untuk", "3 articles for"),
    "no answer": ("/?q=kapal&limit=2", "Sepertinya tidak ada jawaban", "There seems to be no answer"),
    "some answers": ("/?q=kapal&limit=3", "Kurang mungkin menjawab", "Less likely to answer"),
    "nothing found": ("/?q=kapal&source=Nobody", "Tidak ada yang cocok", "Nothing matches"),
    "past the end": ("/?q=kapal&offset=500", "melewati akhir hasil", "past the end"),
    "degraded": ("/?q=kapal&lang=id", "hanya mencocokkan kata", "match words only"),
    "to correct": ("/?q=kapal&from=soon", "Ada yang perlu diperbaiki", "Something needs correcting"),
    "refused": ("/?q=kapal&mode=lexical", "no words", "no words"),
    "error": ("/?q=kapal&mode=dense", "Kode permintaan", "Request id"),
    "article": ("/articles/kapal%2F1?q=kapal&passage=kapal%2F1%231", "Untuk pertanyaan Anda", "For your question"),
    "similar": ("/articles/kapal%2F1/similar", "Artikel serupa dengan", "Articles like"),
    "missing": ("/nowhere", "Halaman ini tidak ada", "This page does not exist"),
}
SETUPS = {
    "no answer": {"best_score": 0.06},
    "some answers": {"best_score": 0.215},
    "degraded": {"degraded": "the encoder failed"},
    "refused": {"failure": BadQuery("no words")},
    "error": {"failure": RuntimeError("inside")},
}


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_it_is_and_can_be_used_by_everyone(
    state: str,
    language: str,
    searcher: FakeSearcher,
    open_tab: Callable[..., Page],
    violations: Callable[..., list[str]],
) -> None:
    for name, value in SETUPS.get(state, {}).items():
        setattr(searcher, name, value)
    path, *said = STATES[state]
    tab = open_tab(path, language=language, expected="status of")

    assert said[language == "en"] in tab.locator("main").inner_text()
    assert tab.locator("html").get_attribute("lang") == language
    # Colours do not depend on the language, so each is tried in one.
    assert violations(tab, colours={"id": "dark", "en": "light"}[language]) == []
    for width in (360, 768, 1_280, 1_440, 2_000):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_hits_are_in_the_language_they_are_said_to_be_in(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal")

    for part in (".hit-title", ".passage"):
        assert tab.locator(part).evaluate_all("all => all.map(one => one.lang)") == ["id", "en", "id"]
    assert tab.locator(".chip-foreign").all_inner_texts() == ["Indonesian", "Indonesian"]


def test_the_meaning_of_relevance_shows_on_hover_and_on_focus(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal", language="id")
    meter, tip = tab.get_by_role("meter").first, tab.locator(".tip").first

    assert not tip.is_visible()
    meter.hover()
    assert tip.is_visible()
    tab.mouse.move(0, 0)
    assert not tip.is_visible()
    meter.focus()
    assert "kemungkinan bagian ini menjawab" in tip.inner_text()


def test_the_passage_of_an_article_is_marked_and_in_sight(
    searcher: FakeSearcher, make_article: Callable[..., object], open_tab: Callable[..., Page]
) -> None:
    long = "Pembuka.\n\n" + "\n\n".join(f"Alinea {at} tentang laut." for at in range(80))
    searcher.articles = (make_article(text=long),)
    tab = open_tab("/articles/kapal%2F1?q=laut&passage=kapal%2F1%231#passage")

    assert tab.locator("mark").first.inner_text() == "Alinea 0 tentang laut."
    assert 0 <= tab.locator("#passage").bounding_box()["y"] <= 800


def test_the_interface_chosen_is_remembered_and_keeps_the_question(open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal&lang=id")
    tab.get_by_role("link", name="Bahasa Indonesia").click()
    tab.get_by_role("heading", name="2 artikel untuk").wait_for()
    assert tab.get_by_role("searchbox", name="Pertanyaan").input_value() == "kapal"

    tab.get_by_role("link", name="Cari", exact=True).click()

    tab.get_by_role("heading", name="Bertanya pada berita").wait_for()
    assert tab.locator("html").get_attribute("lang") == "id"


@pytest.mark.parametrize("width", [360, 1_280])
def test_what_can_be_focused_comes_in_the_order_it_is_read(width: int, open_tab: Callable[..., Page]) -> None:
    tab = open_tab("/?q=kapal&lang=en", viewport={"width": width, "height": 800})
    seen = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate("document.activeElement.closest('.skip, header, aside, .results, footer')?.className"))
    order = [name for at, name in enumerate(seen) if name and (at == 0 or seen[at - 1] != name)]

    assert order[:5] == ["skip", "top", "filters", "results", "foot"]
