"""From a query to a page of hits, over one generation."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

import numpy as np

from corpus import detect_query_language
from indexer import EncoderFailed, IndexMismatch

from .calibration import ANSWERABLE
from .errors import BadQuery, UnknownArticle
from .explanation import Evidence, Placed, placed
from .filters import ArticleFilter
from .grouping import first_of_each, more_counts
from .hit import Answer, Hit, Similar
from .query import Filters, Group, Mode, Query
from .question import readable
from .question_memory import QuestionMemory
from .ranking import DEPTH, MAX_DEPTH, Depth, Ranker, Ranking
from .snippet import page_of
from .timings import Stage, measuring, timed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import numpy.typing as npt

    from corpus import Article
    from indexer import Embedding, Encoder, Generation, Passage
    from indexer.chunker import Tokenizer

MAX_QUERY_CHARACTERS = 10_000
DEGRADED = "the language model does not answer just now: these hits share words with the question, and nothing more"
"""What an answer says that was found by words because the model failed."""
_ALL_ARTICLES = Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexInfo:
    """What a searcher searches. `built_at` is in UTC; `languages` counts articles."""

    generation: str
    model: str
    built_at: datetime
    articles: int
    passages: int
    languages: dict[str, int]

    @classmethod
    def of(cls, generation: Generation) -> IndexInfo:
        """What a searcher over this generation searches."""
        manifest = generation.manifest
        return cls(
            generation=generation.name,
            model=manifest.model.name,
            built_at=generation.built_at,
            articles=manifest.articles,
            passages=manifest.passages,
            languages=manifest.languages,
        )


class Searcher:
    """Answers queries over one generation; thread-safe. Its files are let go with the last reference to it.

    Args:
        generation: What is searched.
        encoder: Of the model that made it.
        memory: Of that encoder's questions; nothing is remembered without.
        depth: How far the arms look.
    """

    def __init__(
        self, generation: Generation, *, encoder: Encoder, memory: QuestionMemory | None = None, depth: Depth = DEPTH
    ) -> None:
        if generation.manifest.model.fingerprint != encoder.card.fingerprint:
            made_by = generation.manifest.model
            raise IndexMismatch(
                f"{generation.name} was made with the model {made_by.name} ({made_by.fingerprint[:12]}), not "
                f"{encoder.card.name} ({encoder.card.fingerprint[:12]}); search with that model, or build again"
            )
        self._generation = generation
        self._encoder = encoder
        self._memory = QuestionMemory(questions=0) if memory is None else memory
        self._filter = ArticleFilter(generation.store)
        self._ranker = Ranker(generation, depth=depth)
        # More threads than cores only take turns in the interpreter, and throw each other's data out of the caches.
        self._at_work = BoundedSemaphore(len(os.sched_getaffinity(0)))
        self.info = IndexInfo.of(generation)

    def search(self, query: Query) -> Answer:
        """Rank the passages of the articles that pass the filters, and return one page.

        A lexical search asks no model. Where the model fails, any search is answered like a lexical one, and
        `degraded` says so. Any number may wait for the model together; as many rank at a time as there are cores.

        Raises:
            BadQuery: nothing to search for, too long, or a page past what is ranked.
        """
        text = checked(query)
        _check_page(query)
        with measuring() as stopwatch:
            language = detect_query_language(text)
            embedding, remembered, degraded = self._understood(query, text=text)
            query = query if degraded is None else replace(query, mode=Mode.LEXICAL)
            with self._at_work:
                ranking, hits, facets = self._page(query, text=text, embedding=embedding)
        return Answer(
            hits=hits,
            total=len(ranking.rows),
            language=language.language,
            language_confidence=language.confidence,
            # Words are looked up to the last one: only the model reads no further than it can.
            truncated=embedding is not None and embedding.tokens[0].cut,
            answerable=bool(len(ranking.scores)) and float(ranking.scores[0]) >= ANSWERABLE,
            degraded=degraded,
            facets=facets,
            remembered=remembered,
            timings=stopwatch.read(),
        )

    def _understood(self, query: Query, *, text: str) -> tuple[Embedding | None, bool, str | None]:
        """The embedding of the question, unless words alone are asked; whether it was remembered; what failed."""
        if query.mode is Mode.LEXICAL:
            return None, False, None
        embedding = self._memory.get(text)
        if embedding is not None:
            return embedding, True, None
        try:
            embedding = self.embed(query)
        except EncoderFailed:
            return None, False, DEGRADED
        self._memory.keep(text, embedding)
        return embedding, False, None

    def _page(
        self, query: Query, *, text: str, embedding: Embedding | None
    ) -> tuple[Ranking, tuple[Hit, ...], dict[str, dict[str, int]]]:
        """The whole ranking, one page of it, and what there is to choose from."""
        passing, allowed = self._passing(query.filters)
        whole = self._ranker.rank(text, embedding, mode=query.mode, allowed=allowed)
        ranking = self._grouped(whole, by=query.group)
        evidence = self._evidence(text, embedding, allowed=allowed)
        hits = page_of(ranking, query=query, evidence=evidence, passing=passing)
        if query.group is Group.ARTICLE:
            shown = ranking.take(np.arange(query.offset, query.offset + len(hits)))
            more = more_counts(shown, whole=whole, article_of=self._generation.store.passage_article)
            hits = tuple(replace(hit, more_count=count) for hit, count in zip(hits, more, strict=True))
        return ranking, hits, self._filter.facets(passing)

    def embed(self, query: Query) -> Embedding:
        """What the model makes of the question alone; it may be ranked several ways.

        Raises:
            BadQuery: nothing to search for, or too long.
            EncoderFailed: the model does not answer.
        """
        with timed(Stage.ENCODE):
            return self._encoder.embed_queries([checked(query)])

    def rank(self, query: Query, *, embedding: Embedding | None = None, late: bool = True) -> Ranking:
        """The whole ranking of a query, as far as paging reaches; `limit` and `offset` do not matter.

        Args:
            query: The question.
            embedding: What `embed` made of it, when that was done already; the lexical mode needs none.
            late: Whether late interaction may take part.

        Raises:
            BadQuery: nothing to search for, or too long.
            EncoderFailed: the model does not answer.
        """
        text = checked(query)
        if embedding is None and query.mode is not Mode.LEXICAL:
            embedding = self.embed(query)
        _, allowed = self._passing(query.filters)
        return self._grouped(
            self._ranker.rank(text, embedding, mode=query.mode, allowed=allowed, late=late), by=query.group
        )

    def _grouped(self, ranking: Ranking, *, by: Group) -> Ranking:
        if by is Group.NONE:
            return ranking
        story = self._generation.stories.of[self._generation.store.passage_article[ranking.rows]]
        return ranking.take(first_of_each(story))

    def explain(self, query: Query, *, articles: Iterable[str]) -> tuple[Placed, ...]:
        """The first `query.limit` articles, and these wherever they rank, with what each arm said of them.

        Raises:
            BadQuery: nothing to search for, or too long.
            EncoderFailed: the model does not answer.
        """
        text, embedding = checked(query), self.embed(query)
        rows = {key: self._generation.store.article_row(key) for key in articles}
        _, allowed = self._passing(query.filters)
        return placed(
            self._ranker.rank(text, embedding, mode=query.mode, allowed=allowed),
            first=query.limit,
            articles=[row for row in rows.values() if row is not None],
            # A relevant article's place is told however far down it is.
            evidence=replace(self._evidence(text, embedding, allowed=allowed), depth=self.info.passages),
            embedding=embedding,
        )

    def _evidence(self, text: str, embedding: Embedding | None, *, allowed: npt.NDArray[np.bool_] | None) -> Evidence:
        try:
            tokenizer: Tokenizer | None = self._encoder.tokenizer
        except EncoderFailed:
            tokenizer = None
        return Evidence(text, embedding, allowed, self._ranker, tokenizer)

    def _passing(self, filters: Filters) -> tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None]:
        """Which articles and which passages the filters let through, (articles,) and (passages,); None for all."""
        articles = self._filter.articles(filters)
        return articles, None if articles is None else self._filter.passages(articles)

    def similar(
        self, article_id: str, *, limit: int = 10, offset: int = 0, filters: Filters = _ALL_ARTICLES
    ) -> Similar:
        """The articles that are like one: those of the same story, then one of each story near it in meaning.

        Raises:
            UnknownArticle: no article has this id.
            BadQuery: a page past what is ranked.
        """
        # An article asks without words: its stored vectors are the question, and nothing is marked in the answers.
        query = Query(text="", limit=limit, offset=offset, filters=filters)
        _check_page(query)
        store, stories = self._generation.store, self._generation.stories
        asked = store.article_row(article_id)
        if asked is None:
            raise UnknownArticle(f"the index has no article of the id {article_id[:200]!r}; a search names ids")
        selected = self._filter.articles(filters)
        passing = np.ones(store.n_articles, bool) if selected is None else selected.copy()
        passing[asked] = False
        own = stories.of == stories.of[asked]
        ranking = self._ranker.like(
            self._generation.vectors.vectors(np.arange(store.first_passage[asked], store.first_passage[asked + 1])),
            first=np.flatnonzero(self._filter.passages(passing & own)),
            allowed=self._filter.passages(passing & ~own),
        )
        articles = store.passage_article[ranking.rows]
        # Articles of the same story are shown one by one, of any other story the nearest alone.
        ranking = ranking.take(first_of_each(np.where(own[articles], -1 - articles, stories.of[articles])))
        return Similar(
            article=store.article(asked),
            hits=page_of(ranking, query=query, evidence=self._evidence("", None, allowed=None), passing=selected),
            total=len(ranking.rows),
            same_story=int(np.count_nonzero(passing & own)),
            facets=self._filter.facets(passing),
        )

    def ids(self, ranking: Ranking) -> list[str]:
        """The article id of each row of a ranking, in order."""
        store = self._generation.store
        return [store.article_id(int(store.passage_article[row])) for row in ranking.rows]

    def article(self, article_id: str) -> Article | None:
        """The article of that id, or None."""
        row = self._generation.store.article_row(article_id)
        return None if row is None else self._generation.store.article(row)

    def drawn(self, *, most: int) -> list[Article]:
        """At most that many articles, drawn evenly from the index in the order of their ids; always the same ones."""
        store = self._generation.store
        by_id = np.argsort(store.id_rank())
        rows = by_id[np.linspace(0, len(by_id) - 1, min(most, len(by_id))).astype(np.int64)]
        return [store.article(int(row)) for row in rows]

    def passages_of(self, article_id: str) -> list[Passage]:
        """The passages of that article, in its order; none when there is no such article."""
        store = self._generation.store
        row = store.article_row(article_id)
        return [] if row is None else store.passages(row, store.article(row))


def _check_page(query: Query) -> None:
    if query.limit < 1 or query.offset < 0 or query.offset + query.limit > MAX_DEPTH:
        raise BadQuery(
            f"limit {query.limit} and offset {query.offset} are out of range; expected limit >= 1, offset >= 0 "
            f"and together at most {MAX_DEPTH}"
        )


def checked(query: Query) -> str:
    """The text to search for.

    Raises:
        BadQuery: nothing to search for, or too long.
    """
    text = readable(query.text)
    if not text:
        raise BadQuery("the question is empty; ask something, such as: Apa itu batik?")
    if len(text) > MAX_QUERY_CHARACTERS:
        raise BadQuery(f"the question has {len(text)} characters; expected at most {MAX_QUERY_CHARACTERS}")
    return text
