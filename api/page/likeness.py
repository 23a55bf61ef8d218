"""The articles like one, as they are printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .address import neighbours, page_address
from .heading import Heading, heading_of
from .hits import HitView, hit_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..inquiry import FoundSimilar
    from ..v1.selection import Selection
    from .wording import Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarView:
    """One page of the articles like one. `first` and `last` count hits from 1; `start` leads to the first page."""

    heading: Heading
    path: str
    href: str
    hits: tuple[HitView, ...]
    total: int
    first: int
    last: int
    start: str
    previous: str | None
    following: str | None


def similar_view(
    found: FoundSimilar, *, selected: Selection, values: Mapping[str, Any], interface: Interface
) -> SimilarView:
    """Makes a page of similar articles ready for reading.

    Args:
        found: the articles.
        selected: the choice of articles as it was validated.
        values: the address's own parameters, for links that change one of them.
        interface: the language around the articles.
    """
    similar = found.similar
    heading = heading_of(similar.article, interface=interface)
    path = f"{heading.path}/similar"
    previous, following = neighbours(values, selected=selected, total=similar.total, path=path)
    return SimilarView(
        heading=heading,
        path=path,
        href=page_address(values, path=heading.path, limit=None, offset=None),
        hits=tuple(
            replace(hit_view(hit, values=values, interface=interface), same_story=hit.rank <= similar.same_story)
            for hit in similar.hits
        ),
        total=similar.total,
        first=selected.offset + 1,
        last=selected.offset + len(similar.hits),
        start=page_address(values, path=path, offset=None),
        previous=previous,
        following=following,
    )
