from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from indexer import IndexDamaged
from search import Answer, Lap, Query, Stage, Timings

if TYPE_CHECKING:
    from pathlib import Path

    from api.settings import Settings

    from ..conftest import FakeSearcher

Labels = dict[str, str]


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(client: TestClient, name: str, **labels: str) -> float | None:
    return samples(client.get("/metrics").text).get((name, frozenset(labels.items())))


def series(client: TestClient, name: str) -> list[Labels]:
    return [dict(labels) for known, labels in samples(client.get("/metrics").text) if known == name]


def test_requests_are_counted_by_route_method_and_status(client: TestClient) -> None:
    for path in ("/v1/search?q=kapal", "/v1/search?q=kapal", "/v1/search?limit=0", "/v1/articles/kapal%2F1"):
        client.get(path)

    def count(route: str, status: str) -> float | None:
        return value(client, "cari_requests_total", route=route, method="GET", status=status)

    assert count("/v1/search", "200") == 2
    assert count("/v1/search", "422") == 1
    assert count("/v1/articles/{id:path}", "200") == 1
    assert value(client, "cari_request_duration_seconds_count", route="/v1/search") == 3


def test_no_label_holds_what_was_sent(client: TestClient) -> None:
    for number in range(5):
        client.get(f"/nothing/{number}")
        client.get(f"/static/{number}.css")
        client.get(f"/v1/articles/{number}")
        client.request(f"METHOD{number}", "/v1/search?q=rahasia")

    text = client.get("/metrics").text
    assert "rahasia" not in text
    assert "METHOD" not in text
    routes = {labels["route"] for labels in series(client, "cari_requests_total")}
    assert routes <= {"none", "/static", "/v1/articles/{id:path}", "/v1/search", "/metrics"}


def test_stages_and_degraded_answers_are_counted(
    client: TestClient, searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = searcher.search
    laps = (Lap(Stage.LEXICAL, 0, 2.0), Lap(Stage.SNIPPET, 2, 4.0), Lap(Stage.LEXICAL, 6, 1.0))

    def degraded(query: Query) -> Answer:
        return replace(search(query), degraded="words only", timings=Timings(0, laps))

    client.get("/v1/search?q=kapal")
    assert value(client, "cari_degraded_answers_total") == 0
    monkeypatch.setattr(searcher, "search", degraded)
    client.get("/v1/search?q=kapal")

    assert value(client, "cari_degraded_answers_total") == 1
    assert value(client, "cari_search_stage_seconds_sum", stage="lexical") == pytest.approx(0.003)
    assert value(client, "cari_search_stage_seconds_count", stage="snippet") == 1


def test_questions_whose_vectors_were_in_memory_are_counted(
    client: TestClient, searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = searcher.search
    client.get("/v1/search?q=kapal")
    assert value(client, "cari_remembered_questions_total") == 0
    monkeypatch.setattr(searcher, "search", lambda query: replace(search(query), remembered=True))
    client.get("/v1/search?q=kapal&offset=10")

    assert value(client, "cari_remembered_questions_total") == 1


def test_the_index_in_use_and_the_process_are_told(client: TestClient, searcher: FakeSearcher) -> None:
    generation = searcher.info.generation

    assert value(client, "cari_generation_info", generation=generation, model="fake") == 1
    assert value(client, "cari_generation_built_timestamp_seconds") == searcher.info.built_at.timestamp()
    assert value(client, "cari_passages") == searcher.info.passages
    assert value(client, "cari_articles") == searcher.info.articles
    assert value(client, "cari_ready") == 1
    assert value(client, "cari_queue_depth") == 0
    assert value(client, "cari_searches_running") == 0
    assert (value(client, "process_resident_memory_bytes") or 0) > 10_000_000
    assert series(client, "cari_build_info")[0].keys() == {"version", "python"}
    assert client.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_a_refused_generation_is_told_with_its_reason_until_it_is_replaced(
    make_searcher: type[FakeSearcher], settings: Settings
) -> None:
    current, damaged = "one", {"two"}

    def open_new() -> FakeSearcher:
        if current in damaged:
            raise IndexDamaged(f"{current}: vectors.faiss is short")
        return make_searcher(generation=current)

    live = Live(open_new, read_current=lambda: current, poll_interval_s=3_600)
    with TestClient(create_app(live, settings=settings)) as client:
        assert series(client, "cari_reload_error") == []
        current = "two"
        live.check()
        assert series(client, "cari_reload_error") == [{"generation": "two", "reason": "two: vectors.faiss is short"}]
        assert value(client, "cari_reloads_total", outcome="failed") == 1
        current = "three"
        live.check()
        assert series(client, "cari_reload_error") == []
        assert value(client, "cari_reloads_total", outcome="ok") == 1
        assert [one["generation"] for one in series(client, "cari_generation_info")] == ["three"]


def test_metrics_answer_before_the_index_is_open(make_searcher: type[FakeSearcher], settings: Settings) -> None:
    live = Live(make_searcher, read_current=lambda: "one", wait=False)
    client = TestClient(create_app(live, settings=settings))

    assert value(client, "cari_ready") == 0
    assert series(client, "cari_passages") == []


def test_two_apps_in_one_process_count_for_themselves(live: Live, settings: Settings) -> None:
    one, other = (TestClient(create_app(live, settings=settings)) for _ in range(2))
    one.get("/livez")

    assert value(one, "cari_requests_total", route="/livez", method="GET", status="200") == 1
    assert value(other, "cari_requests_total", route="/livez", method="GET", status="200") is None


# One of several workers: it answers some requests, prints the metrics, and stays until its stdin is closed.
WORKER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from api.telemetry import Exchange, Metrics

info = SimpleNamespace(generation="g", model="m", built_at=datetime(2026, 1, 1, tzinfo=UTC), articles=3, passages=9)
live = SimpleNamespace(ready=True, searcher=SimpleNamespace(info=info), reload_error=None)
desk = SimpleNamespace(live=live, depth=int(sys.argv[1]), running=1)
metrics = Metrics(desk, version="1", folder=Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
exchange = Exchange(request_id="r", method="GET", path="/", client=None, headers={}, route="/", status=200)
for _ in range(int(sys.argv[1])):
    metrics(exchange)
print("counted", flush=True)
for line in sys.stdin:
    sys.stdout.write(metrics.rendered().decode() + "\\nend\\n")
    sys.stdout.flush()
"""


def test_any_worker_tells_what_all_of_them_counted_and_forgets_the_dead(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, number],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for number in ("2", "3")
    ]  # fmt: skip

    def told() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        stdin, stdout = workers[0].stdin, workers[0].stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write("?\n")
        stdin.flush()
        lines = []
        while (line := stdout.readline()) not in {"end\n", ""}:
            lines.append(line)
        return samples("".join(lines))

    requests = ("cari_requests_total", frozenset({("route", "/"), ("method", "GET"), ("status", "200")}))
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "counted\n"
        both = told()
        assert both[requests] == 5
        assert both["cari_queue_depth", frozenset()] == 5
        assert both["cari_passages", frozenset()] == 9
        resident = {dict(labels)["pid"] for name, labels in both if name == "process_resident_memory_bytes"}
        assert resident == {str(worker.pid) for worker in workers}

        workers[1].kill()
        workers[1].wait(10)
        alone = told()
        assert alone[requests] == 5
        assert alone["cari_queue_depth", frozenset()] == 2
        resident = {dict(labels)["pid"] for name, labels in alone if name == "process_resident_memory_bytes"}
        assert resident == {str(workers[0].pid)}
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate(timeout=10)
