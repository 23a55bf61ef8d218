from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from indexer import HashingEncoder, IndexDamaged, IndexNotFound, current_generation, open_current
from search import Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api.settings import Settings
    from indexer import BuildReport
    from search import Answer

    from .conftest import FakeSearcher


class Shelf:
    """Stands for the folder: what CURRENT names, and opening it."""

    def __init__(self, make_searcher: type[FakeSearcher]) -> None:
        self.make = make_searcher
        self.current: str | None = "one"
        self.damaged: set[str] = set()
        self.opened: list[str] = []

    def open(self) -> FakeSearcher:
        assert self.current is not None
        self.opened.append(self.current)
        if self.current in self.damaged:
            raise IndexDamaged(f"{self.current}: vectors.bin is short; run: cari build PATH --index DIR")
        return self.make(generation=self.current)


class Wordy:
    """A searcher that has lost its model."""

    def __init__(self, searcher: FakeSearcher) -> None:
        self.info = searcher.info
        self._searcher = searcher

    def search(self, query: Query) -> Answer:
        return replace(self._searcher.search(query), degraded="words only")


@pytest.fixture
def shelf(make_searcher: type[FakeSearcher]) -> Shelf:
    return Shelf(make_searcher)


@pytest.fixture
def following(shelf: Shelf) -> Live:
    return Live(shelf.open, read_current=lambda: shelf.current, poll_interval_s=0.01)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not what():
        assert time.monotonic() < until, "waited 5 s"
        time.sleep(0.01)


def test_the_first_index_is_warmed_before_it_is_used(following: Live) -> None:
    assert len(following.searcher.queries) == 1


def test_a_folder_without_an_index_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="cari build"):
        Live.open(tmp_path / "nothing", model_cache=tmp_path)


def test_a_new_generation_is_opened_warmed_and_swapped_in(following: Live, shelf: Shelf) -> None:
    shelf.current = "two"

    assert following.check()
    assert following.searcher.info.generation == "two"
    assert len(following.searcher.queries) == 1


def test_nothing_is_opened_while_current_stays(following: Live, shelf: Shelf) -> None:
    assert not following.check()
    assert shelf.opened == ["one"]


