"""Several searches in one request: each is answered or refused for itself, and all by one generation."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Annotated, Literal

from anyio import CapacityLimiter, create_task_group
from fastapi import Request  # noqa: TC002 - the framework reads it at run time
from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from .. import problem
from ..errors import InvalidParameter
from ..problem import Problem  # noqa: TC001 - pydantic reads it at run time
from .answer import IndexRef, SearchAnswer, index_ref, search_answer
from .ask import SearchRequest, read_body, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search import Searcher

    from ..inquiry import Desk

MAX_SEARCHES = 50
# Four of a batch at work, enough to share runs of the model, and the others behind them: a long batch does not keep
# single questions waiting.
_AT_ONCE = 4

_log = logging.getLogger(__name__)


class BatchRequest(BaseModel):
    """Searches to answer together. One that is not valid is refused for itself, in its place of the results."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"searches": [{"q": "kapan pasar induk dibuka kembali?"}, {"q": "why did the port close?"}]}]
        },
    )

    searches: list[SkipValidation[SearchRequest]] = Field(
        min_length=1, max_length=MAX_SEARCHES, description=f"What to ask, 1 to {MAX_SEARCHES} searches."
    )


class BatchFound(BaseModel):
    """A search that was answered, as `POST /v1/search` would have."""

    status: Literal[200]
    answer: SearchAnswer


class BatchRefused(BaseModel):
    """A search that was not: the problem that `POST /v1/search` would have answered with."""

    status: int = Field(ge=400, le=599, description="The same as in the problem.", examples=[422])
    problem: Problem


BatchResult = Annotated[BatchFound | BatchRefused, Field(description="The status tells which: 200 has an answer.")]


class BatchAnswer(BaseModel):
    """One result for every search, in the order they were asked in."""

    request_id: str = Field(description="The same in every result.")
    took_ms: float
    index: IndexRef = Field(description="The generation that every search was asked of.")
    results: list[BatchResult] = Field(max_length=MAX_SEARCHES)


async def asked_in_batch(request: Request) -> tuple[SearchRequest | InvalidParameter, ...]:
    """The searches of a batch, and in the place of one that is not valid why it is not.

    Raises:
        WrongContentType: the body is not declared as application/json.
        InvalidJson: it is not one JSON value in UTF-8.
        InvalidParameter: it is not a list of searches, or not of so many.
    """
    batch = validate(await read_body(request), model=BatchRequest)
    return tuple(_valid(one) for one in batch.searches)


async def answer_batch(
    asked: Sequence[SearchRequest | InvalidParameter], *, desk: Desk, request: Request
) -> BatchAnswer:
    """Answers every search of a batch. When its client goes away it is cancelled, and what is left is not searched."""
    began = time.perf_counter()
    searcher = desk.live.searcher
    results: list[BatchFound | BatchRefused | None] = [None] * len(asked)
    places = CapacityLimiter(_AT_ONCE)

    async def answer_one(at: int) -> None:
        async with places:
            results[at] = await _result(asked[at], at=at, searcher=searcher, desk=desk, request=request)

    async with create_task_group() as searches:
        for at in range(len(asked)):
            searches.start_soon(answer_one, at)
    return BatchAnswer(
        request_id=request.state.request_id,
        took_ms=round((time.perf_counter() - began) * 1000, 2),
        index=index_ref(searcher),
        results=[result for result in results if result is not None],
    )


async def _result(
    asked: SearchRequest | InvalidParameter, *, at: int, searcher: Searcher, desk: Desk, request: Request
) -> BatchFound | BatchRefused:
    if isinstance(asked, InvalidParameter):
        return _refused(asked, at=at, request=request)
    try:
        found = await desk.search(asked.to_query(), searcher=searcher)
    except Exception as error:  # noqa: BLE001 - one search's boundary of HTTP: the others go on
        return _refused(error, at=at, request=request)
    return BatchFound(status=200, answer=search_answer(found, asked=asked, request_id=str(request.state.request_id)))


def _refused(error: Exception, *, at: int, request: Request) -> BatchRefused:
    described = problem.describe(request, error)
    if described.status == problem.INTERNAL:
        _log.error("search %d of request %s failed", at, described.request_id, exc_info=error)
    described.instance = f"{described.instance}#/searches/{at}"
    return BatchRefused(status=described.status, problem=described)


def _valid(values: object) -> SearchRequest | InvalidParameter:
    try:
        return validate(values, model=SearchRequest)
    except InvalidParameter as error:
        return error
