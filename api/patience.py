"""How many clients may be connected, and how long one may take to say what it wants."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import h11

from .malformed import ProblemProtocol

if TYPE_CHECKING:
    import asyncio


class PatientProtocol(ProblemProtocol):
    """The server's HTTP/1.1, which would otherwise wait for the rest of a request's head for ever.

    A connection that has not sent a whole head within the keep-alive time, counted from its first byte or
    from the connection's beginning, is closed. So is one that would reach the server's limit: the server
    itself refuses only requests, after it has taken their heads into memory.
    """

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its base does
        """Starts waiting for the first request."""
        super().connection_made(transport)
        # A socket that was opened for several workers lacks it, and the last part of every answer would be held
        # back until the client confirms the part before: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self.connections.discard(self)  # at once, or requests on other connections would be refused for it
            self.transport.abort()
            return
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Waits on while a head is incomplete, and stops waiting when it is whole."""
        super().data_received(data)
        if not self._owes_a_head():
            self._stop_waiting()
        elif self._head_timer is None and not self.transport.is_closing():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _owes_a_head(self) -> bool:
        """Also while it still sends the body of a request that was answered without: nobody times that."""
        state = self.conn.their_state
        return state is h11.IDLE or (state is h11.SEND_BODY and self.cycle.response_complete)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
