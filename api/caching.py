"""What a client may keep, and how it learns that it need not ask again (RFC 9110, sections 8.8 and 13.1).

An entity tag names the interface's version, the generation and the question as it was understood, so it is
known before anything is searched. It is weak: `request_id` and `took_ms` differ between two equal answers.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

_OPAQUE = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
_TAG_CHARS = 27

# Kept by the one who asked, and checked with the service before every use: a new generation shows at once.
_POLICY = "private, no-cache"


def entity_tag(*parts: str) -> str:
    """The weak entity tag of what the parts name, in order: `W/"..."`."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    return f'W/"{digest.hexdigest()[:_TAG_CHARS]}"'


def knows(request: Request, tag: str) -> bool:
    """Whether the client says that it has this very answer; `*` says nothing of that."""
    return _opaque(tag) in _named(request)


def unless_known(request: Request, response: Response, tag: str) -> Response | None:
    """The 304 for a client that needs no answer; None, once `response` has the tag, for one that does."""
    if knows(request, tag) or any(value.strip() == "*" for value in request.headers.getlist("if-none-match")):
        return not_modified(tag)
    response.headers["ETag"] = tag
    # What may be done with the answer.
    response.headers["Cache-Control"] = _POLICY
    return None


def not_modified(tag: str) -> Response:
    """The 304 for an answer that the client has, with the headers the answer would have."""
    # Vary as the layer that compresses adds it to answers; a 304 has nothing to compress.
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _POLICY, "Vary": "Accept-Encoding"})


def _named(request: Request) -> set[str]:
    """The tags of a list, compared weakly: `W/` does not count."""
    return {tag for value in request.headers.getlist("if-none-match") for tag in _OPAQUE.findall(value)}


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')
