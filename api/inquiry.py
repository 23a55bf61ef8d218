"""Asking the index in use, off the event loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .pulse import Pulse
from .telemetry import Asked, current
from .turnstile import Turnstile

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
    """Where requests reach the index: at most `max_threads` at work, and `max_queue` waiting in turn.

    Each method takes the searcher once; everything it returns comes from that one generation. Each raises
    `Overloaded` when the queue is full, or the turn does not come within `queue_timeout_s`.
    """

    def __init__(self, live: Live, *, max_threads: int, max_queue: int, queue_timeout_s: float) -> None:
        self.live = live
        self.pulse = Pulse(threads=max_threads)
        self._turnstile = Turnstile(max_running=max_threads, max_waiting=max_queue, max_wait_s=queue_timeout_s)

    @property
    def depth(self) -> int:
        """How many searches wait for their turn."""
        return self._turnstile.depth

    @property
    def running(self) -> int:
        """How many searches are at work."""
        return self._turnstile.running

    async def search(self, query: Query, *, searcher: Searcher | None = None) -> Found:
        """Answers one query.

        Args:
            query: what is asked.
            searcher: whom to ask, where several queries must be answered by one generation.

        Raises:
            SearchError: the query cannot be answered as it is.
        """
        began = time.perf_counter()
        asked = searcher or self.live.searcher
        answer = await self._aside(lambda: asked.search(query))
        _note(query, answer, generation=asked.info.generation)
        return Found(searcher=asked, answer=answer, took_ms=(time.perf_counter() - began) * 1000)

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
        return await self._turnstile.run(self.pulse.watched(work))


def _note(query: Query, answer: Answer, *, generation: str) -> None:
    exchange = current()
    if exchange is not None:
        exchange.searches.append(
            Asked(
                text=query.text,
                generation=generation,
                hits=len(answer.hits),
                total=answer.total,
                degraded=answer.degraded is not None,
                remembered=answer.remembered,
                timings=answer.timings,
            )
        )
