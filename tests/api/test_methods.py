from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from .conftest import FakeSearcher

GETTABLE = [
    "/v1/search?q=kapal", "/v1/articles/kapal%2F1", "/v1/articles/kapal%2F1/similar", "/v1/index", "/livez", "/readyz",
    "/openapi.json", "/docs", "/docs/swagger-ui.css", "/problems/not-found", "/", "/articles/tiga",
    "/articles/tiga/similar", "/static/style.css",
]  # fmt: skip
OWN = {"x-request-id", "content-length"}  # of a body that holds the request's id and time


@pytest.mark.parametrize("accept_encoding", ["identity", "gzip"])
@pytest.mark.parametrize("address", [*GETTABLE, "/v1/search", "/v1/articles/absent", "/nowhere"])
def test_head_is_get_without_the_body(client: TestClient, address: str, accept_encoding: str) -> None:
    headers = {"X-Request-ID": "same", "Accept-Encoding": accept_encoding}
    got = client.get(address, headers=headers)
    head = client.head(address, headers=headers)

    assert head.status_code == got.status_code
    assert head.content == b""
    assert {name: value for name, value in head.headers.items() if name not in OWN} == {
        name: value for name, value in got.headers.items() if name not in OWN
    }
    if "took_ms" not in got.text:
        assert head.headers["content-length"] == got.headers["content-length"]


def test_head_of_what_only_takes_a_body_is_refused(client: TestClient) -> None:
    response = client.head("/v1/search/batch")

    assert response.status_code == 405
    assert response.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/search", "GET, HEAD, OPTIONS, POST"),
        ("/v1/search/batch", "OPTIONS, POST"),
        *((address.partition("?")[0], "GET, HEAD, OPTIONS") for address in GETTABLE[1:]),
    ],
)
def test_options_names_what_a_path_answers(client: TestClient, path: str, allowed: str) -> None:
    response = client.options(path)

    assert response.status_code == 204
    assert response.headers["allow"] == allowed
    assert response.content == b""
    assert response.headers["x-request-id"]
    assert "access-control-allow-origin" not in response.headers


def test_options_of_nothing_is_not_found(client: TestClient) -> None:
    response = client.options("/nowhere")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "QUERY", "BREW"])
@pytest.mark.parametrize("path", ["/v1/search", "/v1/index", "/static/style.css", "/"])
def test_any_other_method_is_refused_with_those_that_are_allowed(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)

    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"] == client.options(path).headers["allow"]
    assert response.json()["type"] == "/problems/method-not-allowed"


def test_a_failure_answers_head_without_a_body(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.failure = RuntimeError("inside")
    response = client.head("/v1/search?q=a")

    assert response.status_code == 500
    assert response.content == b""
