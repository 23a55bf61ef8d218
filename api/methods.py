"""HEAD and OPTIONS, for every path at once: no route declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import iter_route_contexts
from starlette.responses import Response
from starlette.routing import Match, Mount

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Methods:
    """Plain ASGI. HEAD is a GET whose body is not sent; OPTIONS names what a path answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["method"] == "HEAD":
            # subtle: in place, so that what routing writes into the scope is seen by the layers outside.
            scope["method"] = "GET"
            try:
                await self._app(scope, receive, _without_body(send))
            finally:
                scope["method"] = "HEAD"
            return
        if scope["method"] == "OPTIONS":
            allowed = allowed_methods(scope["app"], scope=scope)
            if allowed:
                await Response(status_code=204, headers={"Allow": ", ".join(allowed)})(scope, receive, send)
                return
        await self._app(scope, receive, send)


def allowed_methods(app: FastAPI, *, scope: Scope) -> list[str]:
    """Every method that a request's path answers, sorted; none where nothing is served.

    The framework's own 405 names the methods of one route only.
    """
    # subtle: a mounted app has moved root_path on by the time it refuses a method.
    asked = {**scope, "root_path": scope.get("app_root_path", scope.get("root_path", ""))}
    found: set[str] = set()
    for context in iter_route_contexts(app.routes):
        match, _ = context.original_route.matches(dict(asked))
        if match is not Match.NONE:
            found |= {"GET"} if isinstance(context.original_route, Mount) else context.methods or set()
    if "GET" in found:
        found.add("HEAD")
    return sorted(found | {"OPTIONS"}) if found else []


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body", False):
                return
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_head
