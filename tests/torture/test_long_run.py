# A service that is asked all day long: its memory, files and threads stay what they were after the first hours.

from __future__ import annotations

import http.client
import json
import random
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from indexer import BuildReport

CLIENTS = 3
SEARCH_THREADS = 8
GROWTH = 1.05
ANSWERED = {200, 204, 304, 400, 401, 404, 405, 413, 415, 421, 422}
WORDS = (
    *("apa", "siapa", "kapan", "mengapa", "kapal", "banjir", "sekolah", "pasar", "jembatan", "panen", "gempa"),
    *("what", "who", "when", "why", "ship", "flood", "school", "market", "bridge", "harvest", "2026", "1,5", "%"),
)
ODD = (
    "\0", "\u200b", "\u202e", "\ufeff", "\U0001f30a", "é", "e\u0301", "ß", "漢字", "שלום", "مرحبا", "\n", "\t",
    "<script>", "&amp;", "' OR 1=1 --", '"', "\\", "%00", "../", "{{7*7}}", "${x}", "A" * 80, "a-" * 40,
)  # fmt: skip
MALFORMED = (
    {"q": ""}, {"q": " \u200b"}, {"q": "a", "limit": "0"}, {"q": "a", "limit": "x"}, {"q": "a", "offset": "99999"},
    {"q": "a", "from": "2026-13-01"}, {"q": "a", "mode": "best"}, {"q": "a", "lang": "xx" * 9}, {"limit": "5"},
    {"q": "a", "nothing": "such"}, {"q": "a" * 10_001}, {"q": "a", "from": "2026-02-01", "to": "2026-01-01"},
)  # fmt: skip


@dataclass(slots=True)
class Request:
    """One request, and how many questions it asks."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    questions: int = 1


def question(chance: random.Random) -> str:
    """Of one to sixty words, sometimes in capitals, sometimes with characters that nobody types."""
    words = chance.choices(WORDS, k=min(1 + int(chance.expovariate(1 / 6)), 60))
    words += [str(chance.randrange(10**9))] * (chance.random() < 0.5)  # never asked before
    if chance.random() < 0.2:
        words.insert(chance.randrange(len(words)), chance.choice(ODD))
    text = " ".join(words)
    return text.upper() if chance.random() < 0.05 else text


def search_fields(chance: random.Random) -> dict[str, Any]:
    """A search as a body writes it."""
    fields: dict[str, Any] = {
        "q": question(chance),
        "limit": 100 if chance.random() < 0.01 else chance.randrange(1, 5),
    }
    optional = {
        "offset": chance.choice((0, 10, 40, 900)),
        "lang": [chance.choice(("id", "en", "und"))],
        "source": [chance.choice(("alfatanda", f"nobody {chance.randrange(10**6)}"))],
        "from": f"20{chance.randrange(10, 27)}-01-01",
        "mode": chance.choice(("hybrid", "dense", "lexical")),
        "group": chance.choice(("article", "none")),
        "explain": chance.random() < 0.2,
    }
    return fields | {name: value for name, value in optional.items() if chance.random() < 0.25}


def made(seed: int) -> Request:  # noqa: PLR0911 - one a kind
    """The request of that number: the same one in every run."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    kind = chance.random()
    headers = {"X-Request-ID": chance.choice((f"id-{seed}", "x" * 300, "not an id"))} if seed % 5 == 0 else {}
    if kind < 0.55:
        fields = search_fields(chance)
        if chance.random() < 0.1:
            headers["Accept-Encoding"] = "gzip"
        if chance.random() < 0.1:
            headers["If-None-Match"] = f'W/"{seed:027d}"'
        written = {name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()}
        return Request("GET", f"/v1/search?{urlencode(written, doseq=True)}", headers=headers)
    if kind < 0.65:
        body = json.dumps(search_fields(chance)).encode()
        return Request("POST", "/v1/search", body, headers | {"Content-Type": "application/json"})
    if kind < 0.70:
        searches = [search_fields(chance) for _ in range(chance.randrange(1, 21))]
        body = json.dumps({"searches": searches}).encode()
        return Request("POST", "/v1/search/batch", body, {"Content-Type": "application/json"}, len(searches))
    if kind < 0.80:
        where = {"q": question(chance), "ui": chance.choice(("id", "en"))} if chance.random() < 0.9 else {}
        return Request("GET", f"/?{urlencode(where)}", headers={"Accept": "text/html", "Accept-Language": "en"})
    if kind < 0.88:
        name = chance.choice(
            (f"alfatanda/{chance.randrange(10)}", f"nothing/{seed}", quote(chance.choice(ODD), safe=""))
        )
        return Request("GET", f"/v1/articles/{name}{chance.choice(('', '/similar', '?x=1'))}")
    if kind < 0.94:
        return Request("GET", f"/v1/search?{urlencode(chance.choice(MALFORMED))}", headers=headers)
    return chance.choice(
        (
            Request("GET", f"/no/such/address/{seed}"),
            Request(f"M{seed}", "/v1/search?q=a"),
            Request("OPTIONS", "/v1/search"),
            Request("HEAD", "/v1/search?q=kapal"),
            Request("POST", "/v1/search", b'{"q": "a', {"Content-Type": "application/json"}),
            Request("POST", "/v1/search", b"\xff\xfe" * 9, {"Content-Type": f"text/{seed}"}),
            Request("POST", "/v1/search/batch", b" " * 70_000, {"Content-Type": "application/json"}),
            Request("GET", "/v1/search?q=%ff%zz"),
            Request("GET", "/v1/search?q=a", headers={"Host": f"h{seed}.example"}),
            Request("GET", "/v1/search?q=a", headers={"Authorization": f"Bearer cari_{seed}"}),
            Request("GET", "/v1/index"),
            Request("GET", "/metrics"),
            Request("GET", "/static/search.js"),
        )
    )


