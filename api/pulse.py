"""Whether the threads that search still get anywhere."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

STUCK_AFTER_S = 60.0


class Pulse:
    """Watches the jobs of a bounded pool: it is stuck when every thread has been at one job for too long.

    Why not send a job of one's own through the pool, and see whether it comes back: a queue that is long would
    hold it up as well, and whoever restarts what does not answer would restart a service for being busy. A pool
    whose threads finish jobs is alive, however many wait. And why not a beat of the event loop: a loop that is
    stuck answers no question at all, so it cannot claim to live.
    """

    def __init__(
        self, *, threads: int, stuck_after_s: float = STUCK_AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threads = threads
        self._stuck_after_s = stuck_after_s
        self._clock = clock
        self._turn = threading.Lock()
        self._numbers = itertools.count()
        self._began: dict[int, float] = {}

    def watched(self, work: Callable[[], T]) -> Callable[[], T]:
        """The same work, seen while it runs."""

        def run() -> T:
            with self._turn:
                number = next(self._numbers)
                self._began[number] = self._clock()
            try:
                return work()
            finally:
                with self._turn:
                    del self._began[number]

        return run

    def stuck_s(self) -> float | None:
        """For how long no thread has finished anything, in seconds, or None while the pool is well."""
        with self._turn:
            if len(self._began) < self._threads:
                return None
            idle_s = self._clock() - max(self._began.values())
        return idle_s if idle_s > self._stuck_after_s else None
