from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

import anyio
import pytest

from api.app import create_app
from api.live import Live
from search import BadQuery

if TYPE_CHECKING:
    from typing import Any

    from starlette.testclient import TestClient

    from api.settings import Settings
    from search import Answer, Query

    from ..conftest import FakeSearcher


def ask(client: TestClient, *searches: object) -> dict[str, Any]:
    response = client.post("/v1/search/batch", json={"searches": searches})
    assert response.status_code == 200, response.text
    return response.json()


def without_own(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"request_id", "took_ms"}}


def test_every_search_is_answered_in_its_place_as_it_would_be_alone(client: TestClient) -> None:
    searches = [{"q": f"kapal {number}", "limit": 1 + number % 3, "offset": number % 2} for number in range(50)]

    batch = ask(client, *searches)

    assert set(batch) == {"request_id", "took_ms", "index", "results"}
    assert len(batch["results"]) == 50
    for search, result in zip(searches, batch["results"], strict=True):
        assert set(result) == {"status", "answer"}
        assert result["status"] == 200
        assert result["answer"]["request_id"] == batch["request_id"]
        assert result["answer"]["query"]["text"] == search["q"]
    for number in (0, 7, 49):
        alone = client.post("/v1/search", json=searches[number]).json()
        assert without_own(batch["results"][number]["answer"]) == without_own(alone)


BAD_SEARCHES = {
    "no question": {"lang": "id"},
    "unknown parameter": {"q": "a", "limt": 3},
    "a string": "kapal",
    "null": None,
    "a list": [],
    "NUL": {"q": "a\x00"},
    "dates crossed": {"q": "a", "from": "2026-02-02", "to": "2026-02-01"},
}


@pytest.mark.parametrize("bad", BAD_SEARCHES.values(), ids=BAD_SEARCHES)
def test_a_search_that_is_not_valid_has_its_own_problem_and_fails_no_other(client: TestClient, bad: object) -> None:
    batch = ask(client, {"q": "kapal"}, bad, {"q": "kapal", "limit": 2})

    assert [result["status"] for result in batch["results"]] == [200, 422, 200]
    problem = batch["results"][1]["problem"]
    alone = client.post("/v1/search", content=json.dumps(bad), headers={"content-type": "application/json"}).json()
    assert problem["instance"] == "/v1/search/batch#/searches/1"
    assert problem | {"instance": "", "request_id": ""} == alone | {"instance": "", "request_id": ""}
    assert problem["request_id"] == batch["request_id"]


@pytest.mark.parametrize("bad", ['{"q": "a", "q": "b"}', '{"q": "\\ud800"}'], ids=["repeated", "lone surrogate"])
def test_what_only_json_text_can_hold_is_refused_in_its_place(client: TestClient, bad: str) -> None:
    body = f'{{"searches": [{bad}, {{"q": "kapal"}}]}}'
    response = client.post("/v1/search/batch", content=body, headers={"content-type": "application/json"})

    assert [result["status"] for result in response.json()["results"]] == [422, 200]


def test_a_batch_of_refusals_alone_is_answered(client: TestClient) -> None:
    assert [result["status"] for result in ask(client, {}, {"q": ""})["results"]] == [422, 422]


def test_what_search_refuses_or_breaks_on_is_told_in_its_place(
    client: TestClient, searcher: FakeSearcher, caplog: pytest.LogCaptureFixture
) -> None:
    search = searcher.search

    def picky(query: Query) -> Answer:
        if query.text == "refused":
            raise BadQuery("this index has no lexical evidence")
        if query.text == "broken":
            raise RuntimeError("secret of the inside")
        return search(query)

    searcher.search = picky
    with caplog.at_level(logging.ERROR):
        batch = ask(client, {"q": "refused"}, {"q": "broken"}, {"q": "kapal"})

    assert [result["status"] for result in batch["results"]] == [422, 500, 200]
    assert batch["results"][0]["problem"]["detail"] == "this index has no lexical evidence"
    assert "secret" not in json.dumps(batch)
    assert "secret of the inside" in caplog.text
    assert batch["request_id"] in caplog.text


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "invalid-json"),
        (b'{"searches": [', 400, "invalid-json"),
        (b'{"searches": []}', 422, "invalid-parameter"),
        (b'{"searches": {}}', 422, "invalid-parameter"),
        (b'{"searches": [{"q": "a"}], "limit": 1}', 422, "invalid-parameter"),
        (b'{"searches": [{"q": "a"}], "searches": []}', 422, "invalid-parameter"),
        (b'[{"q": "a"}]', 422, "invalid-parameter"),
        (b"{}", 422, "invalid-parameter"),
        (json.dumps({"searches": [{"q": "a"}] * 51}).encode(), 422, "invalid-parameter"),
        (b'{"searches": "' + b"a" * 66_000 + b'"}', 413, "body-too-large"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_batch_is_one_problem(client: TestClient, body: bytes, status: int, kind: str) -> None:
    response = client.post("/v1/search/batch", content=body, headers={"content-type": "application/json"})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"/problems/{kind}"


def test_a_batch_of_another_type_or_with_an_address_is_refused(client: TestClient) -> None:
    body = b'{"searches": [{"q": "a"}]}'

    assert client.post("/v1/search/batch", content=body, headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/v1/search/batch?limit=1", json={"searches": [{"q": "a"}]}).status_code == 422
    assert client.get("/v1/search/batch").headers["allow"] == "OPTIONS, POST"


def test_all_of_a_batch_is_answered_by_one_generation(make_searcher: type[FakeSearcher], settings: Settings) -> None:
    in_use = [make_searcher(generation="one")]
    live = Live(lambda: in_use[-1], read_current=lambda: in_use[-1].info.generation, poll_interval_s=60)
    search = in_use[0].search

    def swapping(query: Query) -> Answer:
        if len(in_use) == 1:
            in_use.append(make_searcher(generation="two"))
            live.check()
        return search(query)

    in_use[0].search = swapping
    from starlette.testclient import TestClient  # noqa: PLC0415 - the class, which elsewhere is only a type

    with TestClient(create_app(live, settings=settings)) as client:
        batch = ask(client, *({"q": "kapal"} for _ in range(20)))
        after = ask(client, {"q": "kapal"})

    generations = {result["answer"]["index"]["generation"] for result in batch["results"]}
    assert generations == {"one"} == {batch["index"]["generation"]}
    assert after["index"]["generation"] == "two"


def test_a_client_that_goes_away_stops_what_was_not_begun(
    live: Live, searcher: FakeSearcher, settings: Settings
) -> None:
    app = create_app(live, settings=settings)
    asked_before = len(searcher.queries)
    began, gone = threading.Event(), threading.Event()
    search = searcher.search

    def slow(query: Query) -> Answer:
        began.set()
        assert gone.wait(5)
        return search(query)

    searcher.search = slow
    body = json.dumps({"searches": [{"q": f"kapal {number}"} for number in range(50)]}).encode()
    sent: list[dict[str, Any]] = []

    async def exchange() -> None:
        messages = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await anyio.to_thread.run_sync(began.wait, 5)
            # What is at work in a thread goes on a little; what waits for a place never begins.
            threading.Timer(0.05, gone.set).start()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/search/batch", "query_string": b"",
            "raw_path": b"/v1/search/batch", "root_path": "", "scheme": "http", "server": ("test", 80),
            "client": ("test", 1), "headers": [(b"content-type", b"application/json")], "state": {},
        }  # fmt: skip
        await app(scope, receive, send)

    anyio.run(exchange)

    assert len(searcher.queries) - asked_before <= 4
    assert sent == []
