from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from search import BadQuery, Explanation, Filters, Group, Mode, Query
from search.evaluation import EvaluationSet
from search.inspection import inspect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from search import Hit, Searcher

ROWS = (
    {"id": "kapal", "title": "Kabar muara", "text": "Kapal feri kandas. Kapal itu besar.", "language": "id"},
    {"id": "bus", "title": "", "text": "Bus listrik melayani jalur timur kota.", "language": "id"},
    {"id": "ferry", "title": "", "text": "A ferry named Kapal left the harbour.", "language": "en"},
    *({"id": f"tol{n:02}", "title": "", "text": f"Jalan tol ke-{n} dibuka.", "language": "id"} for n in range(20)),
)


@pytest.fixture
def searcher(make_searcher: Callable[..., Searcher]) -> Searcher:
    return make_searcher(*ROWS)


def why(hit: Hit) -> Explanation:
    assert hit.explanation is not None
    return hit.explanation


def test_a_hit_is_explained_only_when_that_is_asked_for(searcher: Searcher) -> None:
    plain = searcher.search(Query(text="kapal"))
    explained = searcher.search(Query(text="kapal", explain=True))

    assert all(hit.explanation is None for hit in plain.hits)
    assert all(hit.explanation is not None for hit in explained.hits)
    assert [hit.passage.id for hit in plain.hits] == [hit.passage.id for hit in explained.hits]


def test_an_explanation_says_what_the_scores_of_its_hit_say(searcher: Searcher) -> None:
    for hit in searcher.search(Query(text="kapal feri kandas", explain=True, limit=30)).hits:
        found = why(hit)
        assert found.language == hit.article.language
        assert found.dense.cosine == hit.scores.dense
        assert found.lexical.share == hit.scores.lexical
        assert found.late is not None
        assert (found.late.score, found.late.counted) == (hit.scores.late, True)


def test_shared_words_come_with_their_form_count_and_weight(searcher: Searcher) -> None:
    hit = searcher.search(Query(text="kapal muara besarkah?", explain=True)).hits[0]

    # 22 Indonesian passages, one with each word: log(1 + 21.5 / 1.5) = 2.7300.
    assert [(word.text, word.weight, word.count) for word in why(hit).lexical.words] == [
        ("Kapal", 2.73, 2),
        ("besar", 2.73, 1),
        ("muara", 2.73, 1),
    ]


def test_the_pairs_of_late_interaction_sum_to_its_score(searcher: Searcher) -> None:
    late = why(searcher.search(Query(text="kapal feri kandas", explain=True)).hits[0]).late

    assert late is not None
    assert {pair.question: pair.passage.lower() for pair in late.pairs} == {
        word: word for word in ("kapal", "feri", "kandas")
    }
    assert sum(pair.weight for pair in late.pairs) == pytest.approx(1, abs=1e-3)
    assert sum(pair.weight * pair.cosine for pair in late.pairs) == pytest.approx(late.score, abs=1e-3)


def test_the_ranks_of_an_arm_are_those_of_its_mode(searcher: Searcher) -> None:
    asked = Query(text="kapal timur", group=Group.NONE, limit=30)
    ranked = {
        mode: [hit.passage.id for hit in searcher.search(Query(text=asked.text, mode=mode, limit=30)).hits]
        for mode in (Mode.DENSE, Mode.LEXICAL)
    }

    for hit in searcher.search(Query(text=asked.text, group=Group.NONE, limit=30, explain=True)).hits:
        by_words = ranked[Mode.LEXICAL]
        expected = by_words.index(hit.passage.id) + 1 if hit.passage.id in by_words else None
        assert why(hit).lexical.rank == expected
        assert why(hit).dense.rank == ranked[Mode.DENSE].index(hit.passage.id) + 1


def test_places_gained_by_words_are_places_lost_by_others(searcher: Searcher) -> None:
    ranking = searcher.rank(Query(text="kapal timur tol", group=Group.NONE))

    assert ranking.lifted.sum() == 0
    assert set(searcher.rank(Query(text="kapal", mode=Mode.DENSE)).lifted.tolist()) == {0}


def test_late_interaction_that_a_mode_does_not_use_is_told_but_not_counted(searcher: Searcher) -> None:
    late = why(searcher.search(Query(text="kapal", mode=Mode.DENSE, explain=True)).hits[0]).late

    assert late is not None
    assert not late.counted


def test_what_words_alone_found_is_explained_by_words_alone(searcher: Searcher) -> None:
    explained = why(searcher.search(Query(text="kapal", mode=Mode.LEXICAL, explain=True)).hits[0])

    assert (explained.dense, explained.late) == (None, None)
    assert explained.lexical.rank == 1
    assert [word.text.lower() for word in explained.lexical.words] == ["kapal"]


def test_filters_hold_for_the_ranks_too(searcher: Searcher) -> None:
    query = Query(text="kapal", filters=Filters(languages=frozenset({"en"})), explain=True)

    (hit,) = searcher.search(query).hits
    assert (why(hit).dense.rank, why(hit).lexical.rank) == (1, 1)


def test_relevant_articles_are_shown_wherever_they_rank(searcher: Searcher, tmp_path: Path) -> None:
    questions = EvaluationSet("toy", tmp_path, {"q": "kapal kandas"}, {"q": {"tol19": 1, "kapal": 2, "gone": 1}})

    found = inspect(searcher, questions, "q")

    ranks = {one.article.id: one.rank for one in found.placed}
    assert [one.rank for one in found.placed][:10] == list(range(1, 11))
    assert (len(found.placed) in (10, 11), found.absent) == (True, ("gone",))
    assert ranks["kapal"] == 1
    assert ranks["tol19"] is not None
    assert (found.text, found.language, found.qrels["kapal"]) == ("kapal kandas", "id", 2)


def test_a_relevant_article_that_is_not_ranked_at_all_is_explained_without_a_rank(
    searcher: Searcher, tmp_path: Path
) -> None:
    questions = EvaluationSet("toy", tmp_path, {"q": "kapal kandas"}, {"q": {"bus": 1}})

    found = inspect(searcher, questions, "q", mode=Mode.LEXICAL)

    bus = found.placed[-1]
    assert (bus.article.id, bus.rank, bus.score, bus.explanation.lexical.rank) == ("bus", None, None, None)
    assert not math.isnan(bus.explanation.dense.cosine)


def test_an_empty_question_is_refused(searcher: Searcher) -> None:
    with pytest.raises(BadQuery):
        searcher.explain(Query(text=" "), articles=[])
