# The articles that ship with the project, their questions, and the five articles it was created from.

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer import BuildReport, ChunkSettings, Encoder, open_current
from search import Filters, Group, Query, Searcher
from search.comparison import Arm, compare
from search.evaluation import EvaluationSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Asked

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def seeds(
    shared: Callable[[str], Path],
    embedded: Encoder,
    build_quietly: Callable[..., BuildReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> Searcher:
    index = tmp_path_factory.mktemp("seeds")
    report = build_quietly(shared("seeds"), index=index, encoder=embedded, settings=ChunkSettings())
    assert (report.articles, [one.place for one in report.quarantined if ".tsv" not in one.place]) == (5, [])
    return Searcher(open_current(index), encoder=embedded)


# nDCG@10 over the questions of both languages.
SAMPLE_FLOORS = {Arm.DENSE: 0.939, Arm.LEXICAL: 0.515, Arm.HYBRID: 0.939, Arm.LATE: 0.967}


def test_ranking_of_the_sample_stays_above_its_floors(
    sample: Searcher, sample_questions: list[Asked], repository: Path
) -> None:
    questions = EvaluationSet(
        "sample",
        repository / "corpus" / "sample",
        {str(number): asked.text for number, asked in enumerate(sample_questions)},
        {str(number): {asked.article: 1} for number, asked in enumerate(sample_questions)},
    )

    found = compare(sample, questions)

    ndcg = {result.arm: result.measures["ndcg@10"] for result in found.arms}
    assert {arm: floor for arm, floor in SAMPLE_FLOORS.items() if ndcg[arm] < floor} == {}, ndcg
    assert found.holds, found.gain


@pytest.mark.parametrize("number", range(12))
def test_each_seed_question_has_its_passage_in_the_first_three(
    seeds: Searcher, shared: Callable[[str], Path], read_questions: Callable[..., list[Asked]], number: int
) -> None:
    questions = read_questions(shared("seeds/questions.tsv"), article_column="file")
    assert len(questions) == 12
    asked = questions[number]

    hits = seeds.search(Query(text=asked.text, limit=3, group=Group.NONE)).hits

    found = [(hit.article.id, asked.must_contain in hit.passage.text) for hit in hits]
    assert (asked.article, True) in found, (asked, found)


def test_the_article_that_answers_a_sample_question_is_always_in_the_first_three(
    sample: Searcher, sample_questions: list[Asked]
) -> None:
    assert len(sample_questions) == 40

    ranked = {asked: sample.ids(sample.rank(Query(text=asked.text)))[:3] for asked in sample_questions}

    assert {asked: found for asked, found in ranked.items() if asked.article not in found} == {}


def test_the_passage_that_answers_a_sample_question_is_nearly_always_in_the_first_three(
    sample: Searcher, sample_questions: list[Asked]
) -> None:
    missed = []
    for asked in sample_questions:
        hits = sample.search(Query(text=asked.text, limit=3, group=Group.NONE)).hits
        for hit in hits:
            assert hit.passage.text == hit.article.text[hit.passage.start : hit.passage.end]
            assert all(0 <= mark.start < mark.end <= len(hit.passage.text) for mark in hit.highlights)
        if not any(asked.must_contain in hit.passage.text and hit.article.id == asked.article for hit in hits):
            missed.append(asked)

    assert len(missed) <= 4, missed


def test_the_sample_holds_articles_of_both_languages_with_their_metadata(sample: Searcher) -> None:
    assert set(sample.info.languages) == {"id", "en"}
    assert min(sample.info.languages.values()) >= 12
    assert "unknown" not in sample.search(Query(text="apa", limit=1)).facets["month"]


def test_a_language_filter_finds_the_answer_across_languages(sample: Searcher, sample_questions: list[Asked]) -> None:
    across = [asked for asked in sample_questions if asked.article.startswith("en-")]
    for asked in across:
        query = Query(text=asked.text, filters=Filters(languages=frozenset({"en"})))
        ids = sample.ids(sample.rank(query))
        assert asked.article in ids[:3]
        assert all(key.startswith("en-") for key in ids)
