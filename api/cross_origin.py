"""Which other sites' scripts may call the API (CORS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers
    from starlette.types import ASGIApp

_MAX_AGE_S = 600


class CrossOrigin(CORSMiddleware):
    """The framework's CORS with one difference: a preflight is always 204.

    A refusal is the absence of the permission. The framework's own is a 400 in plain text, which would be the
    only error of this service that is not a problem.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=("Authorization", "Content-Type", "If-None-Match", "X-API-Key", "X-Request-ID"),
            expose_headers=("ETag", "Retry-After", "X-Request-ID"),
            max_age=_MAX_AGE_S,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser is told before it lets a script send the real request."""
        worded = super().preflight_response(request_headers).headers
        return Response(
            status_code=204,
            headers={name: value for name, value in worded.items() if name not in {"content-length", "content-type"}},
        )
