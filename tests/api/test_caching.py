from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from api.live import Live

    from .conftest import FakeSearcher

ADDRESSES = ["/v1/search?q=kapal", "/v1/articles/kapal%2F1", "/v1/articles/tiga/similar", "/v1/index"]


def tag_of(client: TestClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.headers["etag"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_that_the_client_has_is_not_sent_again(client: TestClient, address: str) -> None:
    first = client.get(address)
    tag = first.headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})

    assert tag.startswith('W/"')
    assert again.status_code == 304
    assert again.content == b""
    assert "content-type" not in again.headers
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"
    assert again.headers["vary"] == "Accept-Encoding"
    assert again.headers["x-request-id"]


@pytest.mark.parametrize("address", ADDRESSES[:3:2])
def test_what_the_client_has_costs_no_search(client: TestClient, searcher: FakeSearcher, address: str) -> None:
    tag = tag_of(client, address)
    asked = len(searcher.queries)

    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert client.head(address, headers={"If-None-Match": tag}).status_code == 304
    assert len(searcher.queries) == asked


@pytest.mark.parametrize("shape", ['W/"x", {tag}', "{strong}", '"a,b" , {strong},W/"z"', "*", "  *  "])
@pytest.mark.parametrize("address", ADDRESSES)
def test_tags_come_in_lists_and_are_compared_weakly(client: TestClient, address: str, shape: str) -> None:
    tag = tag_of(client, address)
    sent = shape.format(tag=tag, strong=tag.removeprefix("W/"))

    assert client.get(address, headers={"If-None-Match": sent}).status_code == 304


@pytest.mark.parametrize("sent", ["", '""', 'W/"x"', "kapal", '"*"', "W/*"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_another_tag_is_answered_in_full(client: TestClient, address: str, sent: str) -> None:
    assert client.get(address, headers={"If-None-Match": sent}).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"), [("/v1/articles/absent", 404), ("/v1/articles/absent/similar", 404), ("/v1/search?q=", 422)]
)
def test_an_error_has_no_tag_and_is_kept_by_nobody(client: TestClient, address: str, status: int) -> None:
    response = client.get(address, headers={"If-None-Match": "*"})

    assert response.status_code == status
    assert "etag" not in response.headers
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("q=kapal", "q=++kapal+&limit=10&mode=hybrid&explain=false"),
        ("q=kapal&lang=id&lang=en", "lang=en&lang=id&lang=en&q=kapal"),
        ("q=kapal&source=B&source=A", "q=kapal&source=A&source=B"),
    ],
)
def test_the_same_question_written_another_way_has_the_same_tag(client: TestClient, one: str, other: str) -> None:
    assert tag_of(client, f"/v1/search?{one}") == tag_of(client, f"/v1/search?{other}")


def test_other_questions_and_things_have_other_tags(client: TestClient) -> None:
    addresses = [
        *ADDRESSES, "/v1/search?q=Kapal", "/v1/search?q=kapal&limit=9", "/v1/search?q=kapal&offset=1",
        "/v1/search?q=kapal&lang=id", "/v1/search?q=kapal&source=id", "/v1/search?q=kapal&from=2026-01-01",
        "/v1/search?q=kapal&to=2026-01-01", "/v1/search?q=kapal&mode=dense", "/v1/search?q=kapal&group=none",
        "/v1/search?q=kapal&explain=true", "/v1/articles/tiga", "/v1/articles/tiga/similar?limit=9",
    ]  # fmt: skip

    assert len({tag_of(client, address) for address in addresses}) == len(addresses)


def test_a_new_generation_has_new_tags(client: TestClient, searcher: FakeSearcher) -> None:
    before = {address: tag_of(client, address) for address in ADDRESSES}
    searcher.info = type(searcher.info)(generation="20260102T030406Z-bbbb")

    for address, tag in before.items():
        response = client.get(address, headers={"If-None-Match": tag})
        assert response.status_code == 200
        assert response.headers["etag"] != tag


def test_the_index_in_use_has_a_new_tag_when_a_newer_one_is_refused(client: TestClient, live: Live) -> None:
    before = tag_of(client, "/v1/index")
    live._read_current = lambda: None
    live.check()

    assert tag_of(client, "/v1/index") != before


def test_a_degraded_answer_has_no_tag(client: TestClient, searcher: FakeSearcher) -> None:
    whole = tag_of(client, "/v1/search?q=kapal")
    searcher.degraded = "words alone: the model does not answer"
    degraded = client.get("/v1/search?q=kapal")

    assert "etag" not in degraded.headers
    assert degraded.headers["cache-control"] == "no-store"
    # The whole answer that the client has is still the better one.
    assert client.get("/v1/search?q=kapal", headers={"If-None-Match": whole}).status_code == 304


def test_answers_to_a_post_have_no_tag(client: TestClient) -> None:
    assert "etag" not in client.post("/v1/search", json={"q": "kapal"}).headers
