"""Answers on the wire: the models of every JSON response, and making them from the project's nouns.

Offsets count Unicode code points, end exclusive; times are milliseconds; no string holds HTML.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - pydantic reads them at run time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema  # noqa: TC002 - pydantic reads it at run time

from .explanation import Explanation, explanation_of

if TYPE_CHECKING:
    import corpus
    import indexer
    import search

    from ..inquiry import Found, FoundSimilar, Opened
    from ..live import Live
    from .ask import SearchRequest
    from .selection import Selection


class IndexRef(BaseModel):
    """Which generation gave an answer."""

    generation: str = Field(examples=["20261122T101500Z-3f9a"])
    model: str = Field(examples=["cari-e5-small"])
    built_at: datetime


class AskedQuery(BaseModel):
    """The question as it was understood."""

    text: str
    language: str = Field(description="ISO 639 code, or und.")
    language_confidence: float
    truncated: bool = Field(description="Whether the model could not read all of it.")


class Scores(BaseModel):
    """The evidence behind a hit; null where an arm did not judge it."""

    dense: float | None
    lexical: float | None
    late: float | None


class Passage(BaseModel):
    """A run of whole sentences: `text == article.text[start:end]`."""

    id: str
    text: str
    start: int
    end: int


class Highlight(BaseModel):
    """A stretch of the passage worth marking: `passage.text[start:end]`."""

    start: int
    end: int
    kind: Literal["sentence", "term"]


class ArticleRef(BaseModel):
    """The article of a hit, without its text."""

    id: str
    title: str
    url: str | None
    source: str | None
    author: str | None
    published: date | None
    language: str


class Article(ArticleRef):
    """An article with its text."""

    text: str


class Hit(BaseModel):
    """One ranked passage. `explanation` is there when it was asked for, and absent otherwise."""

    rank: int = Field(description="Place in the whole ranking, from 1.")
    score: float
    scores: Scores
    passage: Passage
    highlights: list[Highlight]
    article: ArticleRef
    similar_count: int = Field(
        description="Other articles of the same story that pass the filters; /v1/articles/{id}/similar lists them.",
        examples=[3],
    )
    explanation: Explanation | SkipJsonSchema[None] = Field(default=None)


class Facets(BaseModel):
    """Articles among the filtered matches, counted by language, source and month."""

    language: dict[str, int]
    source: dict[str, int]
    month: dict[str, int]


class SearchAnswer(BaseModel):
    """One page of a ranking."""

    request_id: str
    took_ms: float
    index: IndexRef
    query: AskedQuery
    total: int = Field(description="Hits that paging can reach.")
    offset: int
    limit: int
    answerable: bool = Field(description="False when nothing that passes the filters answers the question.")
    degraded: str | None = Field(description="What was missing when this was answered, in words.")
    hits: list[Hit]
    facets: Facets


class SimilarAnswer(BaseModel):
    """One page of the articles that are like one article."""

    request_id: str
    took_ms: float
    index: IndexRef
    article: ArticleRef = Field(description="The article that the others are like; never among the hits.")
    total: int = Field(description="Hits that paging can reach.")
    same_story: int = Field(description="The first so many hits tell the same story as the article.", examples=[3])
    offset: int
    limit: int
    hits: list[Hit] = Field(description="Its score is that of the passage against the whole article.")
    facets: Facets


class ArticleAnswer(BaseModel):
    """One article with its passages in order."""

    request_id: str
    index: IndexRef
    article: Article
    passages: list[Passage]


class ReloadProblem(BaseModel):
    """Why the newest generation is not in use."""

    generation: str | None
    reason: str
    at: datetime


class IndexAnswer(IndexRef):
    """The index in use."""

    articles: int
    passages: int
    languages: dict[str, int] = Field(description="Articles by language.", examples=[{"id": 12, "en": 12}])
    reload_error: ReloadProblem | None


class Health(BaseModel):
    """A yes; a no is a problem response."""

    status: Literal["alive", "ready"]


def search_answer(found: Found, *, asked: SearchRequest, request_id: str) -> SearchAnswer:
    """Words a page of a ranking."""
    answer = found.answer
    return SearchAnswer(
        request_id=request_id,
        took_ms=round(found.took_ms, 2),
        index=index_ref(found.searcher),
        query=AskedQuery(
            text=asked.q,
            language=answer.language,
            language_confidence=answer.language_confidence,
            truncated=answer.truncated,
        ),
        total=answer.total,
        offset=asked.offset,
        limit=asked.limit,
        answerable=answer.answerable,
        degraded=answer.degraded,
        hits=[_hit(hit) for hit in answer.hits],
        facets=_facets(answer.facets),
    )


def similar_answer(found: FoundSimilar, *, selected: Selection, request_id: str) -> SimilarAnswer:
    """Words a page of similar articles."""
    similar = found.similar
    return SimilarAnswer(
        request_id=request_id,
        took_ms=round(found.took_ms, 2),
        index=index_ref(found.searcher),
        article=_article_ref(similar.article),
        total=similar.total,
        same_story=similar.same_story,
        offset=selected.offset,
        limit=selected.limit,
        hits=[_hit(hit) for hit in similar.hits],
        facets=_facets(similar.facets),
    )


def article_answer(opened: Opened, *, request_id: str) -> ArticleAnswer:
    """Words an article."""
    return ArticleAnswer(
        request_id=request_id,
        index=index_ref(opened.searcher),
        article=Article(**_article_ref(opened.article).model_dump(), text=opened.article.text),
        passages=[_passage(passage) for passage in opened.passages],
    )


def index_answer(live: Live) -> IndexAnswer:
    """Words the state of the index in use."""
    searcher, error = live.searcher, live.reload_error
    return IndexAnswer(
        **index_ref(searcher).model_dump(),
        articles=searcher.info.articles,
        passages=searcher.info.passages,
        languages=searcher.info.languages,
        reload_error=(ReloadProblem(generation=error.generation, reason=error.reason, at=error.at) if error else None),
    )


def index_ref(searcher: search.Searcher) -> IndexRef:
    """Names the generation of a searcher."""
    info = searcher.info
    return IndexRef(generation=info.generation, model=info.model, built_at=info.built_at)


def _facets(counts: dict[str, dict[str, int]]) -> Facets:
    return Facets(**{name: counts.get(name, {}) for name in Facets.model_fields})


def _passage(passage: indexer.Passage) -> Passage:
    return Passage(id=passage.id, text=passage.text, start=passage.start, end=passage.end)


def _article_ref(article: corpus.Article) -> ArticleRef:
    return ArticleRef(
        id=article.id,
        title=article.title,
        url=article.url,
        source=article.source,
        author=article.author,
        published=article.published,
        language=article.language,
    )


def _hit(hit: search.Hit) -> Hit:
    # What is not set is not sent.
    explained = {"explanation": explanation_of(hit.explanation)} if hit.explanation else {}
    return Hit(
        rank=hit.rank,
        score=hit.score,
        scores=Scores(dense=hit.scores.dense, lexical=hit.scores.lexical, late=hit.scores.late),
        passage=_passage(hit.passage),
        highlights=[Highlight(start=one.start, end=one.end, kind=one.kind) for one in hit.highlights],
        article=_article_ref(hit.article),
        similar_count=hit.similar_count,
        **explained,
    )
