"""From a query to a page of hits, over one generation."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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

from .calibration import probability
from .errors import BadQuery
from .filters import ArticleFilter
from .fusion import fused
from .highlight import best_sentence
from .hit import Answer, Highlight, Hit, Scores
from .late import Matches, match
from .query import Group, Mode, Query

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt

    from indexer import Encoder, Generation, TokenVectors

MAX_QUERY_CHARACTERS = 10_000
RERANKED = 200
"""How many of the nearest passages late interaction judges."""
MAX_DEPTH = 1_000
"""How many passages are ranked for a query, and so how far paging reaches."""


Rows64: TypeAlias = "npt.NDArray[np.int64]"
"""(n,) int64: passage rows of a generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Passages in order, best first.

    `rows`, `scores`, `dense` and `late` are (n,), `late` NaN where only the dense vectors judged; `question`
    is the question's tokens; `articles` is (articles,) bool, those that passed the filters, or None when all did.
    """

    rows: Rows64
    scores: npt.NDArray[np.float32]
    dense: npt.NDArray[np.float32]
    late: npt.NDArray[np.float32]
    question: TokenVectors
    articles: npt.NDArray[np.bool_] | None


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
        self._id_rank = generation.store.id_rank()
        self._languages = np.array(generation.store.languages())
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
        ranking = self.rank(query)
        tokens = len(self._encoder.tokenizer.token_starts(text)) + self._encoder.card.overhead_tokens
        return Answer(
            hits=self._hits(ranking, query),
            total=len(ranking.rows),
            language=language.language,
            language_confidence=language.confidence,
            truncated=tokens > self._encoder.card.max_tokens,
            answerable=None,
            degraded=None,
            facets=self._filter.facets(ranking.articles),
        )

    def rank(self, query: Query) -> Ranking:
        """The whole ranking of a query, as far as paging reaches; `limit` and `offset` do not matter.

        Raises:
            BadQuery: nothing to search for, or too long.
        """
        text = checked(query)
        articles = self._filter.articles(query.filters)
        allowed = None if articles is None else self._filter.passages(articles)
        embedding = self._encoder.embed_queries([text])
        question = embedding.tokens[0]
        rows, dense = self._generation.vectors.search(embedding.vectors, k=MAX_DEPTH, allowed=allowed)[0]
        order = self._best_first(rows, dense)
        rows, dense = rows[order], dense[order]
        late = np.full(len(rows), np.nan, np.float32)
        scores = probability(dense, of=Mode.DENSE)
        if query.mode is Mode.HYBRID and len(question.ids):
            rescored = slice(0, RERANKED)
            late[rescored] = self._matches(question, rows[rescored]).scores()
            both = fused(dense[rescored], late[rescored])
            scores[rescored] = probability(both, of=Mode.HYBRID)
            # What only the dense vectors judged stays below, in its order.
            rest = scores[RERANKED:]
            scores[RERANKED:] = scores[rescored].min(initial=1.0) * rest / rest.max(initial=np.finfo(np.float32).tiny)
            order = np.concatenate(
                [self._best_first(rows[rescored], both), np.arange(min(RERANKED, len(rows)), len(rows))]
            )
            rows, dense, late, scores = rows[order], dense[order], late[order], scores[order]
        if query.group is Group.ARTICLE:
            _, first = np.unique(self._generation.store.passage_article[rows], return_index=True)
            kept = np.sort(first)
            rows, dense, late, scores = rows[kept], dense[kept], late[kept], scores[kept]
        return Ranking(rows=rows, scores=scores, dense=dense, late=late, question=question, articles=articles)

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

    def _best_first(self, rows: Rows64, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """The order of results everywhere: score descending, then passage id (its article's, then its place)."""
        article_rank = self._id_rank[self._generation.store.passage_article[rows]]
        return np.lexsort((rows, article_rank, -scores))

    def _matches(self, question: TokenVectors, rows: Rows64) -> Matches:
        generation = self._generation
        return match(
            question,
            rows,
            store=generation.tokens,
            languages=self._languages[generation.store.passage_article[rows]],
            offsets=generation.token_offsets,
        )

    def _hits(self, ranking: Ranking, query: Query) -> tuple[Hit, ...]:
        page = slice(query.offset, query.offset + query.limit)
        rows = ranking.rows[page]
        matches = self._matches(ranking.question, rows)
        hits: list[Hit] = []
        for place, row in enumerate(rows):
            at = query.offset + place
            article, passage = self._passage(int(row))
            late = float(ranking.late[at])
            hits.append(
                Hit(
                    rank=at + 1,
                    score=float(ranking.scores[at]),
                    scores=Scores(dense=float(ranking.dense[at]), late=None if math.isnan(late) else late),
                    passage=passage,
                    article=article,
                    highlights=self._best_sentence(article, passage, matches.of(place)),
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
        BadQuery: nothing to search for, too long, or evidence that this index does not have.
    """
    text = unicodedata.normalize("NFC", query.text).strip()
    if not text:
        raise BadQuery("the question is empty; ask something, such as: Apa itu batik?")
    if len(text) > MAX_QUERY_CHARACTERS:
        raise BadQuery(f"the question has {len(text)} characters; expected at most {MAX_QUERY_CHARACTERS}")
    if query.mode is Mode.LEXICAL:
        raise BadQuery('this index has no lexical evidence; search with mode "hybrid" or "dense"')
    return text
