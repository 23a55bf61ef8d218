# A small searcher with the members of the real one, so that HTTP is tested without a model.

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.testclient import TestClient

from api.app import create_app
from api.live import Live
from api.serving import server_options
from api.settings import Settings
from corpus import Article
from indexer import Passage
from search import (
    ANSWERABLE,
    Answer,
    Explanation,
    Filters,
    Group,
    Highlight,
    Hit,
    Query,
    Scores,
    Similar,
    UnknownArticle,
)
from search.explanation import DenseEvidence, LateEvidence, LexicalEvidence, SharedWord, TokenPair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

_PATIENCE_S = 30
GENERATION = "20260102T030405Z-aaaa"


def make_article(**changes: str | date | None) -> Article:
    made = Article(
        id="kapal/1",
        title="Kapal kandas di muara",
        text="Sebuah kapal kandas. Air surut sejak pagi 🌊 di muara.\n\nWarga menonton dari tepi.",
        url="https://example.org/kapal",
        source="Harian Muara",
        author="Sari",
        published=date(2026, 1, 8),
        language="id",
        digest="0" * 64,
    )
    return replace(made, **changes)


ARTICLES = (
    make_article(),
    make_article(
        id="a #50%?",
        title="",
        text="<script>alert('x')</script> A ship & its crew were stranded. The tide fell.",
        url="javascript:alert(1)",
        source='The "Harbour" <b>Post</b>',
        author=None,
        published=None,
        language="en",
    ),
    make_article(id="tiga", title="Pelabuhan dibuka", url=None, published=date(2026, 2, 1)),
)


@dataclass(frozen=True)
class FakeInfo:
    generation: str = GENERATION
    model: str = "fake"
    built_at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    articles: int = len(ARTICLES)
    passages: int = len(ARTICLES)
    languages: dict[str, int] = field(default_factory=lambda: {"id": 2, "en": 1})


class FakeSearcher:
    """Finds every article that the filters let through, in the order it was given them."""

    def __init__(self, *, articles: tuple[Article, ...] = ARTICLES, generation: str = GENERATION) -> None:
        self.info = FakeInfo(generation=generation)
        self.articles = articles
        self.queries: list[Query] = []
        self.failure: Exception | None = None
        self.best_score = 0.9
        self.degraded: str | None = None
        self.closed = False

    def search(self, query: Query) -> Answer:
        self.queries.append(query)
        if self.failure is not None:
            raise self.failure
        let_through = [one for one in self.articles if _passes(one, query)]
        grouped = query.group is Group.ARTICLE
        found = [
            (one, passage) for one in let_through for passage in self.passages_of(one.id)[: 1 if grouped else None]
        ]
        hits = tuple(
            Hit(
                rank=rank,
                score=self.best_score - rank / 100,
                scores=Scores(dense=self.best_score - rank / 100),
                passage=passage,
                article=one,
                highlights=(Highlight(0, 20, "sentence"), Highlight(8, 13, "term")),
                similar_count=0,
                more_count=len(self.passages_of(one.id)) - 1 if grouped and one.id == "kapal/1" else 0,
                explanation=explanation(self.best_score - rank / 100) if query.explain else None,
            )
            for rank, (one, passage) in enumerate(found, start=1)
        )
        return Answer(
            hits=hits[query.offset : query.offset + query.limit],
            total=len(hits),
            language="id",
            language_confidence=0.99,
            truncated=len(query.text) > 2_000,
            answerable=bool(hits) and hits[0].score >= ANSWERABLE,
            degraded=self.degraded,
            facets={
                "language": Counter(one.language for one in let_through),
                "source": Counter(one.source for one in let_through if one.source),
                "month": Counter(f"{one.published:%Y-%m}" for one in let_through if one.published),
            },
        )

    def similar(self, article_id: str, *, limit: int, offset: int, filters: Filters) -> Similar:
        """All other articles; those in the language of the one are its story."""
        asked = self.article(article_id)
        if asked is None:
            raise UnknownArticle(f"no article {article_id}")
        whole = self.search(Query(text="", limit=1_000, filters=filters))
        others = sorted(
            (hit for hit in whole.hits if hit.article.id != article_id),
            key=lambda hit: hit.article.language != asked.language,
        )
        hits = tuple(replace(hit, rank=rank, similar_count=2) for rank, hit in enumerate(others, start=1))
        return Similar(
            article=asked,
            hits=hits[offset : offset + limit],
            total=len(hits),
            same_story=sum(hit.article.language == asked.language for hit in hits),
            facets=whole.facets,
        )

    def article(self, article_id: str) -> Article | None:
        return next((one for one in self.articles if one.id == article_id), None)

    def passages_of(self, article_id: str) -> list[Passage]:
        text = self.article(article_id).text
        first, _, rest = text.partition("\n\n")
        passages = [Passage(f"{article_id}#0", article_id, first, 0, len(first))]
        if rest:
            passages.append(Passage(f"{article_id}#1", article_id, rest, len(first) + 2, len(text)))
        return passages

    def drawn(self, *, most: int) -> list[Article]:
        return list(self.articles[:most])

    def close(self) -> None:
        self.closed = True


