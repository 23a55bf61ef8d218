from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.telemetry import AccessLog, Asked, Exchange, log_handler
from search import Timings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.live import Live

    from ..conftest import FakeSearcher

FORGED = "x\n2026-01-01 00:00:00,000 ERROR api.access forged\r\u2028\u202e\x1b[31m\x7f"


@pytest.fixture
def lines() -> Iterator[dict[str, io.StringIO]]:
    """What the loggers of the service write, in both formats."""
    streams = {name: io.StringIO() for name in ("text", "json")}
    handlers = [log_handler(name, stream=stream) for name, stream in streams.items()]  # type: ignore[arg-type]
    logger = logging.getLogger("api")
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    yield streams
    logger.setLevel(level)
    for handler in handlers:
        logger.removeHandler(handler)


def entries(lines: dict[str, io.StringIO]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines["json"].getvalue().split("\n") if line]


@pytest.fixture
def exchange() -> Exchange:
    asked = Asked(text="Mengapa kapal kandas?", generation="g1", hits=10, total=57, degraded=False, timings=Timings())
    return Exchange(
        request_id="r1",
        method="GET",
        path="/v1/search",
        client="127.0.0.1",
        headers={},
        route="/v1/search",
        status=200,
        size_bytes=1234,
        took_ms=12.345,
        key_name="news desk",
        searches=[asked],
    )


def test_a_json_line_has_every_field(exchange: Exchange, lines: dict[str, io.StringIO]) -> None:
    AccessLog()(exchange)

    (entry,) = entries(lines)
    assert entry.pop("time").endswith("+00:00")
    assert entry.pop("message") == "GET /v1/search 200 12.3 ms id=r1"
    assert entry == {
        "level": "info",
        "logger": "api.access",
        "request_id": "r1",
        "method": "GET",
        "route": "/v1/search",
        "path": "/v1/search",
        "status": 200,
        "took_ms": 12.35,
        "bytes": 1234,
        "client": "127.0.0.1",
        "key_name": "news desk",
        "generation": "g1",
        "hits": 10,
        "total": 57,
    }


def test_a_text_line_begins_with_what_people_look_for(exchange: Exchange, lines: dict[str, io.StringIO]) -> None:
    AccessLog()(exchange)

    line = lines["text"].getvalue()
    assert " INFO api.access GET /v1/search 200 12.3 ms id=r1 " in line
    assert " generation=g1 hits=10 total=57" in line


def test_what_was_asked_is_told_only_where_that_is_wanted(exchange: Exchange, lines: dict[str, io.StringIO]) -> None:
    AccessLog()(exchange)
    assert "kandas" not in lines["text"].getvalue() + lines["json"].getvalue()

    AccessLog(with_queries=True)(exchange)
    assert entries(lines)[-1]["queries"] == ["Mengapa kapal kandas?"]
    assert "kandas" in lines["text"].getvalue()


def test_a_batch_and_a_degraded_answer_are_seen(exchange: Exchange, lines: dict[str, io.StringIO]) -> None:
    exchange.searches.append(replace(exchange.searches[0], hits=3, total=3, degraded=True))
    AccessLog()(exchange)

    (entry,) = entries(lines)
    assert (entry["hits"], entry["total"], entry["degraded"]) == (13, 60, True)


def test_nothing_that_was_sent_can_forge_a_line(exchange: Exchange, lines: dict[str, io.StringIO]) -> None:
    exchange.path = exchange.method = exchange.key_name = exchange.client = FORGED
    exchange.searches[0] = replace(exchange.searches[0], text=FORGED + "\ud800")
    AccessLog(with_queries=True)(exchange)

    for stream in lines.values():
        written = stream.getvalue()
        assert len(written.splitlines()) == 1
        assert written[:-1].isprintable()
    assert entries(lines)[0]["queries"] == [FORGED + "\ud800"]


def test_the_text_of_an_error_cannot_forge_a_line_either(lines: dict[str, io.StringIO]) -> None:
    logging.getLogger("api").error("it failed with %s", "a\nb", exc_info=ValueError(FORGED))

    first, *rest = lines["text"].getvalue().splitlines()
    assert first.endswith(r"it failed with a\nb")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "forged" in entries(lines)[0]["exception"]


def test_the_service_logs_each_request_once_with_its_route(
    live: Live, searcher: FakeSearcher, lines: dict[str, io.StringIO]
) -> None:
    with TestClient(create_app(live, settings=Settings(log_queries=True))) as client:
        client.get("/v1/search?q=kapal", headers={"X-Request-ID": "mine"})
        client.get("/v1/articles/kapal%2F1")
        client.get("/not/here")

    found = [one for one in entries(lines) if one["logger"] == "api.access"]
    assert [(one["status"], one.get("route")) for one in found] == [
        (200, "/v1/search"),
        (200, "/v1/articles/{id:path}"),
        (404, None),
    ]
    assert (found[0]["request_id"], found[0]["queries"]) == ("mine", ["kapal"])
    assert (found[0]["generation"], found[0]["hits"]) == (searcher.info.generation, 3)
    assert found[0]["bytes"] > 100
