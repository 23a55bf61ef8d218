"""Errors on the wire: RFC 9457, the same shape whoever raised them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from search import SearchError, UnknownArticle

from .errors import ApiError, BodyTooLarge, InvalidParameter, NoSuchArticle, SlowRequest, Unauthorized
from .kinds import name_of

if TYPE_CHECKING:
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
INTERNAL = ApiError.status
_MAX_PATH_CHARS = 500


class ProblemField(BaseModel):
    """One thing wrong with one parameter."""

    field: str = Field(examples=["limit"])
    reason: str = Field(examples=["Input should be less than or equal to 100 (got 500)"])


class Problem(BaseModel):
    """An error, as application/problem+json (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/invalid-parameter",
                    "title": "A parameter is not valid",
                    "status": 422,
                    "detail": "1 parameter is not valid; see errors",
                    "instance": "/v1/search",
                    "request_id": "6f1c0d4f9f1e4f0c8d0e4a8f6f0f3f52",
                    "errors": [{"field": "limt", "reason": "unknown parameter; did you mean limit?"}],
                }
            ]
        }
    )

    type: str = Field(description="Names the kind of error; stable, and readable at this path.")
    title: str = Field(description="The kind of error in a few words; the same for every occurrence.")
    status: int = Field(description="The HTTP status of this response.")
    detail: str = Field(description="What was wrong this time.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Names this request in the service's log.")
    errors: list[ProblemField] = Field(default_factory=list, description="What is wrong, field by field.")


def describe(request: Request, error: Exception) -> Problem:
    """Words an error for the client. What is not the client's to know is left to the log."""
    known = _as_known(error)
    if known is not None:
        name, title, status, detail = known.name, known.title, known.status, known.detail
        errors = [ProblemField(field=one.field, reason=one.reason) for one in known.errors]
    elif isinstance(error, HTTPException):
        status, errors = error.status_code, []
        name, title = name_of(HTTPStatus(status)), HTTPStatus(status).phrase
        detail = _framework_detail(request, error)
    else:
        name, title, status = ApiError.name, ApiError.title, ApiError.status
        detail, errors = "an error of the service, not of the request; its log has more under request_id", []
    return Problem(
        type=f"/problems/{name}",
        title=title,
        status=status,
        detail=detail,
        instance=quote(request.scope["path"][:_MAX_PATH_CHARS], safe="/", errors="replace"),
        request_id=request.scope["state"]["request_id"],
        errors=errors,
    )


def respond(problem: Problem, *, error: Exception) -> Response:
    """The problem as a JSON response, with the headers that the error asks for."""
    headers = headers_of(error, for_browser=False)
    headers["Cache-Control"] = "no-store"
    return Response(problem.model_dump_json(), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def headers_of(error: Exception, *, for_browser: bool) -> dict[str, str]:
    """The headers that go with an error: Allow, Retry-After, WWW-Authenticate, Connection.

    Args:
        error: what happened.
        for_browser: whether a person waits, whose browser should ask for the key. It must not when a script
            or a program does: then a prompt would open over whatever else the person is doing.
    """
    if isinstance(error, HTTPException):
        return dict(error.headers or {})
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Basic realm="Cari", charset="UTF-8"' if for_browser else 'Bearer realm="Cari"'
    if isinstance(error, ApiError) and error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, SlowRequest | BodyTooLarge):
        headers["Connection"] = "close"  # the rest of the body is not going to be read
    return headers


def _as_known(error: Exception) -> ApiError | None:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, UnknownArticle):
        return NoSuchArticle(str(error))
    return InvalidParameter(str(error)) if isinstance(error, SearchError) else None


def _framework_detail(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "none")
        return f"{request.method[:20]} is not allowed here; allowed: {allowed}"
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "nothing is served at this path; /docs lists what is"
    return str(error.detail)
