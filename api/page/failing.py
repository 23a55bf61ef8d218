"""Errors as pages, for the people among those who ask."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ..v1.ask import SearchRequest
from .address import page_address
from .rendering import interface_of, other, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from ..problem import Problem

_API_PATHS = ("/v1/", "/livez", "/readyz", "/metrics", "/openapi.json", "/static/")
_KEPT_HEADERS = ("Retry-After", "Allow", "WWW-Authenticate", "Connection")
_KINDS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "locked",
    HTTPStatus.FORBIDDEN: "locked",
    HTTPStatus.NOT_FOUND: "missing",
    HTTPStatus.TOO_MANY_REQUESTS: "too_often",
    HTTPStatus.SERVICE_UNAVAILABLE: "preparing",
}
_BUSY = "/problems/overloaded"
_PARAMETERS = frozenset({*SearchRequest.names(), "passage", "ui"})
_MAX_WAIT_S = 60


def is_page(request: Request) -> bool:
    """Whether a person in a browser is waiting for this response, not a program."""
    path: str = request.scope["path"]
    return not path.startswith(_API_PATHS) and "text/html" in request.headers.get("accept", "")


def error_page(request: Request, problem: Problem, *, headers: Mapping[str, str]) -> Response:
    """An error for people: what happened, what to do, and the id that finds it in the log.

    Args:
        request: what failed.
        problem: how it is described to programs.
        headers: of the response that a program would get; those that a browser needs too are kept.
    """
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    question = request.query_params.get("q", "")
    values = {"q": question} if question else {}
    shown = {
        "problem": problem,
        "kind": "busy" if problem.type == _BUSY else _KINDS.get(problem.status, "error"),
        "values": values,
        "again": _address_of(request) if problem.status != HTTPStatus.NOT_FOUND else None,
        "retry_s": _wait_s(kept.get("Retry-After", "")),
    }
    elsewhere = page_address(values, ui=other(interface_of(request)))
    return render(request, "error.html", shown, status=problem.status, other_href=elsewhere, headers=kept)


def _address_of(request: Request) -> str:
    """What was asked for, to ask again. One slash begins it: two would name another host.

    Of its parameters those that a page has: a key that somebody put there is not repeated.
    """
    path = "/" + quote(request.scope["path"], safe="/", errors="replace").lstrip("/")
    query = urlencode([(name, value) for name, value in request.query_params.multi_items() if name in _PARAMETERS])
    return f"{path}?{query}" if query else path


def _wait_s(retry_after: str) -> int | None:
    """The seconds that a `Retry-After` asks for, at least one and at most a minute; None for a date or nothing."""
    try:
        wait_s = float(retry_after)
    except ValueError:
        return None
    return min(max(math.ceil(wait_s), 1), _MAX_WAIT_S) if math.isfinite(wait_s) else None
