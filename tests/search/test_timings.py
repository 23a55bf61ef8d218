from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from search import Lap, Mode, Query, Searcher, Stage, Timings
from search.timings import measuring, timed

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [{"id": f"{n}", "title": "", "text": f"Kapal nomor {n} kandas. Warga menonton.", "lang": "id"} for n in range(5)]


@pytest.fixture
def searcher(make_searcher: Callable[..., Searcher]) -> Searcher:
    return make_searcher(*ROWS)


def test_a_hybrid_search_tells_the_time_of_every_stage(searcher: Searcher) -> None:
    timings = searcher.search(Query(text="kapal kandas")).timings

    assert set(timings.ms) == set(Stage)
    assert timings.laps[0].stage is Stage.ENCODE
    assert timings.laps[-1].stage is Stage.SNIPPET
    assert all(took >= 0 for took in timings.ms.values())
    assert timings.began_ns > 1_600_000_000 * 10**9


@pytest.mark.parametrize(
    ("mode", "stages"),
    [
        (Mode.LEXICAL, {Stage.LEXICAL, Stage.SNIPPET}),
        (Mode.DENSE, {Stage.ENCODE, Stage.DENSE, Stage.LEXICAL, Stage.LATE, Stage.SNIPPET}),
    ],
)
def test_only_stages_that_took_part_have_a_time(searcher: Searcher, mode: Mode, stages: set[Stage]) -> None:
    assert set(searcher.search(Query(text="kapal kandas", mode=mode)).timings.ms) == stages


def test_laps_do_not_overlap(searcher: Searcher) -> None:
    laps = searcher.search(Query(text="kapal kandas", explain=True)).timings.laps

    for lap, following in pairwise(laps):
        assert lap.began_ms + lap.took_ms <= following.began_ms + 1e-6


def test_a_stage_within_a_stage_is_counted_once() -> None:
    with measuring() as watch, timed(Stage.SNIPPET), timed(Stage.LATE):
        pass

    assert [lap.stage for lap in watch.read().laps] == [Stage.SNIPPET, Stage.LATE, Stage.SNIPPET]


def test_laps_of_a_stage_add_up() -> None:
    timings = Timings(0, (Lap(Stage.DENSE, 0, 1.5), Lap(Stage.LATE, 2, 1), Lap(Stage.DENSE, 4, 0.5)))

    assert timings.ms == {Stage.DENSE: 2.0, Stage.LATE: 1.0}


def test_nothing_is_measured_outside_and_threads_do_not_mix() -> None:
    def elsewhere() -> None:
        with timed(Stage.DENSE):
            pass

    with measuring() as watch:
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join(5)

    assert watch.read().laps == ()
