# Floors on questions over Indonesian news: a fixed part of FacQA, small enough for every run of the tests.
# `make relevance` asks all of it, and every other set.

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from indexer import BuildReport, ChunkSettings, Encoder, open_current
from search import Searcher
from search.comparison import Arm, Comparison, compare
from search.evaluation import EvaluationSet, read_evaluation_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARTICLES = 400
QUESTIONS = 400

# nDCG@10. The pool is a third of the whole: figures are higher here.
FLOORS = {Arm.DENSE: 0.935, Arm.LEXICAL: 0.922, Arm.HYBRID: 0.947, Arm.LATE: 0.946}


def part_of(folder: Path, *, into: Path) -> EvaluationSet:
    """The first articles of a set, and the first questions that they alone answer."""
    lines = (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:ARTICLES]
    (into / "qrels").mkdir(parents=True)
    (into / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
    for name in ("queries.jsonl", "qrels/test.tsv"):
        shutil.copy(folder / name, into / name)
    whole = read_evaluation_set(into)
    held = {json.loads(line)["_id"] for line in lines}
    kept = [key for key, relevant in whole.qrels.items() if set(relevant) <= held][:QUESTIONS]
    return EvaluationSet(
        "facqa", whole.corpus, {key: whole.queries[key] for key in kept}, {key: whole.qrels[key] for key in kept}
    )


@pytest.fixture(scope="module")
def compared(
    shared: Callable[[str], Path],
    embedded: Encoder,
    build_quietly: Callable[..., BuildReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    folder = tmp_path_factory.mktemp("facqa")
    questions = part_of(shared("eval/facqa"), into=folder / "part")
    build_quietly(questions.corpus, index=folder / "index", encoder=embedded, settings=ChunkSettings())
    return compare(Searcher(open_current(folder / "index"), encoder=embedded), questions)


@pytest.mark.model
@pytest.mark.parametrize("arm", FLOORS)
def test_ranking_of_news_stays_above_its_floor(compared: Comparison, arm: Arm) -> None:
    result = next(result for result in compared.arms if result.arm is arm)

    assert (compared.queries, compared.articles) == (QUESTIONS, ARTICLES)
    assert result.measures["ndcg@10"] >= FLOORS[arm], result.measures


@pytest.mark.model
def test_every_arm_together_is_not_worse_than_the_best_alone_on_news(compared: Comparison) -> None:
    assert compared.holds, compared.gain
