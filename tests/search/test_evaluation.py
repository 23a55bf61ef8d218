from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from search import BadEvaluationSet, Mode
from search.evaluation import EvaluationSet, evaluate, read_evaluation_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from search import Query

CORPUS = '{"_id": "a", "title": "", "text": "Satu.", "lang": "id"}\n'
QUERIES = '{"_id": "q1", "text": "Apa?"}\n{"_id": "q2", "text": "Siapa?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t0\nq2\ta\t2\n"


class Info:
    articles = 200


class Ranked:
    """A searcher that finds the same articles for a question, whatever it means."""

    info = Info()

    def __init__(self, found: dict[str, list[str]]) -> None:
        self._found = found
        self.modes: set[Mode] = set()

    def rank(self, query: Query, **_how: object) -> list[str]:
        self.modes.add(query.mode)
        return self._found[query.text]

    def ids(self, ranking: list[str]) -> list[str]:
        return ranking


def write_set(folder: Path, *, corpus: str = CORPUS, queries: str = QUERIES, qrels: str = QRELS) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder


def measured(tmp_path: Path, found: dict[str, list[str]], qrels: dict[str, dict[str, int]]) -> Any:  # noqa: ANN401
    questions = EvaluationSet("toy", tmp_path, {key: key for key in qrels}, qrels)
    searcher: Any = Ranked(found)
    return evaluate(searcher, questions, mode=Mode.DENSE)


def test_the_measures_are_those_of_arithmetic(tmp_path: Path) -> None:
    filler = [f"x{number}" for number in range(150)]
    found = {
        "first": ["a", *filler],  # found at rank 1
        "third": [*filler[:2], "a", *filler[2:]],  # at rank 3
        "twelfth": [*filler[:11], "a", *filler[11:]],  # at rank 12: past the tenth
        "deep": [*filler[:100], "a"],  # at rank 101: past the hundredth
    }

    result = measured(tmp_path, found, {key: {"a": 1} for key in found})

    # nDCG@10 of one relevant article at rank r is 1 / log2(r + 1): 1 for rank 1, 1 / 2 for rank 3.
    assert result.ndcg_by_query == pytest.approx({"first": 1, "third": 0.5, "twelfth": 0, "deep": 0})
    assert result.measures == pytest.approx(
        {"ndcg@10": 1.5 / 4, "recall@10": 2 / 4, "recall@100": 3 / 4, "mrr@10": (1 + 1 / 3) / 4}
    )
    assert list(result.measures) == ["ndcg@10", "recall@10", "recall@100", "mrr@10"]
    assert (result.name, result.mode, result.queries, result.articles) == ("toy", Mode.DENSE, 4, 200)


def test_several_relevant_articles_and_grades_count(tmp_path: Path) -> None:
    result = measured(tmp_path, {"q": ["b", "x", "a"]}, {"q": {"a": 1, "b": 1, "c": 1}})

    # DCG: 1 / log2(2) + 1 / log2(4) = 1.5; the ideal order has all three at the top.
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert result.measures["ndcg@10"] == pytest.approx(1.5 / ideal)
    assert result.measures["recall@10"] == pytest.approx(2 / 3)
    assert result.measures["mrr@10"] == 1


def test_a_question_without_any_hit_counts_as_nothing_found(tmp_path: Path) -> None:
    result = measured(tmp_path, {"q": ["a"], "none": []}, {"q": {"a": 1}, "none": {"a": 1}})

    assert result.measures == {"ndcg@10": 0.5, "recall@10": 0.5, "recall@100": 0.5, "mrr@10": 0.5}


def test_a_question_that_the_engine_refuses_as_too_long_counts_as_nothing_found(
    make_searcher: Callable[..., Any],
) -> None:
    searcher = make_searcher({"id": "a", "title": "", "text": "Jalan tol baru dibuka."})
    questions = EvaluationSet("toy", searcher, {"ok": "tol", "long": "k" * 20_000}, {"ok": {"a": 1}, "long": {"a": 1}})

    assert evaluate(searcher, questions, mode=Mode.DENSE).measures["recall@10"] == 0.5


def test_a_set_is_read_with_its_judged_questions_only(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "belebele" / "id-id", queries=QUERIES + '\n{"_id": 3, "text": "Tidak dinilai?"}\n')

    questions = read_evaluation_set(folder)

    assert questions.name == "belebele/id-id"
    assert questions.corpus == folder / "corpus.jsonl"
    assert questions.queries == {"q1": "Apa?", "q2": "Siapa?"}
    assert questions.qrels == {"q1": {"a": 1}, "q2": {"a": 2}}


def test_judgements_without_a_header_are_read_too(tmp_path: Path) -> None:
    questions = read_evaluation_set(write_set(tmp_path / "set", qrels="q1\ta\t1\n"))

    assert questions.qrels == {"q1": {"a": 1}}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"queries": QUERIES + "{broken\n"}, r"queries\.jsonl:3: expected"),
        ({"queries": '{"_id": "q1"}\n'}, r"queries\.jsonl:1: expected"),
        ({"queries": '["q1", "Apa?"]\n'}, r"queries\.jsonl:1: expected"),
        ({"qrels": QRELS + "q1\ta\n"}, r"test\.tsv:5: expected"),
        ({"qrels": QRELS + "q1\ta\tmuch\n"}, r"test\.tsv:5: expected"),
        ({"qrels": "query-id\tcorpus-id\tscore\nq1 a 1\n"}, r"test\.tsv:2: expected"),
        ({"qrels": "q9\ta\t1\n"}, "no question of queries.jsonl is judged"),
        ({"qrels": "q1\ta\t0\n"}, "no question of queries.jsonl is judged"),
        ({"queries": ""}, "no question of queries.jsonl is judged"),
    ],
)
def test_a_bad_set_is_refused_with_file_and_line(tmp_path: Path, changes: dict[str, str], place: str) -> None:
    with pytest.raises(BadEvaluationSet, match=place):
        read_evaluation_set(write_set(tmp_path / "set", **changes))


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = write_set(tmp_path / "set")
    (folder / missing).unlink()

    with pytest.raises(BadEvaluationSet, match=missing):
        read_evaluation_set(folder)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff"}')

    with pytest.raises(BadEvaluationSet, match=r"queries\.jsonl cannot be read"):
        read_evaluation_set(folder)


def test_a_relevant_article_counts_though_another_of_its_story_ranks_above_it(
    make_searcher: Callable[..., Any],
) -> None:
    text = " ".join(f"kata{chr(97 + place)}" for place in range(26)) * 2
    searcher = make_searcher(*({"id": key, "title": "", "text": text} for key in "ab"))
    questions = EvaluationSet("toy", searcher, {"q": "kataa"}, {"q": {"b": 1}})

    assert evaluate(searcher, questions, mode=Mode.DENSE).measures["recall@10"] == 1
