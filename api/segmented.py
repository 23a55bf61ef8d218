"""Routes that tell an article's own slashes from those of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match

if TYPE_CHECKING:
    from starlette.types import Scope


class SegmentedRoute(APIRoute):
    """A route whose last segment, if it is a fixed word, must be a segment of the address as it was sent.

    The framework matches the decoded path, where `a%2Fsimilar` and `a/similar` are the same. Here the first is
    the article `a/similar` and the second what is similar to `a`. Ids may hold plain slashes all the same.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The framework's judgement, unless the last segment is part of an id."""
        match, child_scope = super().matches(scope)
        ending = self.path.rpartition("}/")[2] if "}/" in self.path else ""
        if match is not Match.NONE and ending and "{" not in ending and not _ends_with(scope, ending):
            return Match.NONE, {}
        return match, child_scope


def _ends_with(scope: Scope, ending: str) -> bool:
    raw_path: bytes | None = scope.get("raw_path")  # a server need not give it
    return raw_path is None or unquote(raw_path.rpartition(b"/")[2].decode("latin-1")) == ending
