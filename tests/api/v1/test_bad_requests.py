from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from search import BadQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.live import Live
    from api.settings import Settings

    from ..conftest import FakeSearcher

JSON = {"content-type": "application/json"}

BAD_ADDRESSES = {
    "no question": ("", "q"),
    "blank question": ("q=%20%09", "q"),
    "NUL in the question": ("q=a%00b", "q"),
    "NUL in a source": ("q=a&source=%00", "source"),
    "not UTF-8": ("q=%ff%fe", None),
    "broken percent-encoding": ("q=100%25%zz", None),
    "half a percent-encoding": ("q=a&source=%2", None),
    "encoded lone surrogate": ("q=%ed%a0%80", None),
    "60 kB question": ("q=" + "a" * 60_000, "q"),
    "10,001 characters": ("q=" + "a" * 10_001, "q"),
    "10,001 characters with the blanks": ("q=" + "+" * 10_000 + "a", "q"),
    "giant integer": ("q=a&limit=" + "9" * 5_000, "limit"),
    "negative": ("q=a&offset=-1", "offset"),
    "limit over 100": ("q=a&limit=101", "limit"),
    "fraction": ("q=a&limit=1.5", "limit"),
    "NaN": ("q=a&limit=NaN", "limit"),
    "empty number": ("q=a&limit=", "limit"),
    "Arabic-Indic digits": ("q=a&limit=%D9%A1", "limit"),
    "past the reach": ("q=a&limit=100&offset=901", "offset"),
    "repeated": ("q=a&q=b", "q"),
    "unknown": ("q=a&langauge=id", "langauge"),
    "unknown with NUL": ("q=a&%00=1", "\x00"),
    "upper-case language": ("q=a&lang=ID", "lang"),
    "languages in one": ("q=a&lang=id,en", "lang"),
    "timestamp for a date": ("q=a&from=1700000000", "from"),
    "date in words": ("q=a&to=yesterday", "to"),
    "day that is not": ("q=a&to=2026-02-30", "to"),
    "dates crossed": ("q=a&from=2026-02-02&to=2026-02-01", "to"),
    "unknown mode": ("q=a&mode=magic", "mode"),
    "unknown group": ("q=a&group=source", "group"),
    "not a truth value": ("q=a&explain=yes", "explain"),
    "too many languages": ("q=a" + "&lang=id" * 21, "lang"),
    "too many parameters": ("q=a" + "&lang=id" * 200, None),
}

BAD_BODIES = {
    "empty": (b"", 400, None),
    "half a string": (b'{"q": "a', 400, None),
    "not UTF-8": (b'{"q": "\xff"}', 400, None),
    "UTF-16": ('{"q": "a"}'.encode("utf-16"), 400, None),
    "NaN": (b'{"q": "a", "limit": NaN}', 400, None),
    "Infinity": (b'{"q": "a", "limit": -Infinity}', 400, None),
    "two values": (b'{"q": "a"} {}', 400, None),
    "nested too deeply": (b"[" * 30_000, 400, None),
    "integer of 5,000 digits": (b'{"q": "a", "limit": ' + b"9" * 5_000 + b"}", 400, None),
    "integer of 400 digits": (b'{"q": "a", "offset": 1' + b"0" * 400 + b"}", 422, "offset"),
    "integer of 100 digits": (b'{"q": "a", "limit": ' + b"9" * 100 + b"}", 422, "limit"),
    "float out of range": (b'{"q": "a", "limit": 1e999}', 422, "limit"),
    "lone surrogate": (b'{"q": "\\ud800"}', 422, "q"),
    "lone surrogate in a name": (b'{"q": "a", "\\ud800": 1}', 422, "body"),
    "lone surrogate in a source": (b'{"q": "a", "source": ["\\udfff"]}', 422, "source"),
    "lone surrogate in a date": (b'{"q": "a", "from": "\\udfff"}', 422, "from"),
    "NUL": (b'{"q": "a\\u0000"}', 422, "q"),
    "a list": (b'["q"]', 422, "body"),
    "a string": (b'"q"', 422, "body"),
    "null": (b"null", 422, "body"),
    "a number for the question": (b'{"q": 1}', 422, "q"),
    "a number in quotes": (b'{"q": "a", "limit": "5"}', 422, "limit"),
    "true for a number": (b'{"q": "a", "limit": true}', 422, "limit"),
    "a fraction": (b'{"q": "a", "limit": 5.5}', 422, "limit"),
    "an object for a list": (b'{"q": "a", "lang": {"id": 1}}', 422, "lang"),
    "null in a list": (b'{"q": "a", "lang": [null]}', 422, "lang"),
    "a number for a date": (b'{"q": "a", "from": 20260101}', 422, "from"),
    "repeated": (b'{"q": "a", "q": "b"}', 422, "q"),
    "repeated further in": (b'{"q": {"a": 1, "a": 2}}', 422, "q"),
    "nested in an unknown one": (b'{"q": "a", "x": ' + b"[" * 800 + b"]" * 800 + b"}", 422, "x"),
    "unknown": (b'{"q": "a", "ofset": 1}', 422, "ofset"),
    "Python's name for from": (b'{"q": "a", "published_from": "2026-01-01"}', 422, "published_from"),
}


def check_problem(response, *, status: int, field: str | None) -> None:  # noqa: ANN001 - of the test client
    problem = response.json()
    assert response.status_code == status == problem["status"]
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert len(response.content) < 5_000
    if field is not None:
        assert [one["field"] for one in problem["errors"]] == [field]
        assert problem["errors"][0]["reason"]


