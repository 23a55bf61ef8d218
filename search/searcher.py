"""From a query to a page of hits, over one generation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from corpus import Article, detect_query_language
from indexer import (
    Embedding,
    IndexMismatch,
    Passage,
    TokenVectors,
    embedded_text,
    embedded_title,
    find_prepared,
    open_current,
    open_encoder,
    prepare_model,
)

from .calibration import ANSWERABLE
from .errors import BadQuery, UnknownArticle
from .explanation import Evidence, Placed, placed
from .filters import ArticleFilter
from .grouping import first_of_each, similar_count
from .highlight import best_sentence, best_sentence_by_words, matching_words
from .hit import Answer, Highlight, Hit, Scores, Similar
from .query import Filters, Group, Query
from .question import readable
from .ranking import MAX_DEPTH, Ranker, Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt

    from indexer import Encoder, Generation

    from .explanation import Explanation
    from .late import Matches

MAX_QUERY_CHARACTERS = 10_000
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


class Searcher:
    """Answers queries over one generation; thread-safe. Its files are let go with the last reference to it."""

    def __init__(self, generation: Generation, *, encoder: Encoder) -> None:
        if generation.manifest.model.fingerprint != encoder.card.fingerprint:
            made_by = generation.manifest.model
            raise IndexMismatch(
                f"{generation.name} was made with the model {made_by.name} ({made_by.fingerprint[:12]}), not "
                f"{encoder.card.name} ({encoder.card.fingerprint[:12]}); search with that model, or build again"
            )
        self._generation = generation
        self._encoder = encoder
        self._filter = ArticleFilter(generation.store)
        self._ranker = Ranker(generation)
        self.info = IndexInfo(
            generation=generation.name,
            model=generation.manifest.model.name,
            built_at=generation.built_at,
            articles=generation.manifest.articles,
            passages=generation.manifest.passages,
            languages=generation.manifest.languages,
        )

    def search(self, query: Query) -> Answer:
        """Rank the passages of the articles that pass the filters, and return one page.

        Raises:
            BadQuery: nothing to search for, too long, or a page past what is ranked.
        """
        text = checked(query)
        _check_page(query)
        language = detect_query_language(text)
        tokens = len(self._encoder.tokenizer.token_starts(text)) + self._encoder.card.overhead_tokens
        embedding = self.embed(query)
        ranking = self.rank(query, embedding=embedding)
        return Answer(
            hits=self._hits(text, embedding, ranking, query),
            total=len(ranking.rows),
            language=language.language,
            language_confidence=language.confidence,
            truncated=tokens > self._encoder.card.max_tokens,
            answerable=bool(len(ranking.scores)) and float(ranking.scores[0]) >= ANSWERABLE,
            degraded=None,
            facets=self._filter.facets(self._filter.articles(query.filters)),
        )

    def embed(self, query: Query) -> Embedding:
        """What the model makes of the question alone; it may be ranked several ways.

        Raises:
            BadQuery: nothing to search for, or too long.
        """
        return self._encoder.embed_queries([checked(query)])

    def rank(self, query: Query, *, embedding: Embedding | None = None, late: bool = True) -> Ranking:
        """The whole ranking of a query, as far as paging reaches; `limit` and `offset` do not matter.

        Args:
            query: The question.
            embedding: What `embed` made of it, when that was done already.
            late: Whether late interaction may take part.

        Raises:
            BadQuery: nothing to search for, or too long.
        """
        text = checked(query)
        ranking = self._ranker.rank(
            text,
            self.embed(query) if embedding is None else embedding,
            mode=query.mode,
            allowed=self._allowed(query),
            late=late,
        )
        if query.group is Group.ARTICLE:
            story = self._generation.stories.of[self._generation.store.passage_article[ranking.rows]]
            ranking = ranking.take(first_of_each(story))
        return ranking

    def explain(self, query: Query, *, articles: Iterable[str]) -> tuple[Placed, ...]:
        """The first `query.limit` articles, and these wherever they rank, with what each arm said of them.

        Raises:
            BadQuery: nothing to search for, or too long.
        """
        rows = {key: self._generation.store.article_row(key) for key in articles}
        embedding = self.embed(query)
        return placed(
            self.rank(replace(query, group=Group.NONE), embedding=embedding),
            first=query.limit,
            articles=[row for row in rows.values() if row is not None],
            # A relevant article's place is told however far down it is.
            evidence=replace(self._evidence(query, embedding), depth=self.info.passages),
        )

    def _evidence(self, query: Query, embedding: Embedding) -> Evidence:
        return Evidence(checked(query), embedding, self._allowed(query), self._ranker, self._encoder.tokenizer)

    def _allowed(self, query: Query) -> npt.NDArray[np.bool_] | None:
        articles = self._filter.articles(query.filters)
        return None if articles is None else self._filter.passages(articles)

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
        passing = self._filter.articles(filters)
        passing = np.ones(store.n_articles, bool) if passing is None else passing
        passing[asked] = False
        own = stories.of == stories.of[asked]
        ranking = self._ranker.like(
            self._generation.vectors.vectors(np.arange(store.first_passage[asked], store.first_passage[asked + 1])),
            first=np.flatnonzero(self._filter.passages(passing & own)),
            allowed=self._filter.passages(passing & ~own),
        )
        no_tokens = TokenVectors(np.empty(0, np.int32), np.empty((0, self._encoder.card.dim), np.float32))
        nothing = Embedding(np.empty((0, self._encoder.card.dim), np.float32), [no_tokens])
        articles = store.passage_article[ranking.rows]
        # Articles of the same story are shown one by one, of any other story the nearest alone.
        ranking = ranking.take(first_of_each(np.where(own[articles], -1 - articles, stories.of[articles])))
        return Similar(
            article=store.article(asked),
            hits=self._hits("", nothing, ranking, query),
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

    def passages_of(self, article_id: str) -> list[Passage]:
        """The passages of that article, in its order; none when there is no such article."""
        store = self._generation.store
        row = store.article_row(article_id)
        return [] if row is None else store.passages(row, store.article(row))

    def _hits(self, text: str, embedding: Embedding, ranking: Ranking, query: Query) -> tuple[Hit, ...]:
        page = slice(query.offset, query.offset + query.limit)
        rows = ranking.rows[page]
        matches = self._ranker.matches(embedding.tokens[0], rows)
        explanations: Sequence[Explanation | None] = (
            self._evidence(query, embedding).explanations(
                ranking.take(np.arange(len(ranking.rows), dtype=np.intp)[page])
            )
            if query.explain
            else [None] * len(rows)
        )
        lexical = self._generation.lexical
        shown = np.unique(self._generation.languages[rows])
        weights = {str(language): lexical.weights(text, language=str(language)) for language in shown}
        passing = self._filter.articles(query.filters)
        hits: list[Hit] = []
        for place, row in enumerate(rows):
            at = query.offset + place
            article, passage = self._passage(int(row))
            hits.append(
                Hit(
                    rank=at + 1,
                    score=float(ranking.scores[at]),
                    scores=Scores(
                        dense=_judged(ranking.dense[at]),
                        lexical=_judged(ranking.lexical[at]),
                        late=_judged(ranking.late[at]),
                    ),
                    passage=passage,
                    article=article,
                    highlights=(
                        *(
                            self._best_sentence(article, passage, matches.of(place))
                            if matches is not None
                            else best_sentence_by_words(passage, weights[article.language], language=article.language)
                        ),
                        *matching_words(passage, weights[article.language], language=article.language),
                    ),
                    similar_count=similar_count(
                        int(self._generation.store.passage_article[row]),
                        stories=self._generation.stories,
                        passing=passing,
                    ),
                    explanation=explanations[place],
                )
            )
        return tuple(hits)

    def _passage(self, row: int) -> tuple[Article, Passage]:
        store = self._generation.store
        article = store.article(int(store.passage_article[row]))
        return article, store.passage(row, article)

    def _best_sentence(self, article: Article, passage: Passage, matches: Matches) -> tuple[Highlight, ...]:
        tokenizer = self._encoder.tokenizer
        title = embedded_title(article.title, tokenizer=tokenizer, settings=self._generation.manifest.chunking)
        text = embedded_text(title, passage.text)
        return best_sentence(
            passage,
            matches,
            token_starts=tokenizer.token_starts(text),
            title_length=len(text) - len(passage.text),
        )


def open_searcher(
    index: Path,
    *,
    model_cache: Path,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Searcher:
    """Open the live generation of `index` with the model that made it, preparing that model if need be.

    Raises:
        IndexerError: no index, a damaged one, or its model is not to be had.
    """
    generation = open_current(index)
    card = generation.manifest.model
    folder = find_prepared(card.fingerprint, cache=model_cache)
    if folder is None:
        folder = prepare_model(card.name, cache=model_cache, progress=progress)
    return Searcher(generation, encoder=open_encoder(folder, threads=threads))


def _check_page(query: Query) -> None:
    if query.limit < 1 or query.offset < 0 or query.offset + query.limit > MAX_DEPTH:
        raise BadQuery(
            f"limit {query.limit} and offset {query.offset} are out of range; expected limit >= 1, offset >= 0 "
            f"and together at most {MAX_DEPTH}"
        )


def _judged(score: np.float32) -> float | None:
    return None if math.isnan(score) else float(score)


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
