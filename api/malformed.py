"""What is no HTTP request at all is answered with a problem too."""

from __future__ import annotations

import uuid

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from .errors import MalformedRequest
from .problem import MEDIA_TYPE, Problem


class ProblemProtocol(H11Protocol):
    """The server's HTTP/1.1, which answers in plain text what it cannot read, and before the app hears of it."""

    def send_400_response(self, msg: str) -> None:
        """Answers that the request is malformed, and closes the connection: where the next begins is unknown."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            # The head was good and the body is not: the app is at work, and nobody waits for what it would answer.
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()  # an answer is under way or out, and no other can follow it
            return
        request_id = uuid.uuid4().hex
        problem = Problem(
            type=f"/problems/{MalformedRequest.name}",
            title=MalformedRequest.title,
            status=MalformedRequest.status,
            detail=f"{msg.rstrip('.')}: it is no HTTP/1.1, or its address and headers together are too long",
            instance="/",
            request_id=request_id,
            errors=[],
        )
        content = problem.model_dump_json().encode("utf-8")
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-ID": request_id,
            "Connection": "close",
        }
        for event in (
            h11.Response(status_code=problem.status, headers=list(headers.items()), reason=b"Bad Request"),
            h11.Data(data=content),
            h11.EndOfMessage(),
        ):
            try:
                self.transport.write(self.conn.send(event) or b"")
            except h11.LocalProtocolError:
                break  # the answer to a HEAD has no body
        self.transport.close()
