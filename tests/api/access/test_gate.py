from __future__ import annotations

import base64
import logging
import time
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api.access.keys import create_key, revoke_key
from api.access.rates import Rate
from api.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api.live import Live
    from api.settings import Settings

BROWSER = {"accept": "text/html,*/*;q=0.8", "accept-language": "en"}
CLOSED = ["/v1/search?q=a", "/v1/articles/tiga", "/v1/index", "/metrics", "/", "/?q=a", "/articles/tiga", "/nowhere"]
OPEN = ["/livez", "/readyz", "/openapi.json", "/docs", "/problems/unauthorized", "/static/style.css"]


@pytest.fixture
def serve(live: Live, settings: Settings, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    opened: list[TestClient] = []

    def start(*, client: str = "203.0.113.7", **changes: object) -> TestClient:
        chosen = settings.model_copy(update={"keys": tmp_path / "keys.json"} | changes)
        opened.append(TestClient(create_app(live, settings=chosen), client=(client, 50_000)).__enter__())
        return opened[-1]

    yield start
    for one in opened:
        one.__exit__(None, None, None)


@pytest.fixture
def secret(tmp_path: Path) -> str:
    return create_key(tmp_path / "keys.json", name="desk")[1]


@pytest.fixture
def guarded(serve: Callable[..., TestClient], secret: str) -> TestClient:  # noqa: ARG001 - the key comes first
    return serve(require_key="always")


def basic(password: str, *, name: str = "anybody") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_key_nothing_is_told(guarded: TestClient, path: str) -> None:
    response = guarded.get(path)

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == 'Bearer realm="Cari"'
    assert response.headers["x-content-type-options"] == "nosniff"
    problem = response.json()
    assert problem["type"] == "/problems/unauthorized"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert "X-API-Key" in problem["detail"]


@pytest.mark.parametrize("path", OPEN)
def test_probes_and_the_description_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/livez/x", "/static/../v1/index", "//v1/index", "/v1/index#/livez", "/docsx"])
def test_a_path_that_only_looks_open_is_closed_or_leads_nowhere(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code in {401, 404}


def test_a_key_is_taken_from_either_header_and_from_a_browser(guarded: TestClient, secret: str) -> None:
    for headers in (
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"bearer  {secret}"},
        {"x-api-key": secret},
        {"authorization": basic(secret)},
        {"authorization": basic(secret, name="")},
        {"authorization": basic("wrong"), "x-api-key": secret},
    ):
        assert guarded.get("/v1/search?q=a", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer cari_wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"authorization": basic("wrong")},
        {"authorization": "Digest x"},
        {"x-api-key": ""},
        {"x-api-key": "x" * 50_000},
        {"x-api-key": b"\xff\xfe"},
    ],
)
def test_a_wrong_key_is_refused(guarded: TestClient, headers: dict[str, str]) -> None:
    assert guarded.get("/v1/search?q=a", headers=headers).status_code == 401


def test_a_key_in_the_address_is_no_key(guarded: TestClient, secret: str) -> None:
    for name in ("key", "api_key", "access_token", "token"):
        assert guarded.get(f"/v1/search?q=a&{name}={secret}").status_code == 401


def test_a_body_is_not_read_without_a_key(guarded: TestClient) -> None:
    read: list[int] = []

    def body() -> Iterator[bytes]:
        read.append(1)
        yield b"{}"

    assert guarded.post("/v1/search", content=body()).status_code == 401
    assert read == []


def test_a_browser_is_asked_for_the_key_and_a_script_is_not(guarded: TestClient, secret: str) -> None:
    for language, heading in (("en", "A key is needed"), ("id", "Perlu kunci")):
        response = guarded.get("/?q=kapal", headers=BROWSER | {"accept-language": language})
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Basic realm="Cari", charset="UTF-8"'
        assert heading in response.text

    assert guarded.get("/?q=kapal", headers=BROWSER | {"authorization": basic(secret)}).status_code == 200
    assert guarded.get("/v1/index", headers=BROWSER).headers["www-authenticate"] == 'Bearer realm="Cari"'


def test_a_method_may_be_asked_for_without_a_key(guarded: TestClient) -> None:
    # A browser asks so before it sends a request with a key to another host.
    assert guarded.options("/v1/search").status_code != 401


def test_a_revoked_key_is_refused_by_the_running_service(guarded: TestClient, secret: str, tmp_path: Path) -> None:
    headers = {"x-api-key": secret}
    assert guarded.get("/v1/index", headers=headers).status_code == 200

    revoke_key(tmp_path / "keys.json", name="desk")

    until = time.monotonic() + 5
    while (response := guarded.get("/v1/index", headers=headers)).status_code == 200:
        assert time.monotonic() < until, "still let in after 5 s"
        time.sleep(0.1)
    assert "no longer" in response.json()["detail"]


