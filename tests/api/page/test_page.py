from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from search import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.settings import Settings
    from corpus import Article

    from ..conftest import FakeSearcher

BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-language": "en"}


def page(client: TestClient, address: str, *, status: int = 200, language: str = "en") -> str:
    response = client.get(address, headers=BROWSER | {"accept-language": language})
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


def test_the_first_visit_says_what_this_is_and_offers_questions(client: TestClient) -> None:
    html = page(client, "/")

    assert "Ask the news a question" in html
    assert 'href="/?q=Why+was+it+stranded%3F"' in html
    assert 'href="/?q=Mengapa+kapal+kandas%3F"' in html


@pytest.mark.parametrize("address", ["/?q=", "/?q=%20%20", "/?q=&lang=&from=&utm_source=x"])
def test_a_blank_question_is_a_first_visit(client: TestClient, address: str) -> None:
    assert "Try asking" in page(client, address)


def test_results_show_the_hit_with_its_sentence_and_terms_marked(client: TestClient) -> None:
    html = page(client, "/?q=kapal&lang=id")

    assert "<mark>Sebuah k<strong>apal </strong>kandas.</mark> Air surut" in html
    assert 'href="/articles/kapal%2F1?q=kapal&amp;lang=id&amp;passage=kapal%2F1%230#passage"' in html
    assert '<a class="out" href="https://example.org/kapal" rel="noopener noreferrer">' in html
    assert '<p class="passage" lang="id">' in html
    assert "8 January 2026" in html


def test_what_articles_hold_never_becomes_markup(client: TestClient) -> None:
    html = page(client, "/?q=<script>alert(2)</script>&lang=en")

    assert html.count("<script") == 1
    assert "javascript:" not in html
    assert "The &#34;Harbour&#34; &lt;b&gt;Post&lt;/b&gt;" in html


def test_a_hit_without_a_title_is_headed_by_its_first_words(client: TestClient) -> None:
    assert "A ship &amp; its crew were stranded. The tide fell.</a></h2>" in page(client, "/?q=ship&lang=en")


def test_a_hit_in_the_other_language_stands_out(client: TestClient) -> None:
    assert '<span class="chip chip-foreign">Indonesian</span>' in page(client, "/?q=kapal")
    assert '<span class="chip chip-foreign">Inggris</span>' in page(client, "/?q=kapal", language="id")


def test_facets_link_to_the_filtered_page_and_back(client: TestClient) -> None:
    html = page(client, "/?q=kapal&limit=5&offset=1")
    assert 'href="/?q=kapal&amp;limit=5&amp;lang=id"' in html

    filtered = page(client, "/?q=kapal&lang=id")
    assert 'href="/?q=kapal" aria-current="true">Indonesian' in filtered
    assert '<input type="hidden" name="lang" value="id">' in filtered


def test_rarer_sources_are_folded_but_there(
    client: TestClient, searcher: FakeSearcher, make_article: Callable[..., Article]
) -> None:
    searcher.articles = tuple(make_article(id=str(at), source=f"Harian {at:02}") for at in range(20))
    html = page(client, "/?q=kapal", language="id")

    assert html.index("Harian 07") < html.index("<summary>12 lainnya</summary>") < html.index("Harian 08")
    assert 'id="source-20"' in html


def test_months_are_chosen_and_let_go(client: TestClient) -> None:
    html = page(client, "/?q=kapal&offset=1")
    assert 'href="/?q=kapal&amp;from=2026-02-01&amp;to=2026-02-28">February 2026' in html

    narrowed = page(client, "/?q=kapal&from=2026-02-01&to=2026-02-28", language="id")
    assert 'href="/?q=kapal" aria-current="true">Februari 2026' in narrowed


