"""What the description says of responses: the problems of each status, and the headers."""

from __future__ import annotations

from typing import Any

from .kinds import Kind, kinds
from .problem import MEDIA_TYPE, Problem

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names this request in the service's log: the caller's own if it sent a sane one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {
        "description": "Names this answer. Send it back as `If-None-Match`, and an unchanged answer is a 304. A "
        "degraded answer has none.",
        "schema": {"type": "string", "pattern": '^W/"[0-9a-f]+"$'},
    },
    "Retry-After": {
        "description": "Seconds after which asking again makes sense.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to send a key.",
        "required": True,
        "schema": {"type": "string"},
    },
}
_OF_STATUS = {"304": ("ETag",), "401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}
_CONDITION = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "Entity tags of answers that the client has, or `*`.",
    "schema": {"type": "string"},
}
_FIRST_ERROR = "400"
# A path that is not there is no path of the description; what is no request is for none of them.
_ELSEWHERE = frozenset({"malformed-request", "not-found"})


def complete(document: dict[str, Any]) -> None:
    """Adds to every response of an OpenAPI document its headers, its media type and its problems."""
    document["components"]["headers"] = _HEADERS
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            if "HTTPValidationError" in str(responses.get("422")):  # the framework's guess, for a path that is any text
                del responses["422"]
            conditional = "304" in responses
            if conditional:
                operation.setdefault("parameters", []).append(_CONDITION)
            for status, response in responses.items():
                names = (
                    "X-Request-ID",
                    *_OF_STATUS.get(status, ()),
                    *(("ETag",) if conditional and status < "3" else ()),
                )
                response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
                if status >= _FIRST_ERROR:
                    _describe_problems(response, path=path, status=int(status))


def _describe_problems(response: dict[str, Any], *, path: str, status: int) -> None:
    possible = [kind for kind in kinds() if kind.status == status]
    possible = [kind for kind in possible if kind.name not in _ELSEWHERE]
    response["description"] = " ".join(f"`{kind.name}`: {kind.meaning}" for kind in possible)
    response["content"] = {
        MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {
                kind.name: {"summary": kind.title, "value": _example(kind, path=path).model_dump()} for kind in possible
            },
        }
    }


def _example(kind: Kind, *, path: str) -> Problem:
    return Problem(
        type=f"/problems/{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=kind.meaning,
        instance=path.replace("{id}", "port-closure"),
        request_id="6f1c0d4f9f1e4f0c8d0e4a8f6f0f3f52",
        errors=[],
    )
