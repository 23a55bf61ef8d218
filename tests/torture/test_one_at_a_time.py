# Builds and rollbacks at once: one changes the folder, the others are refused or come after it.

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest

from indexer import HashingEncoder, IndexBusy, IndexNotFound, IndexNotWritable, current_generation, open_current
from indexer.current import generation_folder, generation_names
from indexer.generation import verify
from indexer.publishing import rollback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from indexer import BuildReport, Embedding

LOCK, HOLDER = "build.lock", "build.lock.json"


class Paused(HashingEncoder):
    """Stops in the middle of a build until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        self.reached.set()
        assert self.go_on.wait(60)
        return super().embed_passages(texts)


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        # The journal's index is shared memory: the build that is at work writes it when it likes.
        if path.is_file() and path.suffix != ".sqlite-shm"
    }


def mark_of(index: Path) -> str:
    """The one mark that all articles of the live generation carry."""
    opened = open_current(index)
    (mark,) = {opened.store.article(row).source for row in range(opened.store.n_articles)}
    return mark


def test_what_comes_while_a_build_is_at_work_is_refused_by_name_and_changes_nothing(
    tmp_path: Path, two_corpora: dict[str, Path], build_quietly: Callable[..., BuildReport]
) -> None:
    index, encoder = tmp_path / "index", Paused()
    first, second = two_corpora.values()
    for _ in range(2):
        build_quietly(first, index=index)
        build_quietly(second, index=index)
    third = tmp_path / "third.jsonl"
    third.write_text('{"id": "gamma", "text": "Kalimat yang belum pernah dibaca.", "source": "gammatanda"}\n')
    with ThreadPoolExecutor() as pool:
        building = pool.submit(build_quietly, third, index=index, encoder=encoder)
        assert encoder.reached.wait(60)
        before = content(index)
        named = rf"another build is at work in {re.escape(str(index))} \(process {os.getpid()} on \S+, since .*\); wait"
        try:
            with pytest.raises(IndexBusy, match=named):
                build_quietly(first, index=index)
            with pytest.raises(IndexBusy, match=named):
                rollback(index)
            assert content(index) == before
        finally:
            encoder.go_on.set()
        built = building.result(60)

    assert built.generation == current_generation(index)
    assert mark_of(index) == "gammatanda"
    assert build_quietly(first, index=index).added == 10  # who was refused asks again, and that is all it takes
    rollback(index)
    assert mark_of(index) == "gammatanda"


def test_changes_at_once_leave_an_index_that_is_exactly_what_one_of_them_made(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    processes: ModuleType,
    rounds: Callable[..., int],
) -> None:
    index = tmp_path / "index"
    in_full = rounds(small=0, full=1)

    def run(*arguments: object) -> str:
        """What a change says when it is refused, else nothing."""
        if in_full:
            words = [*processes.command(hashing=True), *map(str, arguments), "--index", str(index)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode in {0, 1}, done.stderr
            return done.stderr if done.returncode else ""
        try:
            if arguments[0] == "build":
                build_quietly(arguments[1], index=index, keep=arguments[3])
            else:
                rollback(index)
        except (IndexBusy, IndexNotFound) as error:
            return str(error)
        return ""

    run("build", two_corpora["alfatanda"], "--keep", 1)
    for number in range(rounds(small=4, full=25)):
        changes = [("build", corpus, "--keep", number % 3) for corpus in two_corpora.values()] + [("rollback",)]
        with ThreadPoolExecutor(len(changes)) as pool:
            refused = list(pool.map(lambda change: run(*change), changes))

        expected = r"another (build|rollback) is at work in \S+ \(process \d+ on|no good generation before"
        assert all(re.search(expected, said) for said in refused if said), (number, refused)
        assert not all(refused), (number, refused)
        for name in generation_names(index):
            verify(generation_folder(index, name))
        assert mark_of(index) in two_corpora, number
        assert not [path.name for path in index.iterdir() if path.name in {".building", HOLDER}], number


@pytest.mark.parametrize("work", ["build", "rollback"])
@pytest.mark.parametrize(
    ("pid", "host"),
    [(os.getpid(), socket.gethostname()), (1, socket.gethostname()), (2**22 + 1, "elsewhere"), ("?", None)],
    ids=["this process", "a number used again", "another host", "nonsense"],
)
def test_what_a_dead_holder_left_is_taken_over_whoever_bears_its_number_now(  # noqa: PLR0917 - fixtures and cases
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    pid: object,
    host: str | None,
    work: str,
) -> None:
    index = tmp_path / "index"
    for corpus in two_corpora.values():
        build_quietly(corpus, index=index)
    holder = {"work": "build", "pid": pid, "host": host, "since": "2026-01-01T00:00:00+00:00"}
    (index / HOLDER).write_text(json.dumps(holder))
    (index / LOCK).write_text(f"{pid}\n{host}\n")

    if work == "build":
        assert build_quietly(two_corpora["alfatanda"], index=index).published
    else:
        rollback(index)

    assert mark_of(index) == "alfatanda"
    assert not (index / HOLDER).exists()


def test_a_file_system_without_locks_is_refused_rather_than_trusted(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without(*_: object) -> NoReturn:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", without)

    with pytest.raises(IndexNotWritable, match=r"cannot lock files .*; keep the index on"):
        build_quietly(two_corpora["alfatanda"], index=tmp_path / "index")
    assert not (tmp_path / "index" / HOLDER).exists()


def test_a_rollback_that_the_disk_refuses_says_what_to_do_and_changes_nothing(
    tmp_path: Path, two_corpora: dict[str, Path], build_quietly: Callable[..., BuildReport]
) -> None:
    index = tmp_path / "index"
    for corpus in two_corpora.values():
        build_quietly(corpus, index=index)
    (index / ".CURRENT.new").mkdir()  # in the way of what is written first

    with pytest.raises(IndexNotWritable, match=r"cannot change what is live .*run again: cari rollback"):
        rollback(index)
    assert mark_of(index) == "betatanda"


def test_a_rollback_makes_no_folder_where_there_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match=r"no generation in .*cari build"):
        rollback(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