def explanation(cosine: float) -> Explanation:
    return Explanation(
        language="id",
        dense=DenseEvidence(cosine, 1),
        lexical=LexicalEvidence(0.5, None, (SharedWord("kapal", 2.5, 1),)),
        late=LateEvidence(0.8, True, (TokenPair("kapal", "kapal", 0.8, 1.0),)),  # noqa: FBT003 - a record
        lifted=0,
    )


def _passes(article: Article, query: Query) -> bool:
    wanted = query.filters
    return (
        (not wanted.languages or article.language in wanted.languages)
        and (not wanted.sources or article.source in wanted.sources)
        and wanted.article in {None, article.id}
        and (wanted.published_from is None or (article.published or date.min) >= wanted.published_from)
        and (wanted.published_to is None or (article.published or date.max) <= wanted.published_to)
    )


@pytest.fixture
def searcher() -> FakeSearcher:
    return FakeSearcher()


@pytest.fixture
def settings() -> Settings:
    return Settings(poll_interval_s=0.01, examples={"id": ["Mengapa kapal kandas?"], "en": ["Why was it stranded?"]})


@pytest.fixture
def live(searcher: FakeSearcher) -> Live:
    return Live(lambda: searcher, read_current=lambda: searcher.info.generation, poll_interval_s=0.01)


@pytest.fixture
def client(live: Live, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(live, settings=settings)) as opened:
        yield opened


@dataclass(frozen=True)
class Served:
    """The service behind the real server; `port` is of 127.0.0.1."""

    app: FastAPI
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def serve(live: Live, settings: Settings) -> Iterator[Callable[..., Served]]:
    """Starts the real server, with the settings changed as asked; it ends with the test."""
    with ExitStack() as running:

        def start(**changes: object) -> Served:
            chosen = settings.model_copy(update=changes)
            listening = running.enter_context(socket.create_server(("127.0.0.1", 0)))
            app = create_app(live, settings=chosen)
            server = uvicorn.Server(uvicorn.Config(app, **server_options(chosen)))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            running.callback(thread.join, _PATIENCE_S)
            running.callback(setattr, server, "should_exit", True)  # noqa: FBT003 - an attribute's value
            until = time.monotonic() + _PATIENCE_S
            while not server.started:
                assert time.monotonic() < until
                time.sleep(0.01)
            return Served(app, listening.getsockname()[1])

        yield start


@pytest.fixture(name="make_article")
def make_article_fixture() -> Callable[..., Article]:
    return make_article


@pytest.fixture(scope="session")
def make_searcher() -> type[FakeSearcher]:
    return FakeSearcher
