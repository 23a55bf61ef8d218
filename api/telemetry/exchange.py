"""One request and its answer, as an operator looks at them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.types import Scope

    from search import Timings


_CLIENT_LEFT = 499


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search that was done for a request; a batch does several."""

    text: str
    generation: str
    hits: int
    total: int
    degraded: bool
    timings: Timings
    remembered: bool = False


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What is known of a request; it fills while the request is answered, and is whole when listeners get it.

    `route` is the template of the path ("/v1/articles/{id:path}"), of which there are few, or "" where none
    matched; `path` is what was sent. `began_ns` counts from 1970. `status` is 499 when the client left before an
    answer began, as web servers have it.
    """

    request_id: str
    method: str
    path: str
    client: str | None
    headers: Mapping[str, str]
    began_ns: int = field(default_factory=time.time_ns)
    route: str = ""
    status: int = 0
    size_bytes: int = 0
    took_ms: float = 0.0
    key_name: str | None = None
    searches: list[Asked] = field(default_factory=list)

    def close(self, scope: Scope, *, took_ms: float) -> None:
        """Notes what the layers below left in the scope."""
        self.took_ms = took_ms
        self.status = self.status or _CLIENT_LEFT
        # A mounted folder is no route: its prefix has become part of the root path.
        self.route = getattr(scope.get("route"), "path", "") or scope.get("root_path", "")
        self.key_name = scope.get("state", {}).get("key_name")


Listener = Callable[[Exchange], None]
"""Is told of every exchange, once, when it is over."""

_current: ContextVar[Exchange | None] = ContextVar("current", default=None)


def current() -> Exchange | None:
    """The exchange that this code runs for, if it runs for one."""
    return _current.get()


@contextmanager
def under_way(exchange: Exchange) -> Iterator[None]:
    """Makes an exchange the current one of what runs inside, tasks and threads that it starts included."""
    token = _current.set(exchange)
    try:
        yield
    finally:
        _current.reset(token)
