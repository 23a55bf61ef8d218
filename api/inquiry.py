"""Asking the index in use, off the event loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from corpus import Article
    from indexer import Passage
    from search import Answer, Filters, Query, Searcher, Similar

    from .live import Live

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer, the searcher that gave it, and how long that took."""

    searcher: Searcher
    answer: Answer
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An article with its passages, and the searcher that holds them."""

    searcher: Searcher
    article: Article
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSimilar:
    """The articles like one, the searcher that found them, and how long that took."""

    searcher: Searcher
    similar: Similar
    took_ms: float


class Desk:
    """Where requests reach the index: at most `max_threads` at work, the others waiting in turn.

    Each method takes the searcher once; everything it returns comes from that one generation.
    """

    def __init__(self, live: Live, *, max_threads: int) -> None:
        self.live = live
        self._limiter = CapacityLimiter(max_threads)

    async def search(self, query: Query) -> Found:
        """Answers one query.

        Raises:
            SearchError: the query cannot be answered as it is.
        """
        began = time.perf_counter()
        searcher = self.live.searcher
        answer = await self._aside(lambda: searcher.search(query))
        return Found(searcher=searcher, answer=answer, took_ms=(time.perf_counter() - began) * 1000)

    async def similar(self, article_id: str, *, limit: int, offset: int, filters: Filters) -> FoundSimilar:
        """Finds the articles like one.

        Raises:
            SearchError: the index has no such article, or the page is out of reach.
        """
        began = time.perf_counter()
        searcher = self.live.searcher
        similar = await self._aside(lambda: searcher.similar(article_id, limit=limit, offset=offset, filters=filters))
        return FoundSimilar(searcher=searcher, similar=similar, took_ms=(time.perf_counter() - began) * 1000)

    async def article(self, article_id: str) -> Opened | None:
        """Opens one article, or gives None when the index has none of this id."""
        searcher = self.live.searcher

        def read() -> Opened | None:
            article = searcher.article(article_id)
            if article is None:
                return None
            passages = tuple(searcher.passages_of(article_id))
            return Opened(searcher=searcher, article=article, passages=passages)

        return await self._aside(read)

    async def _aside(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._limiter)
