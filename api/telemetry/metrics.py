"""Prometheus metrics. The only file that knows prometheus_client.

Several workers answer on one port and a scrape reaches one of them. So with several, counts and times are kept
in files of a folder that all workers share, and the one that is asked adds them up; what all workers have
alike (the index in use) it tells of itself.
"""

from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..inquiry import Desk
    from ..live import Outcome
    from .exchange import Exchange

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_REQUEST_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_STAGE_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0)
_MAX_REASON_CHARS = 200
_VERSION = "0.0.4"

# When a count began is a second series for each of the first, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

router = APIRouter()


@router.get(
    "/metrics",
    tags=["operations"],
    operation_id="metrics",
    summary="Metrics",
    response_class=PlainTextResponse,
)
def metrics(request: Request) -> PlainTextResponse:
    """Metrics in Prometheus' text format."""
    measured: Metrics = request.app.state.metrics
    content = measured.rendered()
    return PlainTextResponse(content, headers={"Content-Type": f"text/plain; version={_VERSION}; charset=utf-8"})


class Metrics:
    """Counts what happens to one application. A `Listener`.

    Args:
        desk: Whose queue and index are told.
        version: Of the project.
        folder: Where several workers keep their counts; None where one process answers alone.
    """

    def __init__(self, desk: Desk, *, version: str, folder: Path | None = None) -> None:
        self._desk = desk
        self._folder = folder
        own = CollectorRegistry()
        self._requests = Counter("cari_requests", "Requests answered.", ["route", "method", "status"], registry=own)
        self._took = Histogram(
            "cari_request_duration_seconds",
            "From request to last byte.",
            ["route"],
            registry=own,
            buckets=_REQUEST_BUCKETS,
        )
        self._stages = Histogram(
            "cari_search_stage_seconds",
            "Time of a search by stage.",
            ["stage"],
            registry=own,
            buckets=_STAGE_BUCKETS,
        )
        self._degraded = Counter(
            "cari_degraded_answers", "Searches answered by words because the model failed.", registry=own
        )
        self._remembered = Counter(
            "cari_remembered_questions", "Searches that found their question's vectors in memory.", registry=own
        )
        self._reloads = Counter("cari_reloads", "Attempts to open a new generation.", ["outcome"], registry=own)
        self._waiting = Gauge(
            "cari_queue_depth", "Searches waiting for their turn.", registry=own, multiprocess_mode="livesum"
        )
        self._running = Gauge("cari_searches_running", "Searches at work.", registry=own, multiprocess_mode="livesum")
        for outcome in ("ok", "failed"):  # known from the start, so that the first failure is a rise
            self._reloads.labels(outcome)
        if folder is None:
            self._registry = own
            ProcessCollector(registry=own)
        else:
            self._registry = CollectorRegistry()
            # First, for it removes what the dead have left behind.
            self._registry.register(_Workers(folder))
            MultiProcessCollector(self._registry, path=str(folder))  # type: ignore[no-untyped-call]
        self._registry.register(_State(desk, version=version))

    def __call__(self, exchange: Exchange) -> None:
        """Counts one exchange."""
        method = exchange.method if exchange.method in _METHODS else "other"
        route = exchange.route or "none"
        self._requests.labels(route, method, exchange.status).inc()
        self._took.labels(route).observe(exchange.took_ms / 1000)
        for asked in exchange.searches:
            for stage, took_ms in asked.timings.ms.items():
                self._stages.labels(stage.value).observe(took_ms / 1000)
            self._degraded.inc(asked.degraded)
            self._remembered.inc(asked.remembered)
        self._look()

    def reloaded(self, outcome: Outcome) -> None:
        """Counts an attempt to open a new generation."""
        self._reloads.labels(outcome).inc()

    def rendered(self) -> bytes:
        """All metrics, in the text format."""
        self._look()
        return generate_latest(self._registry)

    def _look(self) -> None:
        self._waiting.set(self._desk.depth)
        self._running.set(self._desk.running)


class _State:
    """What the process that is asked knows of the index in use."""

    def __init__(self, desk: Desk, *, version: str) -> None:
        self._desk = desk
        self._version = version

    def collect(self) -> Iterator[Metric]:
        live = self._desk.live
        yield _gauge("cari_build_info", "What runs.", 1, version=self._version, python=platform.python_version())
        yield _gauge("cari_ready", "1 when searches are answered.", float(live.ready))
        if live.ready:
            info = live.searcher.info
            yield _gauge("cari_generation_info", "The index in use.", 1, generation=info.generation, model=info.model)
            built = info.built_at.timestamp()
            yield _gauge("cari_generation_built_timestamp_seconds", "When it was built.", built)
            yield _gauge("cari_passages", "Passages of the index in use.", info.passages)
            yield _gauge("cari_articles", "Articles of the index in use.", info.articles)
        family = GaugeMetricFamily(
            "cari_reload_error", "1 while the newest generation is refused.", labels=["generation", "reason"]
        )
        error = live.reload_error
        if error is not None:
            # At most one at a time, and a new one only with another build: few enough to be a label.
            family.add_metric([error.generation or "", error.reason[:_MAX_REASON_CHARS]], 1)
        yield family


class _Workers:
    """The processes that share a folder of counts, each with its label; those that died are forgotten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for pid in self._living():
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                whole.samples += [one._replace(labels=one.labels | {"pid": str(pid)}) for one in family.samples]
        return families.values()

    def _living(self) -> list[int]:
        found = {int(name[1]) for path in self._folder.glob("*.db") if (name := re.search(r"_(\d+)$", path.stem))}
        living = []
        for pid in sorted(found):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
            else:
                living.append(pid)
        return living


def _gauge(name: str, meaning: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
