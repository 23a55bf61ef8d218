"""How good the ranking is, on evaluation sets in BEIR layout. The only file that knows ir_measures."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import ir_measures
from ir_measures import RR, R, nDCG

from .errors import BadEvaluationSet
from .query import Group, Mode, Query
from .searcher import MAX_QUERY_CHARACTERS

if TYPE_CHECKING:
    from pathlib import Path

    from indexer import Embedding

    from .searcher import Searcher

MEASURES = (nDCG @ 10, R @ 10, R @ 100, RR @ 10)
_NAMES = {"nDCG@10": "ndcg@10", "R@10": "recall@10", "R@100": "recall@100", "RR@10": "mrr@10"}
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Questions and which articles answer them. `corpus` is a file that `corpus.read_articles` reads."""

    name: str
    corpus: Path
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Means over the questions, by measure; and each question's nDCG@10, for comparing two runs in pairs."""

    name: str
    mode: Mode
    queries: int
    articles: int
    measures: dict[str, float]
    ndcg_by_query: dict[str, float]


def read_evaluation_set(folder: Path) -> EvaluationSet:
    """Read `folder` in BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.

    Only questions with a relevance judgement are kept.

    Raises:
        BadEvaluationSet: a file is missing or not as BEIR has it; the message names file and line.
    """
    corpus = folder / "corpus.jsonl"
    if not corpus.is_file():
        raise BadEvaluationSet(f"{folder} holds no corpus.jsonl; expected BEIR layout, see cari eval --help")
    qrels = _read_qrels(folder / "qrels" / "test.tsv")
    queries = {key: text for key, text in _read_queries(folder / "queries.jsonl").items() if key in qrels}
    if not queries:
        raise BadEvaluationSet(f"{folder}: no question of queries.jsonl is judged in qrels/test.tsv")
    name = f"{folder.parent.name}/{folder.name}" if folder.parent.name else folder.name
    return EvaluationSet(name, corpus, queries, {key: qrels[key] for key in queries})


def evaluate(
    searcher: Searcher,
    questions: EvaluationSet,
    *,
    mode: Mode = Mode.HYBRID,
) -> Evaluation:
    """Ask every question of the set, and measure where the articles that answer them rank.

    An article ranks where its best passage does. A question longer than the engine takes counts as unanswered.
    """
    found = {
        key: found_articles(searcher, text, mode=mode)
        for key, text in questions.queries.items()
        if len(text) <= MAX_QUERY_CHARACTERS
    }
    values = measured(found, questions.qrels)
    return Evaluation(
        name=questions.name,
        mode=mode,
        queries=len(questions.queries),
        articles=searcher.info.articles,
        measures={name: fmean(by_query.values()) for name, by_query in values.items()},
        ndcg_by_query=values["ndcg@10"],
    )


def found_articles(
    searcher: Searcher, text: str, *, mode: Mode, embedding: Embedding | None = None, late: bool = True
) -> list[str]:
    """The ids of the best 100 articles for a question, best first. See `Searcher.rank`."""
    # Ungrouped: a relevant article must not count as missed because another of its story stands for it.
    ranking = searcher.rank(Query(text=text, mode=mode, group=Group.NONE), embedding=embedding, late=late)
    return list(dict.fromkeys(searcher.ids(ranking)))[:_DEPTH]


def measured(found: dict[str, list[str]], qrels: dict[str, dict[str, int]]) -> dict[str, dict[str, float]]:
    """Each measure of each judged question, by the measure's name, then the question's id.

    Args:
        found: Article ids by question, best first; a question that is missing found nothing.
        qrels: Judgements by question, then article.
    """
    # The measures know scores, not ranks; ours may tie, ranks do not.
    scored = [
        ir_measures.ScoredDoc(key, article, float(-rank))
        for key, ids in found.items()
        for rank, article in enumerate(ids)
    ]
    judged = [
        ir_measures.Qrel(key, article, grade) for key, grades in qrels.items() for article, grade in grades.items()
    ]
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(qrels, 0.0) for name in _NAMES.values()}
    for metric in ir_measures.iter_calc(MEASURES, judged, scored):
        values[_NAMES[str(metric.measure)]][metric.query_id] = float(metric.value)
    return values


def _read_queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        record = json.loads(line)
                        queries[str(record["_id"])] = str(record["text"])
                    except (ValueError, KeyError, TypeError) as error:
                        raise BadEvaluationSet(f'{path}:{number}: expected "_id" and "text" ({error!r})') from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvaluationSet(f"{path} cannot be read ({error})") from error
    return queries


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Judgements above 0, by question, then article."""
    qrels: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
                if number == 1 and row[:1] == ["query-id"]:
                    continue
                try:
                    query, article, grade = row
                    if int(grade) > 0:
                        qrels.setdefault(query, {})[article] = int(grade)
                except ValueError as error:
                    raise BadEvaluationSet(
                        f"{path}:{number}: expected query-id, corpus-id and a whole-number score, tab-separated"
                    ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadEvaluationSet(f"{path} cannot be read ({error})") from error
    return qrels