class Questioning:
    """Clients who between them make the requests of a range of numbers, one after the other each."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._turn = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.seed = 0

    def ask(self, questions: int) -> None:
        """Ask until so many questions are asked.

        Raises:
            AssertionError: an answer failed; it names the request.
        """
        self._left = questions
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(self._client) for _ in range(CLIENTS)]:
                done.result()

    def _client(self) -> None:
        with closing(http.client.HTTPConnection(self._address, timeout=60)) as connection:
            while (asked := self._next()) is not None:
                seed, new = asked
                connection.request(new.method, new.path, new.body, new.headers)
                answer = connection.getresponse()
                content = answer.read()
                with self._turn:
                    self.statuses[answer.status] += 1
                assert answer.status in ANSWERED, f"request {seed}, {new}: {answer.status} {content[:300]!r}"

    def _next(self) -> tuple[int, Request] | None:
        with self._turn:
            if self._left <= 0:
                return None
            self.seed += 1
            new = made(self.seed)
            self._left -= new.questions
            return self.seed, new


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    rss_kib: int
    files: int
    threads: int


def held(pid: int) -> Held:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    counted = {name: int(count) for name, count in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.MULTILINE)}
    return Held(counted["VmRSS"], len(list(Path(f"/proc/{pid}/fd").iterdir())), counted["Threads"])


def watch(url: str, pid: int, *, warm_up: int, questions: int) -> None:
    """Ask, and compare what the service holds before and after.

    Raises:
        AssertionError: an answer failed, or the service holds more than before.
    """
    asking = Questioning(url)
    asking.ask(warm_up)
    before = held(pid)
    for part in range(4):
        asking.ask(questions // 4)
        after = held(pid)
        print(f"after {warm_up + (part + 1) * (questions // 4)} questions: {after}, at first {before}")  # noqa: T201
    assert {200, 404, 422} <= set(asking.statuses), asking.statuses
    assert after.rss_kib < before.rss_kib * GROWTH
    # A connection may be closing still, and threads that were idle for ten seconds end until they are needed.
    assert after.files <= before.files + CLIENTS
    assert after.threads <= before.threads + SEARCH_THREADS


def test_memory_files_and_threads_do_not_grow_with_questions(
    tmp_path: Path,
    two_corpora: dict[str, Path],
    build_quietly: Callable[..., BuildReport],
    processes: ModuleType,
    rounds: Callable[..., int],
) -> None:
    index = tmp_path / "index"
    build_quietly(two_corpora["alfatanda"], index=index)

    with processes.service(index, hashing=True, log=tmp_path / "service.log") as (url, pid):
        watch(url, pid, warm_up=rounds(small=300, full=10_000), questions=rounds(small=600, full=100_000))


@pytest.mark.model
def test_memory_files_and_threads_do_not_grow_with_questions_that_the_model_reads(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    repository: Path,
    build_quietly: Callable[..., BuildReport],
    processes: ModuleType,
    rounds: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if not rounds(small=0, full=1):
        pytest.skip("minutes of the model's time: make torture runs it")
    monkeypatch.setenv("CARI_MODEL_CACHE", str(request.getfixturevalue("model_cache")))
    index = tmp_path / "index"
    build_quietly(repository / "corpus" / "sample", index=index, encoder=request.getfixturevalue("embedded"))

    with processes.service(index, hashing=False, log=tmp_path / "service.log") as (url, pid):
        # Longer until it is warm: the engine keeps memory for each length of a question, in steps of 8 tokens.
        watch(url, pid, warm_up=2_400, questions=2_400)
