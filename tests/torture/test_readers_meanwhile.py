# Opening and using an index while builds replace its generations and remove the old ones.

from __future__ import annotations

import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer import HashingEncoder, IndexDamaged, current_generation, generation, open_current
from indexer.current import generation_folder, read_live
from indexer.manifest import read_manifest
from search import Filters, Group, Mode, Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer import BuildReport

READERS = 3


def first_time(what: Callable[..., object], before: Callable[[], object]) -> Callable[..., object]:
    """`what`, with `before` called before its first call."""
    waiting = [before]

    def call(*given: object, **named: object) -> object:
        while waiting:
            waiting.pop()()
        return what(*given, **named)

    return call


def everything(searcher: Searcher, mark: str) -> list[object]:
    """Answers that between them read every file of a generation."""
    asked = Query(text=f"kapal {mark} banjir", explain=True)
    narrow = Filters(languages=frozenset({"id"}), sources=frozenset({mark}), published_to=date(2030, 1, 1))
    questions = [
        asked,
        replace(asked, mode=Mode.LEXICAL),
        replace(asked, mode=Mode.DENSE, group=Group.NONE, limit=50),
        replace(asked, filters=narrow, offset=1),
    ]
    answers: list[object] = [
        replace(searcher.search(query), timings=None)  # times alone may differ
        for query in questions
    ]
    article = searcher.article(f"{mark}/3")
    return [*answers, searcher.similar(f"{mark}/3"), article, searcher.passages_of(f"{mark}/3"), searcher.drawn(most=5)]


def opened_files(index: Path) -> list[str]:
    """Files of the index that this process has open or mapped."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    descriptors = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            descriptors.append(str(entry.readlink()))
    return [name for name in [*maps, *descriptors] if str(index) in name]


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_readers_that_open_while_builds_replace_and_remove_see_no_error(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    rounds: Callable[..., int],
    keep: int,
) -> None:
    index, over = tmp_path / "index", threading.Event()
    marks = list(two_corpora)
    mark_of = {build_quietly(two_corpora[marks[1]], index=index).generation: marks[1]}

    def read() -> set[tuple[str, str, str]]:
        """Each generation that was opened, with its marks, by what the searcher and the manifest say."""
        seen = set()
        while not over.is_set():
            searcher = Searcher(open_current(index), encoder=HashingEncoder())
            answer = searcher.search(Query(text="kapal tiba di muara"))
            seen |= {(searcher.info.generation, hit.article.source, hit.passage.text.split()[0]) for hit in answer.hits}
            assert read_live(index, read_manifest).articles == 10
        return seen

    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(rounds(small=3, full=100)):
                mark = marks[number % 2]
                mark_of[build_quietly(two_corpora[mark], index=index, keep=keep).generation] = mark
        finally:
            over.set()
        seen = set().union(*(one.result(60) for one in reading))

    assert len({name for name, *_ in seen}) > 1, "nobody read while generations were replaced"
    assert {(source, first) for name, source, first in seen if {source, first} != {mark_of[name]}} == set()


@pytest.mark.parametrize(
    "step", ["verify", "Store", "open_vectors", "TokenStore", "read_offsets", "LexicalIndex", "read_sketches"]
)
def test_a_generation_that_goes_while_it_is_opened_is_left_for_the_one_that_came(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    index = tmp_path / "index"
    old, new = two_corpora.values()
    build_quietly(old, index=index)

    def replace_it() -> None:
        monkeypatch.undo()
        build_quietly(new, index=index, keep=0)

    monkeypatch.setattr(generation, step, first_time(getattr(generation, step), replace_it))
    opened = open_current(index)

    assert opened.name == current_generation(index)
    assert opened.store.article(0).source == "betatanda"


def test_damage_is_still_told_where_nothing_replaced_it(
    tmp_path: Path, two_corpora: dict[str, Path], build_quietly: Callable[..., BuildReport]
) -> None:
    index = tmp_path / "index"
    name = build_quietly(two_corpora["alfatanda"], index=index).generation
    (generation_folder(index, name) / "stories.npy").unlink()

    with pytest.raises(IndexDamaged, match=r"stories\.npy is missing"):
        open_current(index)


def test_verify_does_not_call_damaged_what_a_build_removes_meanwhile(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    cari: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index, commands = tmp_path / "index", import_module("indexer.command")
    for corpus in two_corpora.values():
        build_quietly(corpus, index=index)
    replacing = first_time(commands.verify, lambda: build_quietly(two_corpora["alfatanda"], index=index, keep=0))
    monkeypatch.setattr(commands, "verify", replacing)

    done = cari("verify", "--index", index, "--json")

    assert done.status == 0, done.out + done.err
    assert json.loads(done.out)["generations"] == [
        {"generation": current_generation(index), "live": True, "ok": True, "reason": None}
    ]


def test_a_generation_in_use_answers_the_same_when_builds_have_removed_it(
    tmp_path: Path, two_corpora: dict[str, Path], build_quietly: Callable[..., BuildReport]
) -> None:
    index = tmp_path / "index"
    old, new = two_corpora
    name = build_quietly(two_corpora[old], index=index).generation
    used, idle = (Searcher(open_current(index), encoder=HashingEncoder()) for _ in range(2))
    before = everything(used, old)
    build_quietly(two_corpora[new], index=index, keep=0)

    assert not generation_folder(index, name).exists()
    assert everything(used, old) == before
    # One that was open, and was asked nothing before its files were gone: nothing is opened late.
    assert everything(idle, old) == before


def test_what_was_replaced_lets_go_of_its_files_with_the_last_who_holds_it(
    tmp_path: Path, two_corpora: dict[str, Path], build_quietly: Callable[..., BuildReport]
) -> None:
    index = tmp_path / "index"
    build_quietly(two_corpora["alfatanda"], index=index)
    searcher: Searcher | None = Searcher(open_current(index), encoder=HashingEncoder())
    everything(searcher, "alfatanda")
    assert opened_files(index), "a generation in use has files open"

    searcher = None
    gc.collect()

    assert opened_files(index) == []
