"""Real text for a benchmark: windows of 100 words, every 45, of the articles of ../shared/eval."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
SETS = ("tydiqa-id", "miracl-id-mini", "xquad-mt/id-id", "facqa", "xquad-mt/en-en", "realtimeqa-news")
_WINDOW = 100
_STEP = 45


@dataclass(frozen=True, slots=True)
class Window:
    """A passage and the language it is analysed as."""

    text: str
    language: str


def windows(count: int) -> list[Window]:
    """`count` windows, spread over all; fewer when there is less text."""
    every = list(_windows())
    chosen = np.unique(np.linspace(0, len(every) - 1, min(count, len(every))).astype(int))
    return [every[place] for place in chosen]


def questions(each: int) -> list[str]:
    """`each` Indonesian questions and as many English ones, of the same sets, in turn."""
    indonesian = _spread([record["text"] for record in records("tydiqa-id", "queries.jsonl")], each)
    english = _spread([record["text"] for record in records("xquad-mt/en-en", "queries.jsonl")], each)
    return [text for pair in zip(indonesian, english, strict=True) for text in pair]


def records(name: str, file: str) -> list[dict[str, str]]:
    """A JSON-lines file of a set; ends the script, saying so, where it is absent."""
    path = EVAL / name / file
    if not path.is_file():
        sys.exit(f"skipped: ../shared/eval/{name}/{file} is absent")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def judged(name: str) -> dict[str, set[str]]:
    """The relevant passages of each question of a set."""
    found: dict[str, set[str]] = {}
    for line in (EVAL / name / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, passage, grade = line.split("\t")
        if int(grade) > 0:
            found.setdefault(question, set()).add(passage)
    return found


def _windows() -> Iterator[Window]:
    for name in SETS:
        language = "en" if name in ("xquad-mt/en-en", "realtimeqa-news") else "id"
        for record in records(name, "corpus.jsonl"):
            words = record["text"].split()
            for start in range(0, max(1, len(words) - _WINDOW + _STEP), _STEP):
                yield Window(" ".join(words[start : start + _WINDOW]), language)


def _spread(texts: list[str], count: int) -> list[str]:
    return texts[:: max(1, len(texts) // count)][:count]
