"""The endpoints that other services call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from ..caching import entity_tag, knows, not_modified, unless_known
from ..errors import InvalidParameter, NoSuchArticle, NotReady, Stuck
from ..problem import Problem
from ..segmented import SegmentedRoute
from .answer import (
    ArticleAnswer,
    Health,
    IndexAnswer,
    SearchAnswer,
    SimilarAnswer,
    article_answer,
    index_answer,
    search_answer,
    similar_answer,
)
from .ask import SearchRequest, asked_by_address, asked_by_body, selected_by_address
from .batch import BatchAnswer, answer_batch, asked_in_batch
from .selection import Selection  # noqa: TC001 - the framework reads it at run time

if TYPE_CHECKING:
    from search import Searcher

    from ..inquiry import Desk

router = APIRouter(route_class=SegmentedRoute)

# A key may be asked for, be refused or have spent its rate; the service may fail or be busy.
_ANYWHERE = (401, 421, 429, 500, 503)
# A body may be no JSON, late, too large, or of another type.
_OF_BODY = (400, 408, 413, 415)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in sorted(statuses)}


def _conditional(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of an endpoint whose answer has an entity tag."""
    return {304: {"description": "The answer that the client has is still the right one."}} | _problems(*statuses)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _request_id(request: Request) -> str:
    return str(request.state.request_id)


def _tag(request: Request, searcher: Searcher, *asked: str) -> str:
    return entity_tag(request.app.version, searcher.info.generation, *asked)


async def _search(request: Request, asked: SearchRequest) -> tuple[SearchAnswer, Searcher]:
    found = await _desk(request).search(asked.to_query())
    return search_answer(found, asked=asked, request_id=_request_id(request)), found.searcher


@router.get(
    "/v1/search",
    tags=["search"],
    operation_id="search",
    summary="Search",
    response_model=SearchAnswer,
    response_model_exclude_unset=True,
    responses=_conditional(422, *_ANYWHERE),
)
async def search_by_address(
    request: Request, response: Response, asked: Annotated[SearchRequest, Depends(asked_by_address)]
) -> SearchAnswer | Response:
    """Finds the passages that answer a question."""
    normal = asked.normal()
    known = _tag(request, _desk(request).live.searcher, "search", normal)
    if knows(request, known):
        return not_modified(known)
    answer, searcher = await _search(request, asked)
    if answer.degraded is not None:  # the next answer may be whole
        response.headers["Cache-Control"] = "no-store"
        return answer
    return unless_known(request, response, _tag(request, searcher, "search", normal)) or answer


@router.post(
    "/v1/search",
    tags=["search"],
    operation_id="searchByBody",
    summary="Search, asked by a body",
    response_model_exclude_unset=True,
    responses=_problems(*_OF_BODY, 422, *_ANYWHERE),
)
async def search_by_body(request: Request, asked: Annotated[SearchRequest, Depends(asked_by_body)]) -> SearchAnswer:
    """The same search, asked by a JSON body."""
    answer, _ = await _search(request, asked)
    return answer


@router.post(
    "/v1/search/batch",
    tags=["search"],
    operation_id="searchBatch",
    summary="Several searches at once",
    response_model_exclude_unset=True,
    responses=_problems(*_OF_BODY, 422, *_ANYWHERE),
)
async def search_batch(
    request: Request,
    asked: Annotated[tuple[SearchRequest | InvalidParameter, ...], Depends(asked_in_batch)],
) -> BatchAnswer:
    """Answers up to 50 searches, all by one generation of the index, in the order they were asked in.

    A search that is not valid, or fails, has a problem in its place and never fails the others: the status of
    the whole is 200 even if every search was refused. Problems of the whole body are answered as usual.
    """
    request.state.allowance.charge(len(asked) - 1)
    return await answer_batch(asked, desk=_desk(request), request=request)


# Before the article itself, whose path would take this one for the id of an article.
@router.get(
    "/v1/articles/{id:path}/similar",
    tags=["articles"],
    operation_id="similar",
    summary="Articles like an article",
    response_model=SimilarAnswer,
    response_model_exclude_unset=True,
    responses=_conditional(404, 422, *_ANYWHERE),
)
async def similar(
    request: Request,
    response: Response,
    id: str,  # noqa: A002 - the contract's name
    selected: Annotated[Selection, Depends(selected_by_address)],
) -> SimilarAnswer | Response:
    """The other articles of the same story, then one of each story near it in meaning, in either language."""
    normal = selected.normal()
    known = _tag(request, _desk(request).live.searcher, "similar", id, normal)
    if knows(request, known):
        return not_modified(known)
    found = await _desk(request).similar(id, limit=selected.limit, offset=selected.offset, filters=selected.filters())
    answer = similar_answer(found, selected=selected, request_id=_request_id(request))
    return unless_known(request, response, _tag(request, found.searcher, "similar", id, normal)) or answer


@router.get(
    "/v1/articles/{id:path}",
    tags=["articles"],
    operation_id="article",
    summary="An article",
    response_model=ArticleAnswer,
    responses=_conditional(404, *_ANYWHERE),
)
async def article(request: Request, response: Response, id: str) -> ArticleAnswer | Response:  # noqa: A002 - the contract's name
    """One article with its passages.

    Percent-encode an id that holds `#`, `%`, `?` or blanks. A slash may stand as it is, but for one before a last
    segment `similar`: `/v1/articles/a%2Fsimilar` is the article `a/similar`.
    """
    opened = await _desk(request).article(id)
    if opened is None:
        raise NoSuchArticle(f"no article of the index in use has the id {id[:200]!r}")
    answer = article_answer(opened, request_id=_request_id(request))
    return unless_known(request, response, _tag(request, opened.searcher, "article", id)) or answer


@router.get(
    "/v1/index",
    tags=["operations"],
    operation_id="index",
    summary="The index in use",
    response_model=IndexAnswer,
    responses=_conditional(*_ANYWHERE),
)
async def index(request: Request, response: Response) -> IndexAnswer | Response:
    """Which generation answers, how large it is, and whether the newest one was refused."""
    answer = index_answer(_desk(request).live)
    tag = entity_tag(request.app.version, "index", answer.model_dump_json())
    return unless_known(request, response, tag) or answer


@router.get("/livez", tags=["operations"], operation_id="live", summary="Is it alive?", responses=_problems(500, 503))
async def livez(request: Request) -> Health:
    """Says yes while searches get anywhere, or could: no when every thread has been at one for a minute."""
    _refuse_if_stuck(request)
    return Health(status="alive")


@router.get("/readyz", tags=["operations"], operation_id="ready", summary="Is it ready?", responses=_problems(500, 503))
async def readyz(request: Request) -> Health:
    """Says yes from when the index is open and warm until the process is told to stop."""
    if request.app.state.drain.begun:
        raise NotReady("this process is going away; another one answers", retry_after_s=1)
    _ = _desk(request).live.searcher
    _refuse_if_stuck(request)
    return Health(status="ready")


def _refuse_if_stuck(request: Request) -> None:
    stuck_s = _desk(request).pulse.stuck_s()
    if stuck_s is not None:
        raise Stuck(f"no search has ended for {stuck_s:.0f} s, and every thread is at one; start another process")