def test_keys_are_never_logged(guarded: TestClient, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for headers in (
            {"x-api-key": secret},
            {"authorization": basic(secret)},
            {"authorization": f"Bearer {secret}x"},
        ):
            guarded.get("/v1/search?q=a", headers=headers)

    assert caplog.records
    assert secret not in caplog.text
    assert base64.b64encode(f"anybody:{secret}".encode()).decode() not in caplog.text


def test_answers_that_needed_a_key_stay_out_of_shared_caches(guarded: TestClient, secret: str) -> None:
    for path in ("/v1/search?q=a", "/", "/v1/articles/nobody"):
        control = guarded.get(path, headers={"x-api-key": secret}).headers["cache-control"]
        assert control.split(", ")[0] == "private"
        assert "public" not in control


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"host": "::1"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "0.0.0.0"}, 401),  # noqa: S104 - what it is about
        ({"host": "::"}, 401),
        ({"host": ""}, 401),
        ({"host": "192.0.2.1"}, 401),
        ({"host": "news.example.org"}, 401),
        ({"trusted_proxies": ("127.0.0.1",)}, 401),
        ({"require_key": "always"}, 401),
        ({"host": "0.0.0.0", "require_key": "never"}, 200),  # noqa: S104
    ],
)
def test_keys_are_required_where_others_can_reach_the_service(
    serve: Callable[..., TestClient], changes: dict[str, object], status: int
) -> None:
    assert serve(**changes).get("/v1/index").status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]", 200),
        ("[::1]:8000", 200),
        ("desk.localhost:8000", 200),
        ("newsroom", 200),
        ("", 200),
        ("rebound.example", 421),
        ("rebound.example:8000", 421),
        ("rebound.example.", 421),
        ("127.0.0.1.rebound.example", 421),
        ("localhost.rebound.example:8000", 421),
    ],
)
def test_a_service_without_keys_answers_no_other_sites_name(client: TestClient, host: str, status: int) -> None:
    response = client.get("/v1/index", headers={"host": host})

    assert response.status_code == status
    if status == 421:
        assert response.json()["type"] == "/problems/misdirected-request"
        assert "CARI_TRUSTED_PROXIES" in response.json()["detail"]


def test_a_service_that_asks_for_keys_or_is_told_not_to_answers_any_name(
    serve: Callable[..., TestClient], secret: str
) -> None:
    headers = {"host": "news.example.org", "x-api-key": secret}

    for changes in ({"require_key": "never"}, {"require_key": "always"}, {"trusted_proxies": ("127.0.0.1",)}):
        assert serve(**changes).get("/v1/index", headers=headers).status_code == 200


def test_an_address_that_asks_too_often_is_told_when_to_come_back(serve: Callable[..., TestClient]) -> None:
    client = serve(rate="2/m")

    statuses = [client.get("/v1/search?q=a").status_code for _ in range(3)]
    response = client.get("/v1/search?q=a")

    assert statuses == [200, 200, 429]
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 30
    assert response.json()["type"] == "/problems/rate-limited"
    assert "this address may ask 2/m" in response.json()["detail"]
    assert "Too many questions" in client.get("/?q=a", headers=BROWSER).text
    assert client.get("/livez").status_code == 200


def test_a_key_has_its_own_rate_wherever_it_is_used(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    _, often = create_key(tmp_path / "keys.json", name="often", rate=Rate(3, 60))
    _, plain = create_key(tmp_path / "keys.json", name="plain")
    client = serve(rate="1/m")

    def ask(**headers: str) -> int:
        return client.get(
            "/v1/index", headers={name.replace("_", "-"): one for name, one in headers.items()}
        ).status_code

    assert [ask(x_api_key=often) for _ in range(4)] == [200, 200, 200, 429]
    assert [ask(x_api_key=plain) for _ in range(2)] == [200, 429]
    assert [ask() for _ in range(2)] == [200, 429]
    # A wrong key is nobody's: it is counted by address.
    assert ask(x_api_key="cari_wrong") == 429


def test_who_tries_keys_is_slowed_down(serve: Callable[..., TestClient], secret: str) -> None:
    client = serve(require_key="always", rate="2/m")

    statuses = [client.get("/v1/index", headers={"x-api-key": f"cari_{one}"}).status_code for one in range(4)]

    assert statuses == [401, 401, 429, 429]
    assert client.get("/v1/index", headers={"x-api-key": secret}).status_code == 200


def test_a_forwarded_address_is_not_believed(serve: Callable[..., TestClient]) -> None:
    client = serve(rate="1/m")

    statuses = [
        client.get("/v1/index", headers={"x-forwarded-for": f"198.51.100.{one}"}).status_code for one in range(2)
    ]

    assert statuses == [200, 429]


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({}, None),
        ({"host": "192.0.2.1"}, Rate(600, 60)),
        ({"host": "192.0.2.1", "rate": "off"}, None),
        ({"rate": "5/s"}, Rate(5, 1)),
    ],
)
def test_rates_are_on_where_others_can_reach_the_service(
    settings: Settings, changes: dict[str, object], rate: Rate | None
) -> None:
    assert settings.model_copy(update=changes).common_rate == rate


def test_the_description_says_how_a_key_is_sent_and_where(guarded: TestClient, client: TestClient) -> None:
    document = guarded.get("/openapi.json").json()

    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["components"]["securitySchemes"]["apiKey"]["name"] == "X-API-Key"
    assert document["security"] == [{"bearer": []}, {"apiKey": []}]
    assert document["paths"]["/livez"]["get"]["security"] == []
    assert "security" not in document["paths"]["/v1/index"]["get"]
    assert "security" not in client.get("/openapi.json").json()
