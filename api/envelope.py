"""What every response shares, whoever makes it: an id, security headers, a body limit, one log line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from .errors import BodyTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_access = logging.getLogger("api.access")
_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MAX_LOGGED_CHARS = 500

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Envelope:
    """The outermost layer of the app, as plain ASGI: it must see every response, errors included."""

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int, on_error: Callable[[Request, Exception], Response]
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; anything that is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def send_dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._answer(scope, receive, send_dressed, started=lambda: status != 0)
        finally:
            took_ms = (time.perf_counter() - began) * 1000
            # subtle: the path and never the query part: what people ask is not for the log
            path = quote(scope["path"][:_MAX_LOGGED_CHARS], safe="/", errors="replace")
            _access.info("%s %s %d %.1f ms id=%s", scope["method"][:20], path, status, took_ms, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, *, started: Callable[[], bool]) -> None:
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise self._too_large()
            return message

        request = Request(scope)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > self._max_body_bytes:
            await self._on_error(request, self._too_large())(scope, receive, send)
            return
        try:
            await self._app(scope, receive_limited, send)
        except Exception as error:
            if started():
                raise
            _log.exception("request %s failed", scope["state"]["request_id"])
            await self._on_error(request, error)(scope, receive, send)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"a body may have at most {self._max_body_bytes:,} bytes; ask a shorter question")


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _SANE_ID.fullmatch(offered) else uuid.uuid4().hex
