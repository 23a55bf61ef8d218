from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder
from search.comparison import COMPARED, Arm, Comparison, compare
from search.evaluation import EvaluationSet, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import Embedding
    from search import Searcher

ROWS = (
    {"id": "kapal", "title": "", "text": "Sebuah kapal feri kandas di muara pagi ini.", "language": "id"},
    {"id": "bus", "title": "", "text": "Bus listrik mulai melayani jalur timur kota.", "language": "id"},
    {"id": "ferry", "title": "", "text": "A ferry left the harbour with nobody on board.", "language": "en"},
)
QUERIES = {"q1": "kapal feri kandas", "q2": "bus listrik", "q3": "kereta api cepat"}
QRELS = {"q1": {"kapal": 1}, "q2": {"bus": 1}, "q3": {"ferry": 1}}


class Counting(HashingEncoder):
    """Counts the questions it embeds."""

    questions = 0

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        self.questions += len(texts)
        return super().embed_queries(texts)


@pytest.fixture
def searcher(make_searcher: Callable[..., Searcher]) -> Searcher:
    return make_searcher(*ROWS)


@pytest.fixture
def questions(tmp_path: Path) -> EvaluationSet:
    return EvaluationSet("toy/id-id", tmp_path, QUERIES, QRELS)


def arm_of(found: Comparison, arm: Arm) -> Any:  # noqa: ANN401 - a result
    return next(result for result in found.arms if result.arm is arm)


def test_every_arm_is_what_evaluation_of_its_mode_measures(searcher: Searcher, questions: EvaluationSet) -> None:
    found = compare(searcher, questions)

    assert [result.arm for result in found.arms] == list(Arm)
    assert (found.name, found.queries, found.articles) == ("toy/id-id", 3, 3)
    for arm in (Arm.DENSE, Arm.LEXICAL, Arm.LATE):
        alone = evaluate(searcher, questions, mode=arm.mode)
        assert arm_of(found, arm).ndcg_by_query == alone.ndcg_by_query
        assert arm_of(found, arm).measures == {name: alone.measures[name] for name in COMPARED}


def test_a_question_is_embedded_once_for_all_arms(
    make_searcher: Callable[..., Searcher], questions: EvaluationSet
) -> None:
    encoder = Counting()

    compare(make_searcher(*ROWS, encoder=encoder), questions)

    assert encoder.questions == len(QUERIES)


def test_gains_are_differences_of_means_and_lie_in_their_intervals(
    searcher: Searcher, questions: EvaluationSet
) -> None:
    found = compare(searcher, questions)

    whole = arm_of(found, Arm.LATE).measures["ndcg@10"]
    assert [gain.over for gain in found.gains] == [Arm.DENSE, Arm.LEXICAL, Arm.HYBRID]
    for gain in found.gains:
        assert gain.mean == pytest.approx(whole - arm_of(found, gain.over).measures["ndcg@10"])
        assert gain.low <= gain.mean <= gain.high
    for result in found.arms:
        assert result.low <= result.measures["ndcg@10"] <= result.high
    best = max((Arm.DENSE, Arm.LEXICAL), key=lambda arm: arm_of(found, arm).measures["ndcg@10"])
    assert (found.best, found.gain.over, found.holds) == (best, best, found.gain.high >= 0)


def test_a_comparison_is_the_same_every_time(searcher: Searcher, questions: EvaluationSet) -> None:
    assert compare(searcher, questions) == compare(searcher, questions)


def test_a_question_too_long_to_ask_counts_as_unanswered(searcher: Searcher, tmp_path: Path) -> None:
    questions = EvaluationSet("toy", tmp_path, QUERIES | {"long": "k" * 10_001}, QRELS | {"long": {"bus": 1}})

    for result in compare(searcher, questions).arms:
        assert result.ndcg_by_query["long"] == 0
