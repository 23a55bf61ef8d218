from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from search import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

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

    assert "<script" not in html
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


def test_paging_keeps_the_question_and_its_filters(client: TestClient) -> None:
    html = page(client, "/?q=kapal&limit=1&offset=1")

    assert 'rel="prev" href="/?q=kapal&amp;limit=1"' in html
    assert 'rel="next" href="/?q=kapal&amp;limit=1&amp;offset=2"' in html
    assert "2–2 of 3" in html


def test_nothing_found_is_said_so(client: TestClient) -> None:
    html = page(client, "/?q=kapal&source=Nobody")

    assert "Nothing matches" in html
    assert "Clear all filters" in html


def test_a_page_past_the_end_says_so(client: TestClient) -> None:
    assert "past the end" in page(client, "/?q=kapal&offset=500")


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
def test_no_page_asks_another_host_or_holds_a_script_or_inline_style(client: TestClient, address: str) -> None:
    html = client.get(address, headers=BROWSER).text

    loaded = re.findall(r'<(?:link|script|img)[^>]*(?:href|src)="([^"]+)"', html)
    assert loaded
    assert all(one.startswith("/static/") for one in loaded)
    assert "<script" not in html
    assert " style=" not in html
    for asset in loaded:
        assert client.get(asset).status_code == 200


def test_an_article_id_from_hell_is_linked_so_that_it_opens(
    client: TestClient, searcher: FakeSearcher, make_article: Callable[..., Article]
) -> None:
    searcher.articles = (make_article(id='x/../"&?#50% ;=+é'),)
    path = re.search(r'<h2 lang="id"><a href="([^"]+)"', page(client, "/?q=a"))

    assert path is not None
    assert "Kapal kandas di muara" in page(client, path[1].replace("&amp;", "&"))
