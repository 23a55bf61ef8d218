# Runs `cari build` as asked on stdin, one JSON object a line, each in a process of its own that is killed, refused or
# watched as the request says; answers one JSON object a line. The libraries are imported once, for all of them.
#
# Meaning does not matter here: the hashing encoder stands in for the model.

from __future__ import annotations

import errno
import functools
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from system_calls import Call, put_under_supervision, supervise

import indexer.command as indexing
from api import command
from indexer import Embedding, HashingEncoder, embedding, publishing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

build_module = import_module("indexer.build")

STAGES = ("between", "read", "chunk", "embed", "index", "fsync", "rename", "prune")
COMMIT_PASSAGES = 2
# A disk that is slow at what is otherwise over before anybody could be killed in it.
SLOW_S = {"fsync": 0.004, "rename": 0.02, "prune": 0.004, "embed": 0.01, "read": 0.01, "chunk": 0.01, "index": 0.01}


class Page:
    """What the building process tells its parent, even when it is killed: shared memory."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def read(self) -> tuple[int, int]:
        """The stage, and how many texts were handed to the encoder."""
        return struct.unpack_from("=II", self._memory)

    def enter(self, stage: int) -> None:
        struct.pack_into("=I", self._memory, 0, stage)

    def embed(self, texts: int) -> None:
        struct.pack_into("=I", self._memory, 4, self.read()[1] + texts)

    @contextmanager
    def stage(self, name: str, *, slow: bool) -> Iterator[None]:
        before, now = self.read()[0], STAGES.index(name)
        self.enter(now)
        if slow:
            time.sleep(SLOW_S[name])
        yield
        self.enter(before)


class CountingEncoder(HashingEncoder):
    def __init__(self, page: Page, *, slow: bool) -> None:
        super().__init__()
        self._page = page
        self._slow = slow

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        with self._page.stage("embed", slow=self._slow):
            self._page.embed(len(texts))
            return super().embed_passages(texts)


def mark_stages(page: Page, *, slow: bool) -> None:
    """Let every step tell which it is."""

    def marked(owner: Any, name: str, stage: str) -> None:  # noqa: ANN401 - a module
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def step(*arguments: object, **named: object) -> object:
            with page.stage(stage, slow=slow):
                return inner(*arguments, **named)

        setattr(owner, name, step)

    def read(*arguments: object, **named: object) -> Iterator[object]:
        articles = inner_read(*arguments, **named)
        while True:
            with page.stage("read", slow=slow):
                article = next(articles, None)
            if article is None:
                return
            yield article

    inner_read, build_module.read_articles = build_module.read_articles, read
    marked(build_module, "chunk", "chunk")
    marked(build_module, "write_stories", "index")
    for name in ("write_segment", "write_vectors", "write_lexical", "token_offsets"):
        marked(embedding, name, "index")
    marked(publishing, "_sync", "fsync")
    marked(build_module, "prune", "prune")
    marked(os, "rename", "rename")
    marked(os, "replace", "rename")
    marked(publishing.shutil, "_rmtree_safe_fd", "prune")
    unlink = os.unlink

    def slow_unlink(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as os.unlink
        if slow and page.read()[0] == STAGES.index("prune"):
            time.sleep(SLOW_S["prune"])
        unlink(*arguments, **named)

    os.unlink = slow_unlink


def cari_build(request: dict[str, Any], page: Page) -> int:
    """The command as a person runs it; its exit status."""
    slow = bool(request.get("slow"))
    embedding._COMMIT_PASSAGES = COMMIT_PASSAGES
    indexing.prepare_model = lambda *_, **__: Path("hashing")
    indexing.no_graph_reason = lambda _folder: None
    indexing.open_encoder = lambda *_, **__: CountingEncoder(page, slow=slow)
    mark_stages(page, slow=slow)
    options = ["--index", request["index"], "--max-tokens", "96", "--keep", str(request["keep"]), "--json"]
    sys.argv = ["cari", "build", request["articles"], *options]
    try:
        command.main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0
    return 0


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One build in a child of this process; how it ended."""
    page = Page()
    here, there = socket.socketpair()
    watched = request.get("watch") is not None
    (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        status = 70  # left by an exception that the command does not know
        try:
            os.dup2(out_write, 1)
            os.dup2(err_write, 2)
            # As a command's own, opened when it began: they would still know the files that they wrote to before.
            sys.stdout, sys.stderr = (open(stream, "w", closefd=False) for stream in (1, 2))  # noqa: SIM115 - to the end
            if watched:
                put_under_supervision(there)
            status = cari_build(request, page)
            sys.stdout.flush()
        finally:
            if status == 70:
                sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            sys.stderr.flush()
            os._exit(status)
    os.close(out_write)
    os.close(err_write)
    there.close()
    asked: list[Call] = []
    if watched:
        supervise(here, answer=_judge(request, asked))
    elif request.get("kill_after_s") is not None:
        while page.read()[0] == 0:
            time.sleep(0.0005)
        began = time.monotonic()
        time.sleep(request["kill_after_s"])
        os.kill(pid, signal.SIGKILL)
    else:
        while page.read()[0] == 0 and select.select([out_read], [], [], 0)[0] == []:
            time.sleep(0.0005)
        began = time.monotonic()
    with open(out_read) as out, open(err_read) as err:  # noqa: PTH123 - pipes
        told, complained = out.read(), err.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    took_s = time.monotonic() - began
    here.close()
    stage, embedded = page.read()
    return {
        "status": status,
        "out": told,
        "err": complained,
        "stage": STAGES[stage],
        "embedded": embedded,
        "took_s": took_s,
        "calls": [(call.kind, call.path, call.target) for call in asked],
    }


def _judge(request: dict[str, Any], asked: list[Call]) -> Callable[[int, Call], int | None]:
    """Lets calls go on, but for the one of that number: with `kill` the process dies at it, else it is refused.

    A full disk (`lasting`) refuses all calls from then on that need room.
    """
    watch = request["watch"]
    place, kill, code = watch.get("at"), watch.get("kill", False), getattr(errno, watch.get("error", "EIO"))

    def answer(pid: int, call: Call) -> int | None:
        if not call.path.startswith(request["index"]) or (call.kind == "map" and not watch.get("maps")):
            return 0
        asked.append(call)
        number = len(asked) - 1
        if place is None or number < place:
            return 0
        if kill:
            os.kill(pid, signal.SIGKILL)
            return None
        if number == place or (watch.get("lasting") and call.kind in {"write", "create", "mkdir"}):
            return code
        return 0

    return answer


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


main()
