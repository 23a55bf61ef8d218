"""From ranked rows to hits: each passage with its article, and what to mark in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .grouping import similar_count
from .highlight import best_sentence_by_words, best_sentences, matching_words
from .hit import Hit, Scores
from .timings import Stage, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .explanation import Evidence, Explanation
    from .query import Query
    from .ranking import Ranking


@timed(Stage.SNIPPET)
def page_of(
    ranking: Ranking, *, query: Query, evidence: Evidence, passing: npt.NDArray[np.bool_] | None
) -> tuple[Hit, ...]:
    """The hits of one page of a ranking.

    Args:
        ranking: Of passages, whole.
        query: Says which page, and whether to explain.
        evidence: Of the question.
        passing: (articles,) bool, which pass the filters, or None when all do.
    """
    page = slice(query.offset, query.offset + query.limit)
    shown = ranking.take(np.arange(len(ranking.rows), dtype=np.intp)[page])
    generation = evidence.ranker.generation
    placed = [evidence.passage(row) for row in shown.rows.tolist()]
    matches = evidence.matches(shown)
    sentences = None if matches is None else best_sentences([passage for _, passage in placed], matches)
    explanations: Sequence[Explanation | None] = (
        evidence.explanations(shown) if query.explain else [None] * len(shown.rows)
    )
    weights = {
        str(language): generation.lexical.weights(evidence.text, language=str(language))
        for language in np.unique(generation.languages[shown.rows])
    }
    hits: list[Hit] = []
    for place, (article, passage) in enumerate(placed):
        words = weights[article.language]
        sentence = (
            best_sentence_by_words(passage, words, language=article.language) if sentences is None else sentences[place]
        )
        hits.append(
            Hit(
                rank=query.offset + place + 1,
                score=float(shown.scores[place]),
                scores=Scores(
                    dense=_judged(shown.dense[place]),
                    lexical=_judged(shown.lexical[place]),
                    late=_judged(shown.late[place]),
                ),
                passage=passage,
                article=article,
                highlights=(*sentence, *matching_words(passage, words, language=article.language)),
                similar_count=similar_count(
                    int(generation.store.passage_article[shown.rows[place]]),
                    stories=generation.stories,
                    passing=passing,
                ),
                explanation=explanations[place],
            )
        )
    return tuple(hits)


def _judged(score: np.float32) -> float | None:
    return None if math.isnan(score) else float(score)
