"""What a request can get wrong.

ApiError
├── InvalidJson         400  the body is not one JSON object in UTF-8
├── NoSuchArticle       404  no article of the index in use has this id
├── BodyTooLarge        413  the body is over the limit
├── WrongContentType    415  the body is not application/json
└── InvalidParameter    422  a parameter is missing, unknown, repeated or out of range
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

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class InvalidJson(ApiError):  # noqa: N818 - it reads as what happened
    """The body is not one JSON object in UTF-8."""

    name = "invalid-json"
    title = "The body is not valid JSON"
    status = 400


class NoSuchArticle(ApiError):  # noqa: N818
    """No article of the index in use has this id."""

    name = "no-such-article"
    title = "There is no such article"
    status = 404


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


class InvalidParameter(ApiError):  # noqa: N818
    """A parameter is missing, unknown, repeated or out of range."""

    name = "invalid-parameter"
    title = "A parameter is not valid"
    status = 422
