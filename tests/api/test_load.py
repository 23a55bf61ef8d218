# Many questions at a time over the real server and the real search: answers as if each had been asked alone.

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from indexer import HashingEncoder, open_current
from search import Searcher
from search.batching_encoder import BatchingEncoder
from search.question_memory import QuestionMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from api.settings import Settings
    from indexer.encoder import Embedding

    from .conftest import Served

WORDS = ("kapal", "kandas", "feri", "muara", "harga", "beras", "panen", "bus", "listrik", "air", "surut", "warga")
ROWS = [
    {
        "id": f"{n}",
        "title": f"Berita {n}",
        "text": f"{WORDS[n % 12]} {WORDS[n % 7]} nomor {n}. Warga menonton {WORDS[n % 5]}. {WORDS[n % 11]} lagi.",
        "source": WORDS[n % 3],
        "lang": "id",
    }
    for n in range(40)
]


class Counting(HashingEncoder):
    """Takes a moment as a model does, and notes how many questions each of its runs had."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        self.runs.append(len(texts))
        time.sleep(0.005)
        return super().embed_queries(texts)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def live(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., Any], counting: Counting
) -> Live:
    build_quietly(write_rows(tmp_path / "articles.jsonl", ROWS), index=tmp_path / "index")
    generation = open_current(tmp_path / "index")
    searcher = Searcher(generation, encoder=BatchingEncoder(counting), memory=QuestionMemory())
    counting.runs.clear()
    return Live(lambda: searcher, read_current=lambda: generation.name, poll_interval_s=3_600)


def answer(port: int, question: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/v1/search?q={quote(question)}&explain=true")
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    assert response.status == 200, content
    del content["request_id"], content["took_ms"]
    return content


def test_answers_under_load_are_those_that_are_given_alone(
    serve: Callable[..., Served], live: Live, counting: Counting
) -> None:
    port = serve(max_threads=8).port
    questions = [f"{WORDS[n % 12]} {WORDS[n % 5]} {n}" for n in range(60)]
    counting.runs.clear()
    with ThreadPoolExecutor(16) as clients:
        under_load = list(clients.map(lambda question: answer(port, question), questions))
    assert max(counting.runs) > 1
    assert sum(counting.runs) == len(questions)

    alone = Searcher(live.searcher._generation, encoder=HashingEncoder())
    live._searcher = alone
    assert [answer(port, question) for question in questions] == under_load


def test_paging_and_choosing_among_the_answers_asks_the_model_once(
    live: Live, settings: Settings, counting: Counting
) -> None:
    with TestClient(create_app(live, settings=settings)) as client:
        counting.runs.clear()
        asked = {"q": "kapal kandas", "limit": 5}
        for change in ({}, {"offset": 5}, {"offset": 10}, {"source": "feri"}, {"group": "none"}):
            assert client.get(f"/v1/search?{urlencode(asked | change)}").json()["degraded"] is None
        assert client.post("/v1/search", json=asked).status_code == 200
        assert client.get("/?q=kapal+kandas&page=2", headers={"accept": "text/html"}).status_code == 200
        metrics = client.get("/metrics").text

    assert counting.runs == [1]
    assert "\ncari_remembered_questions_total 6.0\n" in metrics
    assert "kandas" not in metrics
