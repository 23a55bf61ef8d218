"""The noun of this package, and the answer that carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .timings import Timings

if TYPE_CHECKING:
    from corpus import Article
    from indexer import Passage

    from .explanation import Explanation


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of a passage worth marking: `passage.text[start:end]`, in code points."""

    start: int
    end: int
    kind: Literal["sentence", "term"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The evidence behind a hit, higher is better, None where an arm did not judge it."""

    dense: float | None = None
    lexical: float | None = None
    late: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One ranked passage with the article it stands in. `rank` counts from 1 over the whole ranking.

    `similar_count` is how many other articles tell the same story and pass the filters, ranked or not; `more_count`
    how many other passages of its article probably answer too, 0 where each passage is a hit of its own; `explanation`
    is None unless the query asked for it.
    """

    rank: int
    score: float
    scores: Scores
    passage: Passage
    article: Article
    highlights: tuple[Highlight, ...]
    similar_count: int
    more_count: int = 0
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One page of a ranking. `total` counts the hits that paging can reach, whatever the page.

    `answerable` is false when even the best hit probably does not answer, or there is none; `degraded` says in words
    what is missing, or is None. `remembered` says whether the model was spared, `timings` where the time went: equal
    answers may differ in both.
    `facets` maps "language", "source" and "month" to counts of articles over the filtered matches.
    """

    hits: tuple[Hit, ...]
    total: int
    language: str
    language_confidence: float
    truncated: bool
    answerable: bool
    degraded: str | None
    facets: dict[str, dict[str, int]]
    remembered: bool = field(default=False, compare=False)
    timings: Timings = field(default_factory=Timings, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """One page of the articles that are like one article, each shown by its best passage.

    The first `same_story` of all hits tell the same story as `article`; `total` and `facets` as in `Answer`.
    """

    article: Article
    hits: tuple[Hit, ...]
    total: int
    same_story: int
    facets: dict[str, dict[str, int]]
