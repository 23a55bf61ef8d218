from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.app import create_app
from api.choosing import choose
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.live import Live

    from .conftest import FakeSearcher

FRIEND, STRANGER = "https://news.example", "https://other.example"


def asking(origin: str, *, method: str = "GET", headers: str = "x-api-key") -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


@pytest.fixture
def shared(live: Live) -> Iterator[TestClient]:
    """A service that the scripts of one other site may call."""
    with TestClient(create_app(live, settings=Settings(cors_origins=(FRIEND,)))) as opened:
        yield opened


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("header", ["authorization", "x-api-key", "content-type", "if-none-match", "x-request-id"])
def test_a_browser_that_asks_first_is_told_yes(shared: TestClient, method: str, header: str) -> None:
    response = shared.options("/v1/search", headers=asking(FRIEND, method=method, headers=header))

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert method in response.headers["access-control-allow-methods"]
    assert header in response.headers["access-control-allow-headers"].lower()
    assert "Origin" in response.headers["vary"]
    assert response.headers["x-request-id"]
    assert "access-control-allow-credentials" not in response.headers


def test_a_browser_with_another_sites_script_is_not(shared: TestClient) -> None:
    response = shared.options("/v1/search", headers=asking(STRANGER))

    assert response.status_code == 204
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("address", "status"), [("/v1/search?q=kapal", 200), ("/v1/search", 422), ("/nowhere", 404), ("/v1/index", 200)]
)
def test_answers_and_problems_can_be_read_by_that_site_alone(shared: TestClient, address: str, status: int) -> None:
    mine = shared.get(address, headers={"Origin": FRIEND})
    others = shared.get(address, headers={"Origin": STRANGER})
    plain = shared.get(address)

    assert mine.status_code == others.status_code == plain.status_code == status
    assert mine.headers["access-control-allow-origin"] == FRIEND
    assert set(mine.headers["access-control-expose-headers"].split(", ")) == {"ETag", "Retry-After", "X-Request-ID"}
    for response in (others, plain):
        assert "access-control-allow-origin" not in response.headers
    for response in (mine, others, plain):
        assert "Origin" in response.headers["vary"]


def test_what_the_outermost_layer_refuses_can_be_read_too(shared: TestClient, searcher: FakeSearcher) -> None:
    headers = {"Origin": FRIEND, "Content-Type": "application/json"}
    too_large = shared.post("/v1/search", content=b"a" * 70_000, headers=headers)
    searcher.failure = RuntimeError("inside")
    failed = shared.get("/v1/search?q=a", headers=headers)
    wrong_method = shared.delete("/v1/search", headers=headers)

    assert [one.status_code for one in (too_large, failed, wrong_method)] == [413, 500, 405]
    for response in (too_large, failed, wrong_method):
        assert response.headers["access-control-allow-origin"] == FRIEND


def test_an_unchanged_answer_can_be_read_too(shared: TestClient) -> None:
    tag = shared.get("/v1/index").headers["etag"]
    response = shared.get("/v1/index", headers={"Origin": FRIEND, "If-None-Match": tag})

    assert response.status_code == 304
    assert response.headers["access-control-allow-origin"] == FRIEND


def test_options_without_a_question_of_a_browser_names_the_methods(shared: TestClient) -> None:
    response = shared.options("/v1/search", headers={"Origin": FRIEND})

    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert response.headers["access-control-allow-origin"] == FRIEND


def test_every_site_may_be_let_in(live: Live) -> None:
    with TestClient(create_app(live, settings=Settings(cors_origins=("*",)))) as client:
        assert client.get("/v1/index", headers={"Origin": STRANGER}).headers["access-control-allow-origin"] == "*"
        assert client.options("/v1/index", headers=asking(STRANGER)).headers["access-control-allow-origin"] == "*"


def test_no_site_is_let_in_unless_it_is_named(client: TestClient) -> None:
    response = client.get("/v1/index", headers={"Origin": FRIEND})

    assert response.status_code == 200
    assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize("origin", ["https://news.example", "http://localhost:3000", "http://[::1]:8080", "*"])
def test_an_origin_as_a_browser_writes_it_is_a_setting(origin: str) -> None:
    chosen = choose(environment={"CARI_CORS_ORIGINS": f'["{origin}"]'})

    assert chosen.settings.cors_origins == (origin,)


@pytest.mark.parametrize(
    "origin", ["news.example", "https://news.example/", "https://News.example", "https://a.example/b", "null", ""]
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="without a path"):
        Settings(cors_origins=(origin,))
