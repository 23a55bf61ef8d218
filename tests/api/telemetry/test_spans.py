from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from api.app import create_app
from api.telemetry.exporting import span_listeners
from api.telemetry.spans import Spans
from search import Answer, Lap, Query, Stage, Timings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.live import Live
    from api.settings import Settings

    from ..conftest import FakeSearcher

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(
    live: Live,
    searcher: FakeSearcher,
    settings: Settings,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TestClient]:
    search = searcher.search

    def timed(query: Query) -> Answer:
        laps = (Lap(Stage.ENCODE, 0, 3.0), Lap(Stage.DENSE, 3, 1.0), Lap(Stage.SNIPPET, 5, 2.0))
        return replace(search(query), timings=Timings(1_700_000_000 * 10**9, laps))

    monkeypatch.setattr(searcher, "search", timed)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with TestClient(create_app(live, settings=settings, listeners=(Spans(provider),))) as client:
        exporter.clear()
        yield client
    provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_request_is_a_server_span_with_a_child_for_each_stage(
    traced: TestClient, exporter: InMemorySpanExporter
) -> None:
    traced.get("/v1/search?q=rahasia", headers={"X-Request-ID": "mine"})

    *stages, request = exporter.get_finished_spans()
    assert (request.name, request.kind) == ("GET /v1/search", SpanKind.SERVER)
    told = attributes(request)
    assert (told["http.route"], told["http.response.status_code"]) == ("/v1/search", 200)
    assert told["cari.request_id"] == "mine"
    assert "rahasia" not in str(told)
    assert [span.name for span in stages] == ["search encode", "search dense", "search snippet"]
    assert all(span.parent is not None and span.parent.span_id == request.context.span_id for span in stages)
    assert [span.end_time - span.start_time for span in stages] == [3_000_000, 1_000_000, 2_000_000]
    assert stages[1].start_time == 1_700_000_000 * 10**9 + 3_000_000
    assert request.end_time > request.start_time


def test_a_callers_trace_goes_on(traced: TestClient, exporter: InMemorySpanExporter) -> None:
    traced.get("/v1/index", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})

    (span,) = exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == CALLER


def test_what_the_caller_does_not_record_is_not_recorded(traced: TestClient, exporter: InMemorySpanExporter) -> None:
    traced.get("/v1/search?q=kapal", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})

    assert exporter.get_finished_spans() == ()


def test_a_failure_of_the_service_is_an_error_and_a_mistake_of_the_caller_is_none(
    traced: TestClient, exporter: InMemorySpanExporter, searcher: FakeSearcher
) -> None:
    traced.get("/v1/search?limit=0")
    searcher.failure = RuntimeError("inside")
    traced.get("/v1/search?q=kapal")

    mistake, failure = exporter.get_finished_spans()
    assert (attributes(mistake)["http.response.status_code"], mistake.status.status_code) == (422, StatusCode.UNSET)
    assert (attributes(failure)["http.response.status_code"], failure.status.status_code) == (500, StatusCode.ERROR)


def test_nothing_is_sent_unless_an_endpoint_is_named() -> None:
    assert span_listeners({}, version="1") == ()


def test_an_endpoint_without_the_extra_is_logged_and_ignored(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "api.telemetry.spans", None)

    assert span_listeners({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, version="1") == ()
    assert "cari[otel]" in caplog.text


def test_with_an_endpoint_spans_are_exported() -> None:
    (listener,) = span_listeners({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, version="1")

    assert isinstance(listener, Spans)
