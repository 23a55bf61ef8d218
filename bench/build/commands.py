"""`cari build` as a process of its own, timed, over part of the news articles."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWS = Path(__file__).parents[3] / "shared" / "eval" / "realtimeqa-news" / "corpus.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """One command: seconds of the clock and of processors from start to end, and its own report."""

    wall_s: float
    cpu_s: float
    report: dict[str, Any]

    @property
    def took_s(self) -> float:
        """Without starting Python and opening the model."""
        return float(self.report["took_s"])


def news(articles: int) -> list[dict[str, Any]]:
    """The first records of the news articles.

    Raises:
        SystemExit: they are not there.
    """
    if not NEWS.is_file():
        raise SystemExit(f"{NEWS} is absent; it holds the articles that are measured with")
    with NEWS.open(encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(articles), lines, strict=False)]


def write(rows: Sequence[dict[str, Any]], *, path: Path) -> Path:
    """Write records as JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def build(articles: Path, *, index: Path, model: str) -> Run:
    """Run the command.

    Raises:
        SystemExit: it failed.
    """
    cari = (
        [str(Path(__file__).with_name("hashing.py"))]
        if model == "hashing"
        else ["-c", "from api.command import main; main()"]
    )
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *cari, "build", articles, "--index", index, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, json.loads(done.stdout))
