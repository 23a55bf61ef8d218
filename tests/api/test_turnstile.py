from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest

from api.app import create_app
from api.errors import Overloaded
from api.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from api.inquiry import Desk
    from api.live import Live
    from api.settings import Settings
    from search import Answer, Query

    from .conftest import FakeSearcher


class Slow:
    """Makes the searcher wait for `go`, and counts how many searches are in it at once."""

    def __init__(self, searcher: FakeSearcher) -> None:
        self.go = threading.Event()
        self.inside = self.most = 0
        self._lock = threading.Lock()
        self._search = searcher.search
        searcher.search = self.search

    def search(self, query: Query) -> Answer:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.go.wait(60)
        with self._lock:
            self.inside -= 1
        return self._search(query)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not what():  # noqa: ASYNC110 - what threads do sets no event
            await asyncio.sleep(0.005)


def small(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"max_threads": 2, "max_queue": 3, "queue_timeout_s": 60.0} | changes)


async def ask(client: httpx2.AsyncClient, *, count: int) -> list[asyncio.Task[httpx2.Response]]:
    return [asyncio.create_task(client.get("/v1/search?q=a")) for _ in range(count)]


def run(live: Live, settings: Settings, play: Callable[[httpx2.AsyncClient, Desk], AsyncIterator[None]]) -> None:
    async def whole() -> None:
        app = create_app(live, settings=settings)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            await play(client, app.state.desk)

    asyncio.run(whole())


def test_past_the_queue_requests_are_told_to_come_back(live: Live, settings: Settings, searcher: FakeSearcher) -> None:
    slow = Slow(searcher)

    async def play(client: httpx2.AsyncClient, desk: Desk) -> None:
        served = await ask(client, count=5)
        await until(lambda: (desk.running, desk.depth) == (2, 3))
        refused = await asyncio.gather(*await ask(client, count=200))
        assert (desk.running, desk.depth) == (2, 3)
        slow.go.set()
        answered = await asyncio.gather(*served)

        assert {one.status_code for one in refused} == {503}
        assert {one.headers["retry-after"] for one in refused} == {"1"}
        assert refused[0].json()["type"] == "/problems/overloaded"
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert [one.status_code for one in answered] == [200] * 5
        assert (desk.running, desk.depth) == (0, 0)

    run(live, small(settings), play)
    assert slow.most == 2


def test_a_turn_that_does_not_come_in_time_is_an_answer_too(
    live: Live, settings: Settings, searcher: FakeSearcher
) -> None:
    slow = Slow(searcher)

    async def play(client: httpx2.AsyncClient, desk: Desk) -> None:
        served = await ask(client, count=2)
        await until(lambda: desk.running == 2)
        late = await client.get("/v1/search?q=a")
        slow.go.set()
        await asyncio.gather(*served)

        assert late.status_code == 503
        assert "no turn came within 0.05 s" in late.json()["detail"]
        assert desk.depth == 0

    run(live, small(settings, queue_timeout_s=0.05), play)


def test_the_page_says_that_the_service_is_busy(live: Live, settings: Settings, searcher: FakeSearcher) -> None:
    slow = Slow(searcher)

    async def play(client: httpx2.AsyncClient, desk: Desk) -> None:
        served = await ask(client, count=2)
        await until(lambda: desk.running == 2)
        page = await client.get("/?q=a", headers={"accept": "text/html", "accept-language": "en"})
        slow.go.set()
        await asyncio.gather(*served)

        assert page.status_code == 503
        assert page.headers["retry-after"] == "1"
        assert "Busy just now" in page.text

    run(live, small(settings, max_queue=0), play)


def test_work_that_fails_gives_its_turn_back() -> None:
    async def play() -> None:
        turnstile = Turnstile(max_running=1, max_waiting=0, max_wait_s=60)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await turnstile.run(lambda: 1 // 0)
        assert turnstile.running == 0

    asyncio.run(play())


def test_a_waiter_that_is_cancelled_frees_its_place_at_once() -> None:
    async def play() -> None:
        go = threading.Event()
        turnstile = Turnstile(max_running=1, max_waiting=1, max_wait_s=60)
        working = asyncio.create_task(turnstile.run(go.wait))
        await until(lambda: turnstile.running == 1)
        for _ in range(3):
            waiting = asyncio.create_task(turnstile.run(lambda: None))
            await until(lambda: turnstile.depth == 1)
            with pytest.raises(Overloaded):
                await turnstile.run(lambda: None)
            waiting.cancel()
            await asyncio.wait({waiting})
            assert turnstile.depth == 0
        go.set()
        assert await working

    asyncio.run(play())


def test_turns_are_given_in_the_order_of_asking() -> None:
    async def play() -> list[int]:
        done: list[int] = []
        turnstile = Turnstile(max_running=1, max_waiting=20, max_wait_s=60)
        await asyncio.gather(*(turnstile.run(lambda one=one: done.append(one)) for one in range(20)))
        return done

    assert asyncio.run(play()) == list(range(20))


def test_the_time_to_come_back_grows_with_the_queue_and_what_work_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile(max_running=2, max_waiting=9, max_wait_s=1)
    monkeypatch.setattr(turnstile, "_waiting", 9)
    waits = []
    for mean_s in (0.01, 1.0, 100.0):
        monkeypatch.setattr(turnstile, "_mean_s", mean_s)
        waits.append(turnstile._overloaded("full").retry_after_s)

    assert waits == [1, 5, 60]
