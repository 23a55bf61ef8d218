from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

BROWSER = {"accept": "text/html", "accept-language": "en"}


def test_similar_articles_have_the_shape_of_search_hits(client: TestClient) -> None:
    answer = client.get("/v1/articles/kapal/1/similar").json()

    assert set(answer) == {
        "request_id", "took_ms", "index", "article", "total", "same_story", "offset", "limit", "hits", "facets",
    }  # fmt: skip
    assert answer["article"]["id"] == "kapal/1"
    assert "text" not in answer["article"]
    assert [hit["article"]["id"] for hit in answer["hits"]] == ["tiga", "a #50%?"]
    assert (answer["total"], answer["same_story"]) == (2, 1)
    assert set(answer["hits"][0]) == set(client.get("/v1/search?q=kapal").json()["hits"][0])


def test_pages_and_filters_of_similar_articles(client: TestClient) -> None:
    second = client.get("/v1/articles/kapal%2F1/similar?limit=1&offset=1").json()
    filtered = client.get("/v1/articles/kapal/1/similar?lang=id&from=2026-01-31").json()

    assert [hit["article"]["id"] for hit in second["hits"]] == ["a #50%?"]
    assert [hit["article"]["id"] for hit in filtered["hits"]] == ["tiga"]


def test_an_unknown_article_has_no_similar_ones(client: TestClient) -> None:
    response = client.get("/v1/articles/absent/similar")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/no-such-article"


@pytest.mark.parametrize(
    ("address", "field"),
    [("limit=0", "limit"), ("offset=1000", "offset"), ("to=2026-02-30", "to"), ("q=kapal", "q"), ("lang=x", "lang")],
)
def test_similar_articles_refuse_what_a_search_refuses(client: TestClient, address: str, field: str) -> None:
    response = client.get(f"/v1/articles/kapal/1/similar?{address}")

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_similar_articles_are_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]["/v1/articles/{id}/similar"]["get"]

    assert [one["name"] for one in described["parameters"]] == [
        "id", "limit", "offset", "lang", "source", "from", "to", "If-None-Match",
    ]  # fmt: skip
    assert set(described["responses"]) == {"200", "304", "401", "404", "421", "422", "429", "500", "503"}


def test_a_page_lists_similar_articles_in_both_interfaces(client: TestClient) -> None:
    html = client.get("/articles/kapal%2F1/similar", headers=BROWSER).text

    assert "Articles like" in html
    assert html.index("Pelabuhan dibuka") < html.index("Same story") < html.index("stranded. The tide fell.</a>")
    assert (
        'href="/articles/a%20%2350%25%3F/similar" title="2 other articles tell the same story">+2 similar</a>' in html
    )
    assert "Berita yang sama" in client.get("/articles/kapal%2F1/similar?ui=id", headers=BROWSER).text


def test_the_page_of_similar_articles_keeps_question_and_filters(client: TestClient) -> None:
    html = client.get("/articles/kapal%2F1/similar?q=kapal&lang=id&limit=1", headers=BROWSER).text

    assert 'href="/articles/kapal%2F1?q=kapal&amp;lang=id">← Back to the article' in html
    assert 'name="q" type="search" value="kapal"' in html


def test_an_article_links_to_the_similar_ones(client: TestClient) -> None:
    assert (
        'href="/articles/tiga/similar?q=kapal">Similar articles</a>'
        in client.get("/articles/tiga?q=kapal", headers=BROWSER).text
    )


def test_the_page_of_an_unknown_article_does_not_exist(client: TestClient) -> None:
    response = client.get("/articles/absent/similar", headers=BROWSER)

    assert response.status_code == 404
    assert "This page does not exist" in response.text