def test_a_bad_generation_leaves_the_old_one_in_use_and_says_why(
    following: Live, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.current = "two"
    shelf.damaged = {"two"}

    assert not following.check()
    assert following.searcher.info.generation == "one"
    assert following.reload_error is not None
    assert following.reload_error.generation == "two"
    assert "vectors.bin is short" in following.reload_error.reason
    assert "vectors.bin is short" in caplog.text


def test_a_bad_generation_is_not_opened_again_at_every_look(following: Live, shelf: Shelf) -> None:
    shelf.current = "two"
    shelf.damaged = {"two"}
    following.check()
    following.check()

    assert shelf.opened == ["one", "two"]


def test_the_next_good_generation_clears_the_error(following: Live, shelf: Shelf) -> None:
    shelf.current = "two"
    shelf.damaged = {"two"}
    following.check()
    shelf.current = "three"

    assert following.check()
    assert following.reload_error is None


def test_going_back_to_the_generation_in_use_clears_the_error(following: Live, shelf: Shelf) -> None:
    shelf.current = "two"
    shelf.damaged = {"two"}
    following.check()
    shelf.current = "one"
    following.check()

    assert following.reload_error is None


def test_a_folder_that_is_emptied_leaves_the_old_one_in_use(following: Live, shelf: Shelf) -> None:
    shelf.current = None
    following.check()

    assert following.searcher.info.generation == "one"
    assert following.reload_error is not None


def test_the_old_searcher_goes_with_its_last_reference(following: Live, shelf: Shelf) -> None:
    old = weakref.ref(following.searcher)
    shelf.current = "two"
    following.check()
    gc.collect()

    assert old() is None


def test_a_running_app_follows_current_and_reports_what_it_refused(
    following: Live, shelf: Shelf, settings: Settings
) -> None:
    with TestClient(create_app(following, settings=settings)) as client:
        shelf.current = "two"
        wait_for(lambda: client.get("/v1/index").json()["generation"] == "two")
        shelf.damaged = {"three"}
        shelf.current = "three"
        wait_for(lambda: client.get("/v1/index").json()["reload_error"] is not None)

        index = client.get("/v1/index").json()
        assert index["generation"] == "two"
        assert index["reload_error"]["generation"] == "three"
        assert client.get("/readyz").status_code == 200


def test_an_index_may_be_opened_beside_the_running_app(shelf: Shelf, settings: Settings) -> None:
    opening = threading.Event()
    open_new = shelf.open

    def slowly() -> FakeSearcher:
        assert opening.wait(5)
        return open_new()

    live = Live(slowly, read_current=lambda: shelf.current, poll_interval_s=0.01, wait=False)
    with TestClient(create_app(live, settings=settings)) as client:
        refused = [client.get(path) for path in ("/readyz", "/v1/search?q=a", "/v1/index")]
        assert [(one.status_code, one.json()["type"]) for one in refused] == [(503, "/problems/not-ready")] * 3
        assert all(int(one.headers["Retry-After"]) > 0 for one in refused)
        assert client.get("/livez").status_code == 200
        opening.set()
        live.opened()

        assert client.get("/readyz").status_code == 200
        assert client.get("/v1/search?q=a").status_code == 200


def test_an_index_that_does_not_open_beside_the_app_is_told_to_who_waits(shelf: Shelf) -> None:
    shelf.damaged = {"one"}
    live = Live(shelf.open, read_current=lambda: shelf.current, wait=False)
    live.start()
    with pytest.raises(IndexDamaged, match="short"):
        live.opened()
    live.stop()
    assert not live.ready


def test_every_attempt_to_replace_is_reported(following: Live, shelf: Shelf) -> None:
    outcomes: list[str] = []
    following.on_reload = outcomes.append
    shelf.damaged = {"two"}
    for shelf.current in ("two", "two", "three", "three"):
        following.check()

    assert outcomes == ["failed", "ok"]


def test_a_generation_without_its_model_does_not_replace_one_that_has_it(following: Live, shelf: Shelf) -> None:
    make = shelf.make
    shelf.make = lambda **given: Wordy(make(**given))
    shelf.current = "two"

    assert not following.check()
    assert following.searcher.info.generation == "one"
    assert "model" in following.reload_error.reason


def test_of_two_generations_without_their_model_the_newer_one_answers(shelf: Shelf) -> None:
    make = shelf.make
    shelf.make = lambda **given: Wordy(make(**given))
    live = Live(shelf.open, read_current=lambda: shelf.current)
    shelf.current = "two"

    assert live.check()
    assert live.reload_error is None


def test_an_answer_under_way_stays_with_the_generation_it_began_with(
    following: Live, shelf: Shelf, settings: Settings
) -> None:
    began, swapped = threading.Event(), threading.Event()
    old = following.searcher
    search = old.search

    def slow(query: Query) -> Answer:
        began.set()
        assert swapped.wait(5)
        return search(query)

    old.search = slow
    answers = []
    with TestClient(create_app(following, settings=settings)) as client:
        asking = threading.Thread(target=lambda: answers.append(client.get("/v1/search?q=a").json()))
        asking.start()
        assert began.wait(5)
        shelf.current = "two"
        wait_for(lambda: following.searcher.info.generation == "two")
        swapped.set()
        asking.join(5)
        after = client.get("/v1/search?q=a").json()

    assert answers[0]["index"]["generation"] == "one"
    assert after["index"]["generation"] == "two"


def test_a_generation_that_is_removed_goes_on_answering(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    rows = [{"id": "kapal", "title": "Kapal", "text": "Sebuah kapal kandas. Warga menonton.", "language": "id"}]
    index = tmp_path / "index"
    build_quietly(write_rows(tmp_path / "articles.jsonl", rows), index=index)
    live = Live(
        lambda: Searcher(open_current(index), encoder=HashingEncoder()), read_current=lambda: current_generation(index)
    )
    shutil.rmtree(index)
    live.check()

    answer = live.searcher.search(Query(text="kapal kandas", explain=True))
    assert answer.hits[0].article.title == "Kapal"
    assert live.searcher.article("kapal") is not None
    assert live.searcher.similar("kapal").total == 0
    assert live.reload_error is not None
    assert "cari build" in live.reload_error.reason
