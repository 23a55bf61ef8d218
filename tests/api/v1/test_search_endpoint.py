from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from search import Filters, Group, Mode, Query

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from ..conftest import FakeSearcher


def test_an_answer_has_exactly_the_fields_of_the_contract(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "kapal"}).json()

    assert set(answer) == {
        "request_id", "took_ms", "index", "query", "total", "offset", "limit", "answerable", "degraded",
        "hits", "facets",
    }  # fmt: skip
    assert set(answer["index"]) == {"generation", "model", "built_at"}
    assert set(answer["query"]) == {"text", "language", "language_confidence", "truncated"}
    assert set(answer["facets"]) == {"language", "source", "month"}
    hit = answer["hits"][0]
    assert set(hit) == {"rank", "score", "scores", "passage", "highlights", "article", "similar_count"}
    assert set(hit["passage"]) == {"id", "text", "start", "end"}
    assert set(hit["article"]) == {"id", "title", "url", "source", "author", "published", "language"}
    assert hit["scores"] == {"dense": 0.89, "lexical": None, "late": None}
    assert answer["answerable"] is True
    assert hit["article"]["published"] == "2026-01-08"


@pytest.mark.parametrize("asked", ["q=kapal", "q=kapal&explain=false"])
def test_a_hit_is_explained_only_when_that_is_asked_for(client: TestClient, asked: str) -> None:
    plain = client.get(f"/v1/search?{asked}").json()["hits"]
    explained = client.get("/v1/search?q=kapal&explain=true").json()["hits"]
    by_body = client.post("/v1/search", json={"q": "kapal", "explain": True}).json()["hits"]

    assert all("explanation" not in hit for hit in plain)
    assert explained == by_body
    assert {key: value for key, value in explained[0].items() if key != "explanation"} == plain[0]
    assert explained[0]["explanation"] == {
        "language": "id",
        "dense": {"cosine": 0.89, "rank": 1},
        "lexical": {"share": 0.5, "rank": None, "words": [{"text": "kapal", "weight": 2.5, "count": 1}]},
        "late": {
            "score": 0.8,
            "counted": True,
            "pairs": [{"question": "kapal", "passage": "kapal", "cosine": 0.8, "weight": 1.0}],
        },
        "lifted": 0,
    }


def test_offsets_count_code_points_of_the_article(client: TestClient) -> None:
    hit = client.get("/v1/search", params={"q": "kapal"}).json()["hits"][0]
    article = client.get("/v1/articles/kapal/1").json()["article"]

    passage = hit["passage"]
    assert "🌊" in passage["text"]
    assert article["text"][passage["start"] : passage["end"]] == passage["text"]


def test_every_parameter_reaches_the_search(client: TestClient, searcher: FakeSearcher) -> None:
    client.get(
        "/v1/search?q=+kapal+&limit=7&offset=3&lang=id&lang=en&source=A,+B&source=C&from=2026-01-01"
        "&to=2026-01-31&mode=dense&group=none&explain=true"
    ).raise_for_status()

    assert searcher.queries[-1] == Query(
        text="kapal",
        limit=7,
        offset=3,
        mode=Mode.DENSE,
        group=Group.NONE,
        filters=Filters(
            languages=frozenset({"id", "en"}),
            sources=frozenset({"A, B", "C"}),
            published_from=date(2026, 1, 1),
            published_to=date(2026, 1, 31),
        ),
        explain=True,
    )


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("q=kapal", {"q": "kapal"}),
        ("q=kapal&lang=id", {"q": "kapal", "lang": "id"}),
        ("q=kapal&lang=id&lang=en", {"q": "kapal", "lang": ["id", "en"]}),
        ("q=kapal&source=Harian+Muara&limit=1", {"q": "kapal", "source": "Harian Muara", "limit": 1}),
        ("q=kapal&limit=2.0&offset=0.00", {"q": "kapal", "limit": 2.0, "offset": 0}),
        ("q=kapal&from=2026-01-31", {"q": "kapal", "from": "2026-01-31", "to": None}),
        ("q=kapal&explain=false&group=none", {"q": "kapal", "explain": False, "group": "none"}),
    ],
)  # fmt: skip
def test_get_and_post_give_the_same_answer(client: TestClient, address: str, body: dict[str, object]) -> None:
    by_address = client.get(f"/v1/search?{address}").json()
    by_body = client.post("/v1/search", json=body).json()

    for answer in (by_address, by_body):
        del answer["request_id"], answer["took_ms"]
    assert by_address == by_body
    assert by_address["hits"]


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("", {}),
        ("q=+", {"q": " "}),
        ("q=a&limit=0", {"q": "a", "limit": 0}),
        ("q=a&limit=ten", {"q": "a", "limit": "ten"}),
        ("q=a&from=2026-02-30", {"q": "a", "from": "2026-02-30"}),
        ("q=a&from=2026-02-02&to=2026-02-01", {"q": "a", "from": "2026-02-02", "to": "2026-02-01"}),
        ("q=a&sourc=b", {"q": "a", "sourc": "b"}),
    ],
)
def test_get_and_post_refuse_alike(client: TestClient, address: str, body: dict[str, object]) -> None:
    by_address = client.get(f"/v1/search?{address}")
    by_body = client.post("/v1/search", json=body)

    assert (by_address.status_code, by_body.status_code) == (422, 422)
    assert by_address.json()["errors"] == by_body.json()["errors"]


def test_a_page_past_the_end_is_empty_and_keeps_the_total(client: TestClient) -> None:
    answer = client.get("/v1/search?q=kapal&offset=900").json()

    assert answer["hits"] == []
    assert answer["total"] == 3


def test_facets_count_the_filtered_matches(client: TestClient) -> None:
    facets = client.get("/v1/search?q=kapal&lang=id").json()["facets"]

    assert facets == {
        "language": {"id": 2},
        "source": {"Harian Muara": 2},
        "month": {"2026-01": 1, "2026-02": 1},
    }


def test_a_question_of_ten_thousand_characters_is_answered(client: TestClient) -> None:
    answer = client.post("/v1/search", json={"q": "kata " * 1_999}).json()

    assert answer["query"]["truncated"] is True


def test_an_article_is_found_whatever_its_id_holds(client: TestClient) -> None:
    answer = client.get("/v1/articles/a%20%2350%25%3F").json()

    assert answer["article"]["id"] == "a #50%?"
    assert [passage["id"] for passage in answer["passages"]] == ["a #50%?#0"]
    for passage in answer["passages"]:
        assert answer["article"]["text"][passage["start"] : passage["end"]] == passage["text"]


def test_an_encoded_slash_in_an_article_id_is_a_slash(client: TestClient) -> None:
    assert client.get("/v1/articles/kapal%2F1").json() | {"request_id": ""} == client.get(
        "/v1/articles/kapal/1"
    ).json() | {"request_id": ""}


def test_the_index_endpoint_says_what_is_served(client: TestClient, searcher: FakeSearcher) -> None:
    assert client.get("/v1/index").json() == {
        "generation": searcher.info.generation,
        "model": "fake",
        "built_at": "2026-01-02T03:04:05Z",
        "articles": 3,
        "passages": 3,
        "languages": {"id": 2, "en": 1},
        "reload_error": None,
    }


def test_health_endpoints_answer(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
