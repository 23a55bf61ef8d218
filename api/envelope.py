"""What every response shares, whoever makes it: an id, security headers, a body limit, one log line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from .cross_origin import CrossOrigin
from .errors import BodyTooLarge, HeadersTooLarge
from .methods import Methods
from .telemetry.exchange import Exchange, under_way

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .telemetry.exchange import Listener

_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MAX_HEADERS_BYTES = 65_536

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Not here: X-Frame-Options, which frame-ancestors replaces, and Strict-Transport-Security, which is for what
# stands before the service and speaks TLS.
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Envelope:
    """The outermost layer of the app, as plain ASGI: it must see every response, errors included.

    When a request is over, each of `listeners` is told what became of it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        on_error: Callable[[Request, Exception], Response],
        origins: Collection[str] = (),
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._app = app
        # Outside of what answers errors, so that those can be read by another site's script and asked for by HEAD.
        methods = Methods(self._answer)
        self._answered = CrossOrigin(methods, origins=origins) if origins else methods
        self._max_body_bytes = max_body_bytes
        self._on_error = on_error
        self._listeners = listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; anything that is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        exchange = Exchange(
            request_id=request_id,
            method=scope["method"],
            path=scope["path"],
            client=scope["client"][0] if scope.get("client") else None,
            headers=Headers(scope=scope),
        )

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            exchange.size_bytes += len(message.get("body", b""))
            await send(message)

        try:
            with under_way(exchange):
                await self._answered(scope, receive, send_dressed)
        finally:
            exchange.close(scope, took_ms=(time.perf_counter() - began) * 1000)
            for listener in self._listeners:
                listener(exchange)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        started = False

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise self._too_large()
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        request = Request(scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MAX_HEADERS_BYTES:
            error = HeadersTooLarge(f"the headers may have at most {_MAX_HEADERS_BYTES:,} bytes; send fewer or shorter")
            await self._on_error(request, error)(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > self._max_body_bytes:
            await self._on_error(request, self._too_large())(scope, receive, send)
            return
        try:
            await self._app(scope, receive_limited, send_noted)
        except Exception as error:
            if started:
                raise
            _log.exception("request %s failed", scope["state"]["request_id"])
            await self._on_error(request, error)(scope, receive, send)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"a body may have at most {self._max_body_bytes:,} bytes; ask a shorter question")


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _SANE_ID.fullmatch(offered) else uuid.uuid4().hex
