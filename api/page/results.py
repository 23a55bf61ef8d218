"""A page of results as it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search import Group

from .address import neighbours, page_address
from .facets import Facet, facets_of
from .hits import HitView, hit_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..inquiry import Found
    from ..v1.ask import SearchRequest
    from .wording import Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """One page of results. `first` and `last` count hits from 1; `start` is the address of the first page."""

    hits: tuple[HitView, ...]
    total: int
    first: int
    last: int
    by_article: bool
    truncated: bool
    answerable: bool
    degraded: bool
    facets: tuple[Facet, ...]
    filtered: bool
    start: str
    previous: str | None
    following: str | None


def results_view(found: Found, *, asked: SearchRequest, values: Mapping[str, Any], interface: Interface) -> ResultsView:
    """Makes an answer ready for reading.

    Args:
        found: the answer.
        asked: the question as it was validated.
        values: the address's own parameters, for links that change one of them.
        interface: the language around the results.
    """
    answer = found.answer
    previous, following = neighbours(values, selected=asked, total=answer.total)
    return ResultsView(
        hits=tuple(hit_view(hit, values=values, interface=interface) for hit in answer.hits),
        total=answer.total,
        first=asked.offset + 1,
        last=asked.offset + len(answer.hits),
        by_article=asked.group is Group.ARTICLE,
        truncated=answer.truncated,
        answerable=answer.answerable,
        degraded=answer.degraded is not None,
        facets=facets_of(answer.facets, selected=asked, values=values, interface=interface),
        filtered=bool(asked.lang or asked.source or asked.published_from or asked.published_to),
        start=page_address(values, offset=None),
        previous=previous,
        following=following,
    )
