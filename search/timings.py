"""Where the time of a search goes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stage(StrEnum):
    """What a search does one after the other; what is none of these (filters, facets) is not told."""

    ENCODE = "encode"
    DENSE = "dense"
    LEXICAL = "lexical"
    LATE = "late"
    SNIPPET = "snippet"


@dataclass(frozen=True, slots=True)
class Lap:
    """A stretch of one stage, counted from the beginning of the search."""

    stage: Stage
    began_ms: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Timings:
    """The laps of one search, in order, none overlapping another; a stage may have several.

    `began_ns` is when the search began, in nanoseconds since 1970.
    """

    began_ns: int = 0
    laps: tuple[Lap, ...] = ()

    @property
    def ms(self) -> dict[Stage, float]:
        """Milliseconds by stage, of the stages that took part."""
        totals: dict[Stage, float] = {}
        for lap in self.laps:
            totals[lap.stage] = totals.get(lap.stage, 0.0) + lap.took_ms
        return totals


class Stopwatch:
    """Measures one search, in one thread. Every moment belongs to the innermost stage that is running."""

    def __init__(self) -> None:
        self._began_ns = time.time_ns()
        self._began = self._since = time.perf_counter()
        self._stage: Stage | None = None
        self._laps: list[Lap] = []

    def turn_to(self, stage: Stage | None) -> Stage | None:
        """Ends the stage that is running, which is returned, and begins another."""
        now = time.perf_counter()
        before = self._stage
        if before is not None:
            self._laps.append(Lap(before, (self._since - self._began) * 1000, (now - self._since) * 1000))
        self._stage, self._since = stage, now
        return before

    def read(self) -> Timings:
        """What was measured so far."""
        return Timings(self._began_ns, tuple(self._laps))


# A variable of the context and not an argument: every arm would have to pass it on, to callers that measure nothing.
_running: ContextVar[Stopwatch | None] = ContextVar("running", default=None)


@contextmanager
def measuring() -> Iterator[Stopwatch]:
    """Lets `timed` parts of what runs inside report to one stopwatch."""
    watch = Stopwatch()
    token = _running.set(watch)
    try:
        yield watch
    finally:
        _running.reset(token)


@contextmanager
def timed(stage: Stage) -> Iterator[None]:
    """Counts what runs inside, or a function it decorates, as this stage; nothing outside of `measuring`."""
    watch = _running.get()
    if watch is None:
        yield
        return
    before = watch.turn_to(stage)
    try:
        yield
    finally:
        watch.turn_to(before)
