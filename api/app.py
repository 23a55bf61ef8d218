"""The application: routers, errors and the envelope around them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from search import SearchError

from . import page, problem, reference, v1
from .envelope import Envelope
from .errors import ApiError, FieldError, InvalidParameter
from .inquiry import Desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response

    from .live import Live
    from .settings import Settings

_DESCRIPTION = """\
Times are milliseconds; offsets count Unicode code points, end exclusive; no string holds HTML. Every error
is `application/problem+json` with a stable `type`. Every response carries `X-Request-ID`, the caller's own
when it sends one of letters, digits, `.`, `_` and `-`.
"""


def project_version() -> str:
    """The installed version, or 0 when the project runs from a folder that was never installed."""
    try:
        return version("cari")
    except PackageNotFoundError:
        return "0"


def create_app(live: Live, *, settings: Settings) -> FastAPI:
    """Builds the service over an opened index.

    Args:
        live: the index in use. While the app runs it follows `CURRENT`.
        settings: what the operator chose; nothing else is read from the environment.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        live.stop()

    app = FastAPI(
        title="Cari",
        version=project_version(),
        summary="Finds the passages of news articles that answer a question.",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = Desk(live, max_threads=settings.max_threads)
    app.state.settings = settings
    app.state.templates = page.open_templates()
    app.include_router(v1.router)
    app.include_router(reference.router)
    app.include_router(page.router)
    app.mount("/static", StaticFiles(directory=page.STATIC), name="static")
    app.openapi = partial(reference.describe, app)  # type: ignore[method-assign] # FastAPI's documented way
    for kind in (ApiError, SearchError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _respond)
    app.add_middleware(Envelope, max_body_bytes=settings.max_body_bytes, on_error=_respond)
    return app


def _respond(request: Request, error: Exception) -> Response:
    """The one place where an error becomes a response: a page for a browser, a problem for a program."""
    if isinstance(error, RequestValidationError):
        fields = tuple(FieldError(".".join(str(part) for part in one["loc"]), one["msg"]) for one in error.errors())
        error = InvalidParameter("a parameter is not valid; see errors", errors=fields)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = reference.allowed_methods(request.app, path=request.scope["path"])
        error = HTTPException(error.status_code, headers={"Allow": ", ".join(allowed)})
    described = problem.describe(request, error)
    if page.is_page(request):
        return page.error_page(request, described)
    return problem.respond(described, error=error)
