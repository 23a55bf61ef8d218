from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOPICS = ["banjir jakarta", "gempa lombok", "earthquake osaka", "harga beras", "solar ferry", "vaccine malaria"]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "topics"
    (folder / "qrels").mkdir(parents=True)
    articles = [{"_id": f"a/{n}", "title": topic, "text": f"News of {topic} today."} for n, topic in enumerate(TOPICS)]
    questions = [{"_id": f"q{n}", "text": f"{topic}?"} for n, topic in enumerate(TOPICS)]
    for name, records in {"corpus": articles, "queries": questions}.items():
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    grades = "".join(f"q{n}\ta/{n}\t1\n" for n in range(len(TOPICS)))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{grades}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def compare(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    # Without a model and without any peer: what is tried is the harness.
    nowhere = tmp_path_factory.mktemp("environments")

    short = ["--hashing", "--no-install", "--venv", str(nowhere)]

    def run(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, repository / "bench" / "peers" / "compare.py", *short, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def row(printed: str, table: str, name: str) -> list[str]:
    part = printed.split(table, 1)[1].split("\n\n", 1)[0]
    line = next(line for line in part.splitlines() if line.startswith(f"{name} "))
    return line.removeprefix(name).split()


def test_engines_in_their_own_processes_are_asked_the_same_and_a_missing_one_is_a_line(
    compare: Callable[..., str], judged: Path, tmp_path: Path
) -> None:
    printed = compare("--engines", "cari,overlap,txtai", "--out", tmp_path, judged)

    assert row(printed, "nDCG@10", "overlap words") == ["1.000", "1.000"]
    assert row(printed, "nDCG@10", "cari hybrid") == ["1.000", "1.000"]
    for engine in ("cari", "overlap"):
        assert all(float(figure) >= 0 for figure in row(printed, "Indexing", engine))
    assert all(float(figure) >= 0 for figure in row(printed, "A question over", "cari dense")[:4])
    # Counting words holds no model and no library: it is ahead, and has to be named.
    assert re.search(r"^MiB asked, \S+: overlap \d", printed, re.MULTILINE)
    assert "txtai: not installed: python bench/peers/environments.py" in printed
    assert (tmp_path / "peers.txt").read_text(encoding="utf-8") == printed
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")


def test_articles_are_cut_to_a_number_that_keeps_those_that_answer(compare: Callable[..., str], judged: Path) -> None:
    printed = compare("--engines", "overlap", "--questions", "2", f"{judged}:3")

    # Of six questions the first and the fourth.
    assert re.search(r"\(2\)\s+mean", printed)
    assert "3 articles" in printed
    assert row(printed, "nDCG@10", "overlap words") == ["1.000", "1.000"]


def test_an_engine_that_breaks_while_it_is_asked_keeps_the_others_from_nothing(
    compare: Callable[..., str], judged: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    (broken / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "qrels/test.tsv"):
        (broken / name).write_bytes((judged / name).read_bytes())
    # Cari refuses a question of nothing; counting words answers it.
    empty = "".join(json.dumps({"_id": f"q{n}", "text": " "}) + "\n" for n in range(len(TOPICS)))
    (broken / "queries.jsonl").write_text(empty, encoding="utf-8")

    printed = compare("--engines", "cari,overlap", broken)

    assert re.search(r"^cari on \S+: .*the question is empty", printed, re.MULTILINE)
    assert len(row(printed, "nDCG@10", "overlap words")) == 2
