"""What is embedded: passages of the evaluation sets, as a build divides them, and the pools of belebele-other."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpus import read_articles
from indexer import ChunkSettings, chunk, embedded_text, embedded_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from indexer import Encoder

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
# Of each one passage in turn: short ones of news and of an encyclopedia in Indonesian, long ones of both languages.
_SETS = ("facqa", "tydiqa-id", "id-news-headline", "realtimeqa-news")
# Fewer questions than this are a trial of the script, and need no pool of 604 passages.
_SHORT = 50
_DIRECTIONS = ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")


@dataclass(frozen=True, slots=True)
class Direction:
    """Questions over passages: rows of `Pools.questions` and `Pools.passages`, and what is relevant to which."""

    name: str
    questions: list[int]
    passages: list[int]
    relevant: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pools:
    """The six directions of belebele-other over one list of questions and one of passages."""

    questions: list[str]
    passages: list[str]
    directions: list[Direction]


def mixed_passages(encoder: Encoder, *, most: int) -> list[str]:
    """Passages of four sets in turn, each what a build would embed of it, without its prompt."""
    found = [_of_set(name, encoder=encoder) for name in _SETS]
    texts: list[str] = []
    while found and len(texts) < most:
        for passages in list(found):
            text = next(passages, None)
            if text is None:
                found.remove(passages)
            else:
                texts.append(text)
    return texts[:most]


def _of_set(name: str, *, encoder: Encoder) -> Iterator[str]:
    settings, overhead = ChunkSettings(), encoder.card.overhead_tokens
    for article in read_articles([_present(EVAL / name / "corpus.jsonl")], quarantine=lambda _: None):
        title = embedded_title(article.title, tokenizer=encoder.tokenizer, settings=settings)
        # The first passages of an article, so that a few long articles are not all there is of a set.
        passages = chunk(article, tokenizer=encoder.tokenizer, settings=settings, overhead_tokens=overhead)
        yield from (embedded_text(title, passage.text) for passage in islice(passages, 4))


def read_pools(*, most_questions: int) -> Pools:
    """The pools of belebele-other with its first questions of each language; with few of them, what answers those."""
    questions: dict[str, int] = {}
    passages: dict[str, int] = {}
    directions = []
    for name in _DIRECTIONS:
        folder = _present(EVAL / "belebele-other" / name)
        lines = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
        judged = {(question, passage) for question, passage, grade in map(str.split, lines) if int(grade) > 0}
        asked = list(islice(_records(folder / "queries.jsonl"), most_questions))
        wanted = {passage for question, passage in judged if question in {record["_id"] for record in asked}}
        offered = list(_records(folder / "corpus.jsonl"))
        if most_questions < _SHORT:
            offered = [record for record in offered if record["_id"] in wanted]
        directions.append(
            Direction(
                name,
                [questions.setdefault(record["text"], len(questions)) for record in asked],
                [passages.setdefault(record["text"], len(passages)) for record in offered],
                np.array([[(question["_id"], p["_id"]) in judged for p in offered] for question in asked]),
            )
        )
    return Pools(list(questions), list(passages), directions)


def _records(path: Path) -> Iterator[dict[str, str]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip())


def _present(path: Path) -> Path:
    if not path.exists():
        sys.exit(f"skipped: ../shared/eval/{path.relative_to(EVAL)} is absent")
    return path
