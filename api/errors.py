"""What a request can get wrong, and what an operator can.

ApiError
├── InvalidJson         400  the body is not one JSON object in UTF-8
├── MalformedRequest    400  what came is no HTTP request, or its head is over the limit
├── Unauthorized        401  the request carries no key, or none of ours
├── NoSuchArticle       404  no article of the index in use has this id
├── SlowRequest         408  the body did not arrive in time
├── BodyTooLarge        413  the body is over the limit
├── WrongContentType    415  the body is not application/json
├── Misdirected         421  a service for this machine alone was asked by the name of another
├── InvalidParameter    422  a parameter is missing, unknown, repeated or out of range
├── RateLimited         429  this key or address asked too often
├── HeadersTooLarge     431  the headers are over the limit
├── Overloaded          503  too many requests wait already, or this one waited too long
├── NotReady            503  the index is being opened, or the process is going away
└── Stuck               503  every thread has been at one job for too long

OperatorError
├── BadSetting          a setting is unknown, or its value is not what it must be
└── BadKeys             the file of keys, or a name of a key, is not what it must be
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one parameter. `kind` names the rule that was broken, for pages that translate."""

    field: str
    reason: str
    kind: str = ""


class ApiError(Exception):
    """Base of this package's errors: each class is one problem `type`, each instance one occurrence."""

    name: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "The service failed"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = (), retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s


class InvalidJson(ApiError):  # noqa: N818 - it reads as what happened
    """The body is not one JSON object in UTF-8."""

    name = "invalid-json"
    title = "The body is not valid JSON"
    status = 400


class MalformedRequest(ApiError):  # noqa: N818
    """What came is no HTTP request, or its head is over the limit. Never raised: the server answers it itself."""

    name = "malformed-request"
    title = "The request cannot be read"
    status = 400


class Unauthorized(ApiError):  # noqa: N818
    """The request carries no key, or none of ours."""

    name = "unauthorized"
    title = "A key is needed"
    status = 401


class NoSuchArticle(ApiError):  # noqa: N818
    """No article of the index in use has this id."""

    name = "no-such-article"
    title = "There is no such article"
    status = 404


class SlowRequest(ApiError):  # noqa: N818
    """The body did not arrive in time."""

    name = "request-timeout"
    title = "The request did not arrive in time"
    status = 408


class BodyTooLarge(ApiError):  # noqa: N818
    """The body is over the limit."""

    name = "body-too-large"
    title = "The body is too large"
    status = 413


class WrongContentType(ApiError):  # noqa: N818
    """The body is not application/json."""

    name = "wrong-content-type"
    title = "The body is of a type this service does not read"
    status = 415


class Misdirected(ApiError):  # noqa: N818
    """A service for this machine alone was asked by the name of another."""

    name = "misdirected-request"
    title = "This service is for its own machine"
    status = 421


class InvalidParameter(ApiError):  # noqa: N818
    """A parameter is missing, unknown, repeated or out of range."""

    name = "invalid-parameter"
    title = "A parameter is not valid"
    status = 422


class RateLimited(ApiError):  # noqa: N818
    """This key or address asked too often. `retry_after_s` says when it may again."""

    name = "rate-limited"
    title = "Asked too often"
    status = 429


class Overloaded(ApiError):  # noqa: N818
    """Too many requests wait already, or this one waited too long. `retry_after_s` says when to come back."""

    name = "overloaded"
    title = "The service is busy"
    status = 503


class HeadersTooLarge(ApiError):  # noqa: N818
    """The headers are over the limit."""

    name = "headers-too-large"
    title = "The headers are too large"
    status = 431


class NotReady(ApiError):  # noqa: N818
    """The index is being opened, or the process is going away. `retry_after_s` says when to come back."""

    name = "not-ready"
    title = "The service is not ready"
    status = 503


class Stuck(ApiError):  # noqa: N818
    """Every thread has been at one job for too long; only another process will answer."""

    name = "stuck"
    title = "The service is stuck"
    status = 503


class OperatorError(Exception):
    """Base of what an operator gets wrong. The message says what, what was expected and what to run next."""

    exit_status: ClassVar[int] = 1


class BadSetting(OperatorError):  # noqa: N818
    """A setting is unknown, or its value is not what it must be: an error of usage."""

    exit_status = 2


class BadKeys(OperatorError):  # noqa: N818
    """The file of keys, or a name of a key, is not what it must be."""
