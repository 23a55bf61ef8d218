"""A client that goes away takes its request along, and one that dawdles is not waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
from starlette.types import Message

from .errors import SlowRequest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Departure:
    """Stops the app when the client closes its connection before the answer is out, as plain ASGI.

    A body that has not arrived after `body_timeout_s` reaches the app as a `SlowRequest`.
    """

    def __init__(self, app: ASGIApp, *, body_timeout_s: float) -> None:
        self._app = app
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; anything that is not HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, body_timeout_s=self._body_timeout_s)
        follower = asyncio.create_task(exchange.follow())
        try:
            with exchange.work:
                await self._app(scope, exchange.receive, exchange.send)
        finally:
            follower.cancel()
            await asyncio.wait({follower})
            exchange.close()


class _Exchange:
    """One request and its answer, listened to while the app works.

    The server reports a closed connection only to who asks for the next message, and a route that waits for
    its turn does not. So `follow` asks, at most one message ahead of the app.
    """

    def __init__(self, receive: Receive, send: Send, *, body_timeout_s: float) -> None:
        self.work = anyio.CancelScope()
        self._receive = receive
        self._send = send
        self._body_timeout_s = body_timeout_s
        self._answered = False
        self._into, self._ahead = anyio.create_memory_object_stream[Message | Exception](1)

    async def follow(self) -> None:
        """Passes the body on, then waits for the end of the connection, and ends the work with it."""
        try:
            whole = await self._pass_body()
        except Exception as error:  # noqa: BLE001 - it is the app's, which is the one that reads
            await self._into.send(error)
            return
        if whole:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        if not self._answered:
            self.work.cancel()  # first: the app would take the end of its reading for a failure, and log it
        self._into.close()

    async def receive(self) -> Message:
        """The next message, for the app."""
        try:
            message = await self._ahead.receive()
        except anyio.EndOfStream:
            return {"type": "http.disconnect"}
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, message: Message) -> None:
        """Sends a part of the answer."""
        # Noted before it is sent: a client may close the connection as soon as it has the last byte.
        self._answered = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    def close(self) -> None:
        """Lets go of what was not read."""
        self._into.close()
        self._ahead.close()

    async def _pass_body(self) -> bool:
        """Whether the body came whole; if not, the client left."""
        until = asyncio.get_running_loop().time() + self._body_timeout_s
        more = True
        while more:
            try:
                async with asyncio.timeout_at(until):
                    message = await self._receive()
            except TimeoutError as error:
                raise SlowRequest(
                    f"the body had not arrived after {self._body_timeout_s:g} s; send it again"
                ) from error
            if message["type"] == "http.disconnect":
                return False
            more = message.get("more_body", False)
            await self._into.send(message)
        return True
