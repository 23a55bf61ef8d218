"""The application: routers, errors and the envelope around them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from search import SearchError

from . import page, problem, reference, telemetry, v1
from .access.gate import Gate
from .access.keyring import Keyring
from .departure import Departure
from .drain import Drain
from .envelope import Envelope
from .errors import ApiError, FieldError, InvalidParameter
from .inquiry import Desk
from .methods import allowed_methods
from .telemetry import AccessLog, Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from starlette.responses import Response

    from .live import Live
    from .settings import Settings
    from .telemetry import Listener

# Below this a packet is sent all the same; above this level the bytes hardly shrink and the time doubles.
_MIN_GZIP_BYTES = 1_000
_GZIP_LEVEL = 5
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


def create_app(
    live: Live, *, settings: Settings, metrics_folder: Path | None = None, listeners: Sequence[Listener] = ()
) -> FastAPI:
    """Builds the service over an index, open or being opened.

    Args:
        live: the index in use. While the app runs it follows `CURRENT`.
        settings: what the operator chose; nothing else is read from the environment.
        metrics_folder: where several workers add up what they count.
        listeners: who else is told of every exchange, beside the access log and the metrics.
    """
    drain = Drain(delay_s=settings.drain_delay_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        app.state.examples.start(live)
        with drain.heeding():
            yield
        app.state.examples.stop()
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
    app.state.desk = Desk(
        live,
        max_threads=settings.max_threads,
        max_queue=settings.max_queue,
        queue_timeout_s=settings.queue_timeout_s,
    )
    app.state.drain = drain
    app.state.metrics = Metrics(app.state.desk, version=app.version, folder=metrics_folder)
    live.on_reload = app.state.metrics.reloaded
    app.state.settings = settings
    app.state.templates = page.open_templates()
    app.state.examples = page.Examples(settings.examples)
    app.include_router(v1.router)
    app.include_router(telemetry.router)
    app.include_router(reference.router)
    app.include_router(page.router)
    app.mount("/static", page.WholeFiles(directory=page.STATIC), name="static")
    app.openapi = partial(reference.describe, app)  # type: ignore[method-assign] # FastAPI's documented way
    for kind in (ApiError, SearchError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _respond)
    # From the inside out: the last one added sees a request first. Refusals of the gate cost no reading of a body.
    app.add_middleware(Departure, body_timeout_s=settings.request_timeout_s)
    app.add_middleware(
        Gate,
        keyring=Keyring(settings.keys_file) if settings.keys_file else None,
        required=settings.key_required,
        local_only=settings.local_only,
        rate=settings.common_rate,
        on_error=_respond,
    )
    app.add_middleware(GZipMiddleware, minimum_size=_MIN_GZIP_BYTES, compresslevel=_GZIP_LEVEL)
    app.add_middleware(
        Envelope,
        max_body_bytes=settings.max_body_bytes,
        on_error=_respond,
        origins=settings.cors_origins,
        listeners=(AccessLog(with_queries=settings.log_queries), app.state.metrics, *listeners),
    )
    return app


def _respond(request: Request, error: Exception) -> Response:
    """The one place where an error becomes a response: a page for a browser, a problem for a program."""
    if isinstance(error, RequestValidationError):
        fields = tuple(FieldError(".".join(str(part) for part in one["loc"]), one["msg"]) for one in error.errors())
        error = InvalidParameter("a parameter is not valid; see errors", errors=fields)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = allowed_methods(request.app, scope=request.scope)
        error = HTTPException(error.status_code, headers={"Allow": ", ".join(allowed)})
    described = problem.describe(request, error)
    if page.is_page(request):
        return page.error_page(request, described, headers=problem.headers_of(error, for_browser=True))
    return problem.respond(described, error=error)