def test_more_than_a_year_of_months_is_chosen_by_year(
    client: TestClient, searcher: FakeSearcher, make_article: Callable[..., Article]
) -> None:
    searcher.articles = tuple(
        make_article(id=f"{at}", published=date(2025 + at // 12, at % 12 + 1, 9)) for at in range(14)
    )
    html = page(client, "/?q=kapal")

    assert 'href="/?q=kapal&amp;from=2025-01-01&amp;to=2025-12-31">2025\n<span class="count">12</span>' in html


def test_paging_keeps_the_question_and_its_filters(client: TestClient) -> None:
    html = page(client, "/?q=kapal&limit=1&offset=1")

    assert 'rel="prev" href="/?q=kapal&amp;limit=1"' in html
    assert 'rel="next" href="/?q=kapal&amp;limit=1&amp;offset=2"' in html
    assert "2–2 of 3" in html


def test_nothing_found_is_said_so(client: TestClient) -> None:
    html = page(client, "/?q=kapal&source=Nobody")

    assert "Nothing matches" in html
    assert "Clear all filters" in html


def test_a_page_past_the_end_says_so_and_leads_to_the_first(client: TestClient) -> None:
    html = page(client, "/?q=kapal&offset=500")

    assert "past the end" in html
    assert '<a class="button" href="/?q=kapal">To the first page</a>' in html


def test_where_nothing_answers_the_nearest_misses_are_shown_as_such(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.best_score = 0.05
    html = page(client, "/?q=kapal")

    assert "There seems to be no answer here" in html
    assert html.index("Nearest misses") < html.index('<ol class="hits misses" start="1">')
    assert '<ol class="hits" ' not in html


def test_hits_that_hardly_answer_stand_apart_below_those_that_do(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.best_score = 0.215
    html = page(client, "/?q=kapal")

    assert "There seems to be no answer" not in html
    assert html.index('<ol class="hits" start="1">') < html.index("Less likely to answer")
    assert '<ol class="hits misses" start="2">' in html


def test_relevance_says_what_it_means_to_those_who_do_not_see_the_bar(client: TestClient) -> None:
    html = page(client, "/?q=kapal")

    assert 'role="meter" tabindex="0" aria-label="Relevance" aria-valuemin="0" aria-valuemax="100"' in html
    assert 'aria-valuetext="89%, the probability that this passage answers the question"' in html


def test_a_hit_leads_to_the_other_passages_of_its_article_that_answer(client: TestClient) -> None:
    html = page(client, "/?q=kapal&lang=id")

    assert 'passage=kapal%2F1%230#matches">1 more from this article</a>' in html
    assert html.count("more from this article") == 1


def test_an_answer_by_words_alone_says_so_in_the_language_of_the_reader(
    client: TestClient, searcher: FakeSearcher
) -> None:
    searcher.degraded = "the encoder failed"

    assert "match words only" in page(client, "/?q=kapal")
    assert "hanya mencocokkan kata" in page(client, "/?q=kapal", language="id")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/?q=a&from=2026-02-02&to=2026-01-01", "the last day is before the first"),
        ("/?q=a&from=soon", "a date must be written"),
        ("/?q=a%00", "NUL"),
        ("/?q=%ff", "UTF-8"),
        ("/?q=" + "a" * 10_001, "too long"),
        ("/?q=a&limit=" + "9" * 5_000, "valid integer"),
    ],
)
def test_what_needs_correcting_is_named_on_the_page(client: TestClient, address: str, said: str) -> None:
    assert said in page(client, address, status=422)


def test_what_search_refuses_is_shown_on_the_page(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.failure = BadQuery("no lexical evidence")

    assert "no lexical evidence" in page(client, "/?q=a&mode=lexical", status=422)


def test_a_failure_shows_the_request_id(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.failure = RuntimeError("inside")
    response = client.get("/?q=a", headers=BROWSER)

    assert response.status_code == 500
    assert response.headers["x-request-id"] in response.text
    assert "inside" not in response.text


def test_a_missing_page_is_a_page_for_a_browser(client: TestClient) -> None:
    assert "This page does not exist" in page(client, "/articles/nobody", status=404)
    assert "Halaman ini tidak ada" in page(client, "/nowhere", status=404, language="id")


def test_an_article_page_marks_the_passage_and_leads_back(client: TestClient) -> None:
    html = page(client, "/articles/kapal%2F1?q=kapal&lang=id&passage=kapal%2F1%231")

    assert '<p id="passage"><mark>Warga menonton dari tepi.</mark></p>' in html
    assert '<a href="/?q=kapal&amp;lang=id">' in html


def test_an_article_page_lists_its_passages_that_answer_the_question(
    client: TestClient, searcher: FakeSearcher
) -> None:
    html = page(client, "/articles/kapal%2F1?q=kapal&passage=kapal%2F1%231")

    matches = re.findall(r'<li><a href="([^"]+)"( aria-current="true")?><span lang="id">', html)
    assert [bool(shown) for _, shown in matches] == [False, True]
    assert matches[0][0] == "/articles/kapal%2F1?q=kapal&amp;passage=kapal%2F1%230#passage"
    assert searcher.queries[-1].filters.article == "kapal/1"


@pytest.mark.parametrize("address", ["/articles/kapal%2F1", "/articles/a%20%2350%25%3F?q=ship"])
def test_an_article_page_lists_no_passages_without_a_question_or_a_choice(client: TestClient, address: str) -> None:
    assert 'id="matches"' not in page(client, address)


def test_an_article_can_be_read_though_its_question_cannot_be_searched(
    client: TestClient, searcher: FakeSearcher
) -> None:
    searcher.failure = BadQuery("no")

    assert "Warga menonton" in page(client, "/articles/kapal%2F1?q=kapal")


def test_an_article_page_without_a_passage_marks_nothing(client: TestClient) -> None:
    assert "<mark>" not in page(client, "/articles/a%20%2350%25%3F")


def test_choosing_an_interface_is_remembered(client: TestClient) -> None:
    response = client.get("/?ui=id", headers=BROWSER)

    assert '<html lang="id">' in response.text
    assert "cari_ui=id" in response.headers["set-cookie"]
    assert '<html lang="id">' in page(client, "/")


def test_switching_the_interface_keeps_the_question(client: TestClient) -> None:
    assert 'href="/?q=kapal&amp;lang=id&amp;ui=id"' in page(client, "/?q=kapal&lang=id")


@pytest.mark.parametrize("address", ["/", "/?q=kapal", "/articles/tiga", "/nowhere", "/?q=a&from=x"])
def test_no_page_asks_another_host_or_holds_an_inline_script_or_style(client: TestClient, address: str) -> None:
    html = client.get(address, headers=BROWSER).text

    loaded = re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="([^"]+)"', html)
    assert loaded
    assert all(one.startswith("/static/") for one in loaded)
    assert re.findall(r"<script[^>]*>[^<]*", html) == ['<script src="/static/search.js" defer>']
    assert " style=" not in html
    assert not re.search(r"<[^>]* on\w+=", html)
    for asset in loaded:
        assert client.get(asset).status_code == 200


def test_an_article_id_from_hell_is_linked_so_that_it_opens(
    client: TestClient, searcher: FakeSearcher, make_article: Callable[..., Article]
) -> None:
    searcher.articles = (make_article(id='x/../"&?#50% ;=+é'),)
    path = re.search(r'<h2 class="hit-title" lang="id"><a href="([^"]+)"', page(client, "/?q=a"))

    assert path is not None
    assert "Kapal kandas di muara" in page(client, path[1].replace("&amp;", "&"))


@pytest.mark.parametrize("address", ["/?q=kapal", "/articles/kapal/1?q=kapal"])
def test_a_page_is_of_one_generation_however_soon_it_is_replaced(
    searcher: FakeSearcher, make_searcher: type[FakeSearcher], settings: Settings, address: str
) -> None:
    newest = [searcher]
    live = Live(lambda: newest[0], read_current=lambda: newest[0].info.generation)
    newer = make_searcher(articles=(), generation="20260102T030406Z-bbbb")
    newer.info = replace(newer.info, articles=77)

    def replacing(ask: Callable[[object], object]) -> Callable[[object], object]:
        def ask_and_replace(asked: object) -> object:
            newest[0] = newer
            live.check()
            return ask(asked)

        return ask_and_replace

    searcher.search, searcher.article = replacing(searcher.search), replacing(searcher.article)
    with TestClient(create_app(live, settings=settings)) as client:
        shown = page(client, address)
    assert live.searcher is newer
    assert [query.text for query in newer.queries if query.text == "kapal"] == []
    assert "77 articles" not in shown
