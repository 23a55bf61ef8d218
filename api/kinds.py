"""Every kind of problem there is: what a `type` names."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from inspect import getdoc
from typing import TYPE_CHECKING

from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the framework raises by itself.
_OF_THE_FRAMEWORK = {
    HTTPStatus.NOT_FOUND: "Nothing is served at this path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path does not answer this method; Allow names those it does.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem. Its `type` is the path `/problems/{name}`; `meaning` is one sentence."""

    name: str
    title: str
    status: int
    meaning: str


def kinds() -> tuple[Kind, ...]:
    """All of them, by status."""
    return tuple(sorted(_kinds(), key=lambda kind: (kind.status, kind.name)))


def name_of(status: HTTPStatus) -> str:
    """The name of the framework's own problem of this status."""
    return status.phrase.lower().replace(" ", "-")


def _kinds() -> Iterator[Kind]:
    for status, meaning in _OF_THE_FRAMEWORK.items():
        yield Kind(name=name_of(status), title=status.phrase, status=status, meaning=meaning)
    yield Kind(
        name=ApiError.name, title=ApiError.title, status=ApiError.status, meaning="The fault is not the caller's."
    )
    for error in ApiError.__subclasses__():
        meaning = (getdoc(error) or "").partition("\n\n")[0]
        yield Kind(name=error.name, title=error.title, status=error.status, meaning=meaning)
