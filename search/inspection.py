"""One question of an evaluation set, looked at closely: what ranked, and where the right articles are."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpus import detect_query_language

from .errors import UnknownQuestion
from .query import Mode, Query

if TYPE_CHECKING:
    from .evaluation import EvaluationSet
    from .explanation import Placed
    from .searcher import Searcher

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The first ten articles and every relevant one, with what each arm says of them.

    `qrels` are the judgements of the question's articles above 0; `absent` those of them that the set's corpus
    does not hold.
    """

    name: str
    id: str
    text: str
    language: str
    language_confidence: float
    mode: Mode
    qrels: dict[str, int]
    absent: tuple[str, ...]
    placed: tuple[Placed, ...]


def inspect(searcher: Searcher, questions: EvaluationSet, query_id: str, *, mode: Mode = Mode.HYBRID) -> Inspection:
    """Ask one question, and explain its ranking.

    Raises:
        UnknownQuestion: the set has no judged question of this id; the message names the nearest.
        BadQuery: the question cannot be asked.
    """
    text = questions.queries.get(query_id)
    if text is None:
        near = difflib.get_close_matches(query_id, questions.queries, n=3, cutoff=0)
        raise UnknownQuestion(
            f"{questions.name} has no judged question {query_id[:80]!r}; expected one of its "
            f"{len(questions.queries)} ids, the nearest are: {', '.join(near)}"
        )
    qrels = questions.qrels[query_id]
    language = detect_query_language(text)
    return Inspection(
        name=questions.name,
        id=query_id,
        text=text,
        language=language.language,
        language_confidence=language.confidence,
        mode=mode,
        qrels=qrels,
        absent=tuple(key for key in qrels if searcher.article(key) is None),
        placed=searcher.explain(Query(text=text, limit=SHOWN, mode=mode), articles=qrels),
    )
