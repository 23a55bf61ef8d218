"""People who ask one question after the other, all at once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Load:
    """What clients saw: latencies in ms of answers, and what else came."""

    took_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        """Of the latencies, in ms."""
        return float(np.percentile(self.took_ms, share)) if self.took_ms else float("nan")

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.took_ms) / self.seconds

    def __str__(self) -> str:
        return (
            f"{len(self.took_ms):>6} answers  {self.per_second:7.1f}/s  p50 {self.percentile(50):7.1f} ms  "
            f"p99 {self.percentile(99):7.1f} ms  errors {len(self.errors)}"
        )


async def ask(
    url: str,
    questions: Sequence[str],
    *,
    clients: int,
    seconds: float,
    pause_s: float,
    seen: Callable[[dict[str, Any]], None] = lambda _answer: None,
) -> Load:
    """Each client asks the questions in turn, waiting `pause_s` after each answer, until the time is over."""
    load = Load()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    began = time.perf_counter()

    async def client(number: int, http: httpx2.AsyncClient) -> None:
        await asyncio.sleep(pause_s * number / clients)
        turn = number
        while time.perf_counter() - began < seconds:
            turn += 1
            asked = time.perf_counter()
            try:
                answer = await http.get("/v1/search", params={"q": questions[turn % len(questions)], "limit": 5})
                if answer.is_success:
                    load.took_ms.append((time.perf_counter() - asked) * 1000)
                    seen(answer.json())
                else:
                    load.errors.append(f"{answer.status_code} {answer.text[:200]}")
            except httpx2.HTTPError as error:
                load.errors.append(repr(error))
            await asyncio.sleep(pause_s)

    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=_TIMEOUT_S) as http:
        await asyncio.gather(*(client(number, http) for number in range(clients)))
    load.seconds = time.perf_counter() - began
    return load
