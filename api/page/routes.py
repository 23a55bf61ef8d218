"""The pages for people: the search page, an article, what is like it. They work without a script."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from search import Filters, Group, Query, SearchError

from ..errors import FieldError, InvalidParameter, NoSuchArticle
from ..segmented import SegmentedRoute
from ..v1.ask import SearchRequest, read_address, validate
from ..v1.selection import Selection
from .address import page_address
from .examples import in_reading_order
from .likeness import similar_view
from .rendering import interface_of, other, render
from .results import results_view
from .story import article_view

if TYPE_CHECKING:
    from starlette.responses import Response

    from search import Hit

    from ..inquiry import Desk, Opened
    from .examples import Examples

router = APIRouter(include_in_schema=False, route_class=SegmentedRoute)

STATIC = Path(__file__).parent / "static"
_MAX_MATCHES = 20


@router.api_route("/", methods=["GET", "HEAD"])
async def search_page(request: Request) -> Response:
    """First visit, results, no answer, nothing found, or what to correct: by what the address asks."""
    desk: Desk = request.app.state.desk
    interface = interface_of(request)
    values: dict[str, Any] = {}
    shown: dict[str, Any] = {"results": None, "faults": ()}
    status = HTTPStatus.OK
    searcher = desk.live.searcher
    try:
        values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
        if "q" in values:
            asked = validate(values, model=SearchRequest)
            found = await desk.search(asked.to_query(), searcher=searcher)
            shown["results"] = results_view(found, asked=asked, values=values, interface=interface)
    except InvalidParameter as error:
        status, shown["faults"] = (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            error.errors or (FieldError("", error.detail),),
        )
    except SearchError as error:
        status, shown["faults"] = HTTPStatus.UNPROCESSABLE_ENTITY, (FieldError("q", str(error)),)
    examples: Examples = request.app.state.examples
    shown |= {
        "values": values,
        "info": searcher.info,
        "examples": [
            (language, question, page_address({"q": question}))
            for language, question in in_reading_order(examples.of(searcher), interface=interface)
        ],
        "clear": page_address({"q": values.get("q", "")}),
    }
    here = page_address(values, ui=other(interface))
    return render(request, "search.html", shown, status=status, other_href=here)


# Before the article's own page, whose path would take this one for the id of an article.
@router.api_route("/articles/{article_id:path}/similar", methods=["GET", "HEAD"])
async def similar_page(request: Request, article_id: str) -> Response:
    """The articles that are like one."""
    desk: Desk = request.app.state.desk
    interface = interface_of(request)
    values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
    selected = validate({name: values[name] for name in Selection.names() if name in values}, model=Selection)
    found = await desk.similar(article_id, limit=selected.limit, offset=selected.offset, filters=selected.filters())
    similar = similar_view(found, selected=selected, values=values, interface=interface)
    here = page_address(values, path=similar.path, ui=other(interface))
    return render(request, "similar.html", {"similar": similar, "values": values}, other_href=here)


@router.api_route("/articles/{article_id:path}", methods=["GET", "HEAD"])
async def article_page(request: Request, article_id: str) -> Response:
    """One article; the passage that the address names is marked in place, and others that answer are listed."""
    desk: Desk = request.app.state.desk
    opened = await desk.article(article_id)
    if opened is None:
        raise NoSuchArticle(f"no article of the index in use has the id {article_id[:200]!r}")
    interface = interface_of(request)
    values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
    passage_id = request.query_params.get("passage")
    article = article_view(
        opened,
        passage_id=passage_id,
        hits=await _matches(desk, opened, question=values.get("q")),
        values=values,
        interface=interface,
    )
    shown = {
        "article": article,
        "back": page_address(values) if "q" in values else None,
        "values": values,
    }
    here = page_address(values, path=article.path, passage=passage_id, ui=other(interface))
    return render(request, "article.html", shown, other_href=here)


async def _matches(desk: Desk, opened: Opened, *, question: str | None) -> tuple[Hit, ...]:
    """The passages of an opened article, ranked for a question; none where there is none that can be searched for."""
    if question is None:
        return ()
    query = Query(text=question, limit=_MAX_MATCHES, group=Group.NONE, filters=Filters(article=opened.article.id))
    try:
        return (await desk.search(query, searcher=opened.searcher)).answer.hits
    except SearchError:
        return ()
