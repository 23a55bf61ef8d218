"""What is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


class Mode(StrEnum):
    """Which evidence ranks the passages."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


class Group(StrEnum):
    """What counts as one hit: a story, of which one article is shown, or every passage."""

    ARTICLE = "article"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which articles may answer; an empty set or None lets all through. Dates are inclusive; `article` is an id."""

    languages: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    published_from: date | None = None
    published_to: date | None = None
    article: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question, and which part of its ranking to return; with `explain`, why each hit ranks where it does."""

    text: str
    limit: int = 10
    offset: int = 0
    mode: Mode = Mode.HYBRID
    group: Group = Group.ARTICLE
    filters: Filters = field(default_factory=Filters)
    explain: bool = False
