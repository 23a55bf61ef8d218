"""The endpoints that other services call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request

from ..errors import NoSuchArticle
from ..problem import Problem
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
from .selection import Selection  # noqa: TC001 - the framework reads it at run time

if TYPE_CHECKING:
    from ..inquiry import Desk

router = APIRouter()


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in statuses}


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _request_id(request: Request) -> str:
    return str(request.state.request_id)


async def _search(request: Request, asked: SearchRequest) -> SearchAnswer:
    found = await _desk(request).search(asked.to_query())
    return search_answer(found, asked=asked, request_id=_request_id(request))


@router.get(
    "/v1/search",
    tags=["search"],
    operation_id="search",
    summary="Search",
    response_model_exclude_unset=True,
    responses=_problems(422, 500),
)
async def search_by_address(
    request: Request, asked: Annotated[SearchRequest, Depends(asked_by_address)]
) -> SearchAnswer:
    """Finds the passages that answer a question."""
    return await _search(request, asked)


@router.post(
    "/v1/search",
    tags=["search"],
    operation_id="searchByBody",
    summary="Search, asked by a body",
    response_model_exclude_unset=True,
    responses=_problems(400, 413, 415, 422, 500),
)
async def search_by_body(request: Request, asked: Annotated[SearchRequest, Depends(asked_by_body)]) -> SearchAnswer:
    """The same search, asked by a JSON body."""
    return await _search(request, asked)


# Before the article itself, whose path would take this one for the id of an article.
@router.get(
    "/v1/articles/{id:path}/similar",
    tags=["articles"],
    operation_id="similar",
    summary="Articles like an article",
    response_model_exclude_unset=True,
    responses=_problems(404, 422, 500),
)
async def similar(
    request: Request,
    id: str,  # noqa: A002 - the contract's name
    selected: Annotated[Selection, Depends(selected_by_address)],
) -> SimilarAnswer:
    """The other articles of the same story, then one of each story near it in meaning, in either language."""
    found = await _desk(request).similar(id, limit=selected.limit, offset=selected.offset, filters=selected.filters())
    return similar_answer(found, selected=selected, request_id=_request_id(request))


@router.get(
    "/v1/articles/{id:path}",
    tags=["articles"],
    operation_id="article",
    summary="An article",
    responses=_problems(404, 500),
)
async def article(request: Request, id: str) -> ArticleAnswer:  # noqa: A002 - the contract's name
    """One article with its passages; percent-encode an id that holds / # % or blanks."""
    opened = await _desk(request).article(id)
    if opened is None:
        raise NoSuchArticle(f"no article of the index in use has the id {id[:200]!r}")
    return article_answer(opened, request_id=_request_id(request))


@router.get(
    "/v1/index", tags=["operations"], operation_id="index", summary="The index in use", responses=_problems(500)
)
async def index(request: Request) -> IndexAnswer:
    """Which generation answers, how large it is, and whether the newest one was refused."""
    return index_answer(_desk(request).live)


@router.get("/livez", tags=["operations"], operation_id="live", summary="Is it alive?", responses=_problems(500))
async def livez() -> Health:
    """Answers while the process can answer anything at all."""
    return Health(status="alive")


@router.get("/readyz", tags=["operations"], operation_id="ready", summary="Is it ready?", responses=_problems(500))
async def readyz() -> Health:
    """Answers once searches are answered: a process that listens has opened and warmed its index."""
    return Health(status="ready")
