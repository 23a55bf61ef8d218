"""The pages for people: the search page, an article, an error. They work without a script."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from search import SearchError

from ..errors import FieldError, InvalidParameter, NoSuchArticle
from ..v1.ask import SearchRequest, read_address, validate
from ..v1.selection import Selection
from .view import article_view, page_address, results_view, similar_view
from .wording import WORDS, choose_interface, language_name, long_date, number

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..inquiry import Desk
    from ..problem import Problem
    from ..settings import Settings
    from .wording import Interface

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent / "static"
_COOKIE = "cari_ui"
_COOKIE_AGE_S = 365 * 24 * 3_600
_API_PATHS = ("/v1/", "/livez", "/readyz", "/openapi.json", "/static/")


def open_templates() -> Environment:
    """The templates of this package; everything they print is escaped."""
    return Environment(
        loader=PackageLoader("api.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@router.api_route("/", methods=["GET", "HEAD"])
async def search_page(request: Request) -> Response:
    """First visit, results, nothing found, or what to correct: by what the address asks."""
    desk: Desk = request.app.state.desk
    interface = _interface(request)
    values: dict[str, Any] = {}
    shown: dict[str, Any] = {"results": None, "faults": (), "filtered": False}
    status = HTTPStatus.OK
    try:
        values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
        if "q" in values:
            asked = validate(values, model=SearchRequest)
            found = await desk.search(asked.to_query())
            shown["results"] = results_view(found, asked=asked, values=values, interface=interface)
    except InvalidParameter as error:
        status, shown["faults"] = (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            error.errors or (FieldError("", error.detail),),
        )
    except SearchError as error:
        status, shown["faults"] = HTTPStatus.UNPROCESSABLE_ENTITY, (FieldError("q", str(error)),)
    settings: Settings = request.app.state.settings
    shown |= {
        "values": values,
        "info": desk.live.searcher.info,
        "examples": [
            (language, question, page_address({"q": question}))
            for language in sorted(settings.examples, key=lambda code: code != interface)
            for question in settings.examples[language]
        ],
        "clear": page_address({"q": values.get("q", "")}),
    }
    here = page_address(values, ui=_other(interface))
    return _render(request, "search.html", shown, status=status, other_interface_href=here)


# Before the article's own page, whose path would take this one for the id of an article.
@router.api_route("/articles/{article_id:path}/similar", methods=["GET", "HEAD"])
async def similar_page(request: Request, article_id: str) -> Response:
    """The articles that are like one."""
    desk: Desk = request.app.state.desk
    interface = _interface(request)
    values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
    selected = validate({name: values[name] for name in Selection.names() if name in values}, model=Selection)
    found = await desk.similar(article_id, limit=selected.limit, offset=selected.offset, filters=selected.filters())
    similar = similar_view(found, selected=selected, values=values, interface=interface)
    shown = {"similar": similar, "values": values}
    here = page_address(values, path=similar.path, ui=_other(interface))
    return _render(request, "similar.html", shown, other_interface_href=here)


@router.api_route("/articles/{article_id:path}", methods=["GET", "HEAD"])
async def article_page(request: Request, article_id: str) -> Response:
    """One article; the passage that the address names is marked in place."""
    desk: Desk = request.app.state.desk
    opened = await desk.article(article_id)
    if opened is None:
        raise NoSuchArticle(f"no article of the index in use has the id {article_id[:200]!r}")
    interface = _interface(request)
    values = read_address(request.scope["query_string"], model=SearchRequest, lenient=True)
    passage_id = request.query_params.get("passage")
    article = article_view(opened, passage_id=passage_id, values=values, interface=interface)
    shown = {
        "article": article,
        "back": page_address(values) if "q" in values else None,
        "values": values,
    }
    here = page_address(values, path=article.path, passage=passage_id, ui=_other(interface))
    return _render(request, "article.html", shown, other_interface_href=here)


def is_page(request: Request) -> bool:
    """Whether a person in a browser is waiting for this response, not a program."""
    path: str = request.scope["path"]
    return not path.startswith(_API_PATHS) and "text/html" in request.headers.get("accept", "")


def error_page(request: Request, problem: Problem) -> Response:
    """An error for people: what happened, and the id that finds it in the log."""
    here = page_address({}, ui=_other(_interface(request)))
    return _render(request, "error.html", {"problem": problem}, status=problem.status, other_interface_href=here)


def _interface(request: Request) -> Interface:
    return choose_interface(
        asked=request.query_params.get("ui"),
        remembered=request.cookies.get(_COOKIE),
        accept_language=request.headers.get("accept-language", ""),
    )


def _other(interface: Interface) -> Interface:
    return "en" if interface == "id" else "id"


def _render(
    request: Request, template: str, shown: dict[str, Any], *, other_interface_href: str, status: int = 200
) -> Response:
    interface = _interface(request)
    templates: Environment = request.app.state.templates
    html = templates.get_template(template).render(
        **shown,
        t=WORDS[interface],
        interface=interface,
        other=_other(interface),
        other_href=other_interface_href,
        date=lambda day: long_date(day, interface=interface),
        number=lambda value: number(value, interface=interface),
        language_name=lambda code: language_name(code, interface=interface),
    )
    response = HTMLResponse(html, status_code=status, headers={"Vary": "Accept-Language, Cookie"})
    if request.query_params.get("ui") == interface:
        response.set_cookie(_COOKIE, interface, max_age=_COOKIE_AGE_S, httponly=True, samesite="lax")
    return response
