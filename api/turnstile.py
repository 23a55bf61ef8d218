"""A bounded queue: so many at work, so many waiting, and everybody else is told to come back."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import CapacityLimiter, Semaphore, to_thread

from .errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MAX_RETRY_AFTER_S = 60
_NEWEST_WEIGHT = 0.1


class Turnstile:
    """Runs work in threads, first come first served.

    Work that waits holds a closure and nothing else, and at most `max_waiting` of it waits. A waiter that is
    cancelled gives its place to the next at once; work in a thread cannot be stopped and keeps its own.
    """

    def __init__(self, *, max_running: int, max_waiting: int, max_wait_s: float) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._turns = Semaphore(max_running)
        # Never contended: a turn is taken first, where waiting can be counted and limited.
        self._threads = CapacityLimiter(max_running)
        self._waiting = 0
        self._mean_s = 0.0

    @property
    def depth(self) -> int:
        """How many wait."""
        return self._waiting

    @property
    def running(self) -> int:
        """How many are at work."""
        return self._max_running - self._turns.value

    async def run(self, work: Callable[[], T]) -> T:
        """Runs the work in a thread once it is its turn.

        Raises:
            Overloaded: the queue is full, or the turn did not come in time.
        """
        await self._turn()
        began = time.perf_counter()
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._turns.release()
            took_s = time.perf_counter() - began
            self._mean_s += (took_s - self._mean_s) * _NEWEST_WEIGHT

    async def _turn(self) -> None:
        try:
            self._turns.acquire_nowait()
        except anyio.WouldBlock:
            await self._wait()

    async def _wait(self) -> None:
        if self._waiting >= self._max_waiting:
            raise self._overloaded(f"{self._waiting} requests wait already, and more may not")
        self._waiting += 1
        try:
            with anyio.fail_after(self._max_wait_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise self._overloaded(f"no turn came within {self._max_wait_s:g} s") from error
        finally:
            self._waiting -= 1

    def _overloaded(self, reason: str) -> Overloaded:
        """By the time given, a queue that is as long as this one should have been worked off."""
        queue_s = self._mean_s * (self._waiting + 1) / self._max_running
        wait_s = min(max(math.ceil(queue_s), 1), _MAX_RETRY_AFTER_S)
        return Overloaded(f"{reason}; come back in {wait_s} s", retry_after_s=wait_s)
