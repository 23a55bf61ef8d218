"""The script, the style and the mark of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class WholeFiles(StaticFiles):
    """The framework's static files, never in part: a range of so little spares nothing.

    A range that it cannot read it would refuse in plain text, the only error of this service that is no problem.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)
