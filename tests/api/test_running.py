# Real processes: how the service starts, and how it goes away.

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS = [{"id": "kapal", "title": "Kapal", "text": "Sebuah kapal kandas di muara.", "language": "id"}]

# A service whose questions about "pelan" take a second.
SERVICE = """
import sys, time, uvicorn
from pathlib import Path
from api import running, serving
from api.app import create_app
from api.live import Live
from api.settings import Settings
from indexer import HashingEncoder, open_current
from search import Searcher

class Slow(HashingEncoder):
    def embed_queries(self, texts):
        if "pelan" in texts[0]:
            print("began", flush=True)
            time.sleep(1)
        return super().embed_queries(texts)

index, port, delay_s = sys.argv[1:]
searcher = Searcher(open_current(Path(index)), encoder=Slow())
live = Live(lambda: searcher, read_current=lambda: searcher.info.generation, wait=False)
app = create_app(live, settings=Settings(drain_delay_s=float(delay_s)))
config = uvicorn.Config(app, port=int(port), **serving.SERVER_OPTIONS)
running.run(config, live=live, announce=lambda info: print("open", info.generation, flush=True))
"""


@pytest.fixture(scope="module")
def index(
    tmp_path_factory: pytest.TempPathFactory, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> Path:
    folder = tmp_path_factory.mktemp("running")
    build_quietly(write_rows(folder / "articles.jsonl", ROWS), index=folder / "index")
    return folder / "index"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def service(index: Path, port: int, *, delay_s: float = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SERVICE, str(index), str(port), str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("open ")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def get(port: int, path: str) -> tuple[int, Any]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def ask_slowly(process: subprocess.Popen[str], port: int, answers: list[tuple[int, Any]]) -> threading.Thread:
    asking = threading.Thread(target=lambda: answers.append(get(port, "/v1/search?q=kapal+pelan")))
    asking.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    return asking


def test_told_to_stop_it_finishes_what_it_is_answering_and_leaves_with_0(index: Path, port: int) -> None:
    answers: list[tuple[int, Any]] = []
    with service(index, port) as process:
        asking = ask_slowly(process, port, answers)
        process.send_signal(signal.SIGTERM)
        asking.join(10)
        process.communicate(timeout=10)

    assert process.returncode == 0
    (answer,) = answers
    assert answer[0] == 200
    assert answer[1]["hits"][0]["article"]["id"] == "kapal"
    with pytest.raises(URLError):
        get(port, "/livez")


def test_with_a_delay_it_is_unready_before_it_stops_accepting(index: Path, port: int) -> None:
    with service(index, port, delay_s=1) as process:
        assert get(port, "/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 5
        while get(port, "/readyz")[0] == 200:
            assert time.monotonic() < until
            time.sleep(0.01)

        status, problem = get(port, "/readyz")
        assert (status, problem["type"]) == (503, "/problems/not-ready")
        assert "going away" in problem["detail"]
        assert get(port, "/v1/search?q=kapal")[0] == 200
        assert get(port, "/livez")[0] == 200
        process.communicate(timeout=10)

    assert process.returncode == 0


def test_a_second_signal_ends_the_delay(index: Path, port: int) -> None:
    with service(index, port, delay_s=60) as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert process.returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_index_at_the_start_is_one_line_and_exit_1(
    workers: int, tmp_path: Path, port: int, write_rows: Callable[..., Path], build_quietly: Callable[..., Any]
) -> None:
    build_quietly(write_rows(tmp_path / "articles.jsonl", ROWS), index=tmp_path / "index")
    next(tmp_path.glob("index/generations/*/vectors.faiss")).write_bytes(b"short")
    script = "import sys; from api.command import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "serve", "--index", tmp_path / "index", "--port", str(port)]
    done = subprocess.run(
        [*command, "--workers", str(workers)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"CARI_LOG_LEVEL": "error"},
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "vectors.faiss" in done.stderr
    assert done.stderr.count("\n") == 1
