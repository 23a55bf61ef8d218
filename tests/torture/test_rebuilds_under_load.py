# Clients ask the service without end, and people the command line, while the index is rebuilt again and again.

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from api.settings import Settings
from indexer import HashingEncoder, current_generation, open_current
from search import Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    import pytest

    from indexer import BuildReport

    Connect = Callable[[], AbstractContextManager[httpx2.Client]]

MARK = re.compile(r"(?:alfa|beta)tanda")
PATIENCE_S = 60.0
SERVED_S = 60.0
COMMAND_LINES = 2


class InProcess:
    """The service, builds and searches in this process: the small form."""

    def __init__(self, index: Path, *, build_quietly: Callable[..., BuildReport]) -> None:
        self._index, self._build_quietly = index, build_quietly

    def build(self, corpus: Path) -> None:
        self._build_quietly(corpus, index=self._index, keep=0)

    def search(self, question: str) -> str:
        searcher = Searcher(open_current(self._index), encoder=HashingEncoder())
        hits = [hit.passage.text for hit in searcher.search(Query(text=question)).hits]
        return json.dumps({"generation": searcher.info.generation, "hits": hits})

    @contextmanager
    def serving(self) -> Iterator[Connect]:
        live = Live(
            lambda: Searcher(open_current(self._index), encoder=HashingEncoder()),
            read_current=lambda: current_generation(self._index),
            poll_interval_s=0.02,
        )
        with TestClient(create_app(live, settings=Settings(queue_timeout_s=PATIENCE_S))) as client:
            yield lambda: nullcontext(client)


class Processes:
    """A real `cari serve`, and a process for each build and search: the full form."""

    def __init__(self, index: Path, *, processes: ModuleType) -> None:
        self._index, self._processes = index, processes

    def _cari(self, *arguments: object) -> str:
        words = [*self._processes.command(hashing=True), *map(str, arguments), "--index", str(self._index)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def build(self, corpus: Path) -> None:
        self._cari("build", corpus, "--keep", 0)

    def search(self, question: str) -> str:
        return self._cari("search", question, "--json")

    @contextmanager
    def serving(self) -> Iterator[Connect]:
        log = self._index.parent / "service.log"
        with self._processes.service(self._index, hashing=True, log=log) as (url, pid):
            yield lambda: httpx2.Client(base_url=url, timeout=PATIENCE_S)
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
            assert len(set(re.findall(r"generations/([^/ ]+)/", maps))) <= 2, "old generations are held"


def ask(client: httpx2.Client, turn: int) -> tuple[str, str]:
    """The generation that answered, and the text of the answer, of one of several kinds of requests."""
    question = ("kapal tiba", "warga menonton banjir", "jembatan dan pasar", "gempa")[turn // 4 % 4]
    if turn % 4 == 0:
        searches = [{"q": f"{question} {number}", "group": "none"} for number in range(3)]
        answer = client.post("/v1/search/batch", json={"searches": searches})
    elif turn % 4 == 1:
        answer = client.get("/", params={"q": question}, headers={"Accept": "text/html"})
    else:
        answer = client.get("/v1/search", params={"q": question, "offset": turn % 3})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
    if turn % 4 == 1:
        return "", answer.text
    generations = set(re.findall(r'"generation":\s*"([^"]+)"', answer.text))
    assert len(generations) == 1, generations
    return generations.pop(), answer.text


def test_rebuilds_under_clients_cost_no_answer_and_mix_no_generations(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    processes: ModuleType,
    rounds: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARI_QUEUE_TIMEOUT_S", f"{PATIENCE_S:g}")
    index = tmp_path / "index"
    site: InProcess | Processes = InProcess(index, build_quietly=build_quietly)
    if rounds(small=0, full=1):
        site = Processes(index, processes=processes)
    rebuilds, clients = rounds(small=3, full=20), rounds(small=8, full=50)
    over, marks, mark_of = threading.Event(), list(two_corpora), {}
    seen: Counter[tuple[str, frozenset[str]]] = Counter()
    counting = threading.Lock()

    def rebuild(mark: str) -> str:
        site.build(two_corpora[mark])
        name = current_generation(index)
        mark_of[name] = mark
        return name

    def note(name: str, text: str) -> None:
        with counting:
            seen[name, frozenset(MARK.findall(text))] += 1

    def visit(turn: int, connect: Connect) -> None:
        with connect() as client:
            while not over.is_set():
                turn += 1
                note(*ask(client, turn))

    def search() -> None:
        while not over.is_set():
            answer = site.search("kapal dan banjir")
            note(json.loads(answer)["generation"], answer)

    rebuild(marks[1])
    with (
        site.serving() as connect,
        connect() as operator,
        ThreadPoolExecutor(clients + COMMAND_LINES) as pool,
    ):
        asking = [pool.submit(visit, number, connect) for number in range(clients)]
        asking += [pool.submit(search) for _ in range(COMMAND_LINES)]
        try:
            for number in range(rebuilds):
                name, until = rebuild(marks[number % 2]), time.monotonic() + SERVED_S
                while operator.get("/v1/index").json()["generation"] != name:
                    assert time.monotonic() < until, f"rebuild {number} was not served"
                    time.sleep(0.05)
        finally:
            over.set()
        errors = [repr(one.exception(PATIENCE_S)) for one in asking if one.exception(PATIENCE_S)]

    mixed = {(name, found): n for (name, found), n in seen.items() if len(found) != 1}
    wrong = {(name, found): n for (name, found), n in seen.items() if name and found != {mark_of.get(name)}}
    assert errors == []
    assert mixed == wrong == {}
    assert len(mark_of) == rebuilds + 1
    assert len({name for name, _ in seen} - {""}) > 1, "nobody asked while generations were replaced"
