from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.pulse import STUCK_AFTER_S, Pulse

if TYPE_CHECKING:
    from api.live import Live
    from api.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_work_is_done_and_its_error_passed_on(clock: Clock) -> None:
    pulse = Pulse(threads=1, clock=clock)

    def fail() -> None:
        raise LookupError("gone")

    assert pulse.watched(lambda: 42)() == 42
    with pytest.raises(LookupError, match="gone"):
        pulse.watched(fail)()
    clock.now += STUCK_AFTER_S * 2
    assert pulse.stuck_s() is None


def test_a_pool_is_stuck_when_every_thread_has_been_at_one_job_too_long(clock: Clock) -> None:
    pulse = Pulse(threads=2, clock=clock)
    done = threading.Event()
    started = [threading.Event(), threading.Event()]

    def job(number: int) -> None:
        started[number].set()
        assert done.wait(5)

    threads = [threading.Thread(target=pulse.watched(lambda number=number: job(number))) for number in (0, 1)]
    threads[0].start()
    assert started[0].wait(5)
    clock.now = STUCK_AFTER_S * 3
    assert pulse.stuck_s() is None  # the other thread is free
    threads[1].start()
    assert started[1].wait(5)
    clock.now += STUCK_AFTER_S
    assert pulse.stuck_s() is None  # and was, a moment ago
    clock.now += 1
    assert pulse.stuck_s() == STUCK_AFTER_S + 1
    done.set()
    for thread in threads:
        thread.join(5)
    assert pulse.stuck_s() is None


def test_a_stuck_service_neither_lives_nor_is_ready(live: Live, settings: Settings, clock: Clock) -> None:
    app = create_app(live, settings=settings)
    app.state.desk.pulse = Pulse(threads=1, clock=clock)
    began, done = threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        assert done.wait(5)

    hanging = threading.Thread(target=app.state.desk.pulse.watched(hang))
    with TestClient(app) as client:
        hanging.start()
        assert began.wait(5)
        assert client.get("/livez").status_code == 200
        clock.now = STUCK_AFTER_S + 1
        for path in ("/livez", "/readyz"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/stuck")
        done.set()
        hanging.join(5)
        assert client.get("/livez").status_code == 200