@pytest.mark.parametrize(("address", "field"), BAD_ADDRESSES.values(), ids=BAD_ADDRESSES)
def test_a_bad_address_is_refused_with_a_reason(client: TestClient, address: str, field: str | None) -> None:
    check_problem(client.get(f"/v1/search?{address}"), status=422, field=field)


@pytest.mark.parametrize(("body", "status", "field"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_refused_with_a_reason(client: TestClient, body: bytes, status: int, field: str | None) -> None:
    check_problem(client.post("/v1/search", content=body, headers=JSON), status=status, field=field)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json", "\xe9"])
def test_a_body_of_another_type_is_refused(client: TestClient, content_type: str) -> None:
    response = client.post(
        "/v1/search", content=b'{"q": "a"}', headers={"content-type": content_type.encode("latin-1")}
    )

    check_problem(response, status=415, field=None)


def test_a_charset_beside_the_type_is_accepted(client: TestClient) -> None:
    headers = {"content-type": "application/JSON; charset=utf-8"}

    assert client.post("/v1/search", content=b'{"q": "a"}', headers=headers).status_code == 200


def test_a_post_with_parameters_in_its_address_is_refused(client: TestClient) -> None:
    check_problem(client.post("/v1/search?limit=1", json={"q": "a"}), status=422, field=None)


def test_an_unknown_parameter_is_answered_with_the_nearest_known_one(client: TestClient) -> None:
    problem = client.get("/v1/search?q=a&limt=3").json()

    assert problem["errors"] == [{"field": "limt", "reason": "unknown parameter; did you mean limit?"}]


def test_an_announced_body_over_the_limit_is_not_read(client: TestClient) -> None:
    check_problem(client.post("/v1/search", content=b"a" * 65_537, headers=JSON), status=413, field=None)


def test_a_streamed_body_is_cut_off_at_the_limit(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 10_000
            yield b"a" * 10_000

    check_problem(client.post("/v1/search", content=endless(), headers=JSON), status=413, field=None)


def test_headers_over_the_limit_are_refused(client: TestClient) -> None:
    response = client.get("/v1/search?q=a", headers={"X-Padding": "a" * 70_000})

    check_problem(response, status=431, field=None)
    assert response.json()["type"] == "/problems/headers-too-large"


def test_what_search_refuses_is_the_callers_mistake(client: TestClient, searcher: FakeSearcher) -> None:
    searcher.failure = BadQuery("this index has no lexical evidence")

    response = client.get("/v1/search?q=a&mode=lexical")

    check_problem(response, status=422, field=None)
    assert response.json()["detail"] == "this index has no lexical evidence"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/nowhere", "not-found"),
        ("/v1/", "not-found"),
        ("/v1/search/", "not-found"),
        ("/static/nothing.css", "not-found"),
        ("/static/..%2f..%2fapp.py", "not-found"),
        ("/docs/index.html", "not-found"),
        ("/problems/nothing", "not-found"),
        ("/v1/articles/nobody", "no-such-article"),
        ("/v1/articles/", "no-such-article"),
        ("/v1/articles/%00%ff", "no-such-article"),
        ("/articles/nobody", "no-such-article"),
    ],
)
def test_what_is_not_there_is_a_problem_too(client: TestClient, path: str, kind: str) -> None:
    response = client.get(path)

    check_problem(response, status=404, field=None)
    assert response.json()["type"] == f"/problems/{kind}"


def test_a_wrong_method_is_answered_with_all_allowed_ones(client: TestClient) -> None:
    response = client.delete("/v1/search")

    check_problem(response, status=405, field=None)
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_failure_of_the_service_tells_the_client_only_where_to_look(
    client: TestClient, searcher: FakeSearcher, caplog: pytest.LogCaptureFixture
) -> None:
    searcher.failure = RuntimeError("secret of the inside")

    response = client.get("/v1/search?q=a")

    check_problem(response, status=500, field=None)
    assert "secret" not in response.text
    assert "secret of the inside" in caplog.text
    assert response.headers["x-request-id"] in caplog.text
    assert "content-security-policy" in response.headers


@pytest.mark.parametrize("path", ["/v1/search?q=a", "/v1/search", "/", "/nowhere", "/docs", "/static/style.css"])
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"]


@pytest.mark.parametrize("path", ["/v1/search?q=a", "/v1/search", "/nowhere", "/"])
def test_a_sane_request_id_is_echoed(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"X-Request-ID": "a.B-9_c"}).headers["x-request-id"] == "a.B-9_c"


@pytest.mark.parametrize("offered", ["", "a b", "a" * 129, "<script>", "é"])
def test_any_other_request_id_is_replaced(client: TestClient, offered: str) -> None:
    made = client.get("/livez", headers={"X-Request-ID": offered.encode("utf-8")}).headers["x-request-id"]

    assert len(made) == 32
    assert made.isalnum()


def test_the_log_has_one_line_per_request_without_the_question(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="api.access"):
        client.get("/v1/search?q=rahasia")
        client.post("/v1/search", json={"q": "rahasia"})
        client.get("/articles/a%0Ab")

    lines = [record.getMessage() for record in caplog.records if record.name == "api.access"]
    assert [line.split(" ms ")[0].rsplit(" ", 1)[0] for line in lines] == [
        "GET /v1/search 200",
        "POST /v1/search 200",
        "GET /articles/a%0Ab 404",
    ]
    # The test's own HTTP client may log addresses; the service must not.
    assert not any("rahasia" in record.getMessage() for record in caplog.records if record.name.startswith("api"))


def test_an_app_without_lifespan_events_answers_all_the_same(live: Live, settings: Settings) -> None:
    assert TestClient(create_app(live, settings=settings)).get("/livez").status_code == 200
