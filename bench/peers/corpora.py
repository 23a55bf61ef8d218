"""The sets that are asked, and what articles they are asked over."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from search.evaluation import EvaluationSet, read_evaluation_set

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Articles that are indexed once, and the sets of questions over them. `path` is JSON lines."""

    name: str
    path: Path
    articles: int
    sets: list[EvaluationSet]


def read_corpora(names: list[str], *, questions: int, work: Path) -> list[Corpus]:
    """The named sets with at most that many questions each, those over the same articles together.

    A name is a folder of ../shared/eval or a path, with `:N` for N articles of it, those that answer among them.
    """
    corpora: dict[str, Corpus] = {}
    for name in names:
        place, _, most = name.partition(":")
        folder = EVAL / place if (EVAL / place).is_dir() else Path(place)
        if not folder.is_dir():
            sys.exit(f"skipped: neither ../shared/eval/{place} nor {place} is a folder")
        read = _some_of(read_evaluation_set(folder), most=questions)
        lines = [line for line in read.corpus.read_text(encoding="utf-8").split("\n") if line.strip()]
        if most:
            lines = _cut(lines, read, most=int(most))
        content = "\n".join(lines) + "\n"
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
        if key not in corpora:
            path = work / f"{key}.jsonl"
            path.write_text(content, encoding="utf-8")
            corpora[key] = Corpus(read.name, path, len(lines), [])
        corpora[key].sets.append(read)
    return list(corpora.values())


def _some_of(questions: EvaluationSet, *, most: int) -> EvaluationSet:
    """The same set with at most that many questions, drawn evenly."""
    keys = list(questions.queries)
    kept = keys[:: -(-len(keys) // most)]
    return replace(
        questions,
        queries={key: questions.queries[key] for key in kept},
        qrels={key: questions.qrels[key] for key in kept},
    )


def _cut(lines: list[str], questions: EvaluationSet, *, most: int) -> list[str]:
    wanted = {article for grades in questions.qrels.values() for article in grades}
    answering, others = [], []
    for line in lines:
        (answering if json.loads(line)["_id"] in wanted else others).append(line)
    return answering + others[: max(0, most - len(answering))]
