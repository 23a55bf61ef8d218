from __future__ import annotations

import json
import multiprocessing
import os
import re
from typing import TYPE_CHECKING

import pytest

from indexer import IndexBusy
from indexer.lock import build_lock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

HOLDER = "build.lock.json"


def hold(index: Path, told: Connection) -> None:
    with build_lock(index):
        told.send("held")
        told.recv()


def die_holding(index: Path) -> None:
    with build_lock(index):
        os._exit(9)


def test_a_second_build_is_told_which_process_is_at_work_and_since_when(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(tmp_path, there))
    process.start()
    assert here.poll(60)
    here.recv()
    try:
        since = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
        expected = rf"{re.escape(str(tmp_path))} \(process {process.pid} on \S+, since {since}\); wait"
        with pytest.raises(IndexBusy, match=expected), build_lock(tmp_path):
            pass
    finally:
        here.send("go")
        process.join(60)

    assert process.exitcode == 0
    with build_lock(tmp_path):
        pass


def test_a_killed_build_holds_nothing_though_its_name_stays_behind(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_holding, args=(tmp_path,))
    process.start()
    process.join(60)
    assert json.loads((tmp_path / HOLDER).read_text())["pid"] == process.pid

    with build_lock(tmp_path):
        assert json.loads((tmp_path / HOLDER).read_text())["pid"] == os.getpid()

    assert not (tmp_path / HOLDER).exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '"text"', "{", "\udcff"])
def test_an_unreadable_name_of_the_holder_does_not_hide_that_it_is_busy(tmp_path: Path, content: str) -> None:
    with build_lock(tmp_path):
        (tmp_path / HOLDER).write_bytes(content.encode("utf-8", "surrogateescape"))
        with pytest.raises(IndexBusy, match="another build is at work in"), build_lock(tmp_path):
            pass


def test_the_lock_is_let_go_when_the_build_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="failed"), build_lock(tmp_path):
        raise RuntimeError("failed")

    with build_lock(tmp_path):
        pass
