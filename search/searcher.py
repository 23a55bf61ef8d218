"""From a query to a page of hits, over one generation."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpus import Article, detect_query_language
from indexer import (
    IndexMismatch,
    Passage,
    embedded_text,
    embedded_title,
    find_prepared,
    open_current,
    open_encoder,
    prepare_model,
)

from .errors import BadQuery
from .filters import ArticleFilter
from .highlight import best_sentence, matching_words
from .hit import Answer, Highlight, Hit, Scores
from .query import Group, Query
from .ranking import MAX_DEPTH, Ranker, Ranking

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from indexer import Embedding, Encoder, Generation, TokenVectors

    from .late import Matches

MAX_QUERY_CHARACTERS = 10_000


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
        if query.limit < 1 or query.offset < 0 or query.offset + query.limit > MAX_DEPTH:
            raise BadQuery(
                f"limit {query.limit} and offset {query.offset} are out of range; expected limit >= 1, offset >= 0 "
                f"and together at most {MAX_DEPTH}"
            )
        language = detect_query_language(text)
        tokens = len(self._encoder.tokenizer.token_starts(text)) + self._encoder.card.overhead_tokens
        embedding, ranking = self._rank(query)
        return Answer(
            hits=self._hits(text, embedding.tokens[0], ranking, query),
            total=len(ranking.rows),
            language=language.language,
            language_confidence=language.confidence,
            truncated=tokens > self._encoder.card.max_tokens,
            answerable=None,
            degraded=None,
            facets=self._filter.facets(self._filter.articles(query.filters)),
        )

    def rank(self, query: Query) -> Ranking:
        """The whole ranking of a query, as far as paging reaches; `limit` and `offset` do not matter.

        Raises:
            BadQuery: nothing to search for, or too long.
        """
        return self._rank(query)[1]

    def _rank(self, query: Query) -> tuple[Embedding, Ranking]:
        text = checked(query)
        articles = self._filter.articles(query.filters)
        allowed = None if articles is None else self._filter.passages(articles)
        embedding = self._encoder.embed_queries([text])
        ranking = self._ranker.rank(text, embedding, mode=query.mode, allowed=allowed)
        if query.group is Group.ARTICLE:
            _, first = np.unique(self._generation.store.passage_article[ranking.rows], return_index=True)
            ranking = ranking.take(np.sort(first))
        return embedding, ranking

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

    def _hits(self, text: str, question: TokenVectors, ranking: Ranking, query: Query) -> tuple[Hit, ...]:
        page = slice(query.offset, query.offset + query.limit)
        rows = ranking.rows[page]
        matches = self._ranker.matches(question, rows)
        lexical = self._generation.lexical
        shown = np.unique(self._generation.languages[rows])
        weights = {str(language): lexical.weights(text, language=str(language)) for language in shown}
        hits: list[Hit] = []
        for place, row in enumerate(rows):
            at = query.offset + place
            article, passage = self._passage(int(row))
            late = float(ranking.late[at])
            hits.append(
                Hit(
                    rank=at + 1,
                    score=float(ranking.scores[at]),
                    scores=Scores(
                        dense=float(ranking.dense[at]),
                        lexical=float(ranking.lexical[at]),
                        late=None if math.isnan(late) else late,
                    ),
                    passage=passage,
                    article=article,
                    highlights=(
                        *self._best_sentence(article, passage, matches.of(place)),
                        *matching_words(passage, weights[article.language], language=article.language),
                    ),
                    similar_count=0,
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


def checked(query: Query) -> str:
    """The text to search for.

    Raises:
        BadQuery: nothing to search for, or too long.
    """
    text = unicodedata.normalize("NFC", query.text).strip()
    if not text:
        raise BadQuery("the question is empty; ask something, such as: Apa itu batik?")
    if len(text) > MAX_QUERY_CHARACTERS:
        raise BadQuery(f"the question has {len(text)} characters; expected at most {MAX_QUERY_CHARACTERS}")
    return text
