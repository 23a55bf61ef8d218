"""Hits as they are printed, on the pages that list some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search import ANSWERABLE

from .address import page_address, similar_address
from .heading import Heading, heading_of
from .marking import Run, marked_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search import Hit

    from .wording import Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """One hit as it is printed.

    `percent` is the score, 0 to 100, and `likely` whether that is enough for an answer; `similar` how many articles
    tell the same story, `more` how many other passages of this one probably answer.
    """

    rank: int
    heading: Heading
    href: str
    runs: tuple[Run, ...]
    percent: int
    likely: bool
    similar: int
    similar_href: str
    more: int
    more_href: str
    same_story: bool = False


def hit_view(hit: Hit, *, values: Mapping[str, Any], interface: Interface) -> HitView:
    """Makes one hit ready for reading.

    Args:
        hit: what was found.
        values: the parameters of the page it stands on, which the pages it links to keep.
        interface: the language around it.
    """
    heading = heading_of(hit.article, interface=interface)
    opened = page_address(values, path=heading.path, passage=hit.passage.id)
    return HitView(
        rank=hit.rank,
        heading=heading,
        href=f"{opened}#passage",
        runs=marked_runs(hit.passage.text, hit.highlights),
        percent=percent_of(hit),
        likely=hit.score >= ANSWERABLE,
        similar=hit.similar_count,
        similar_href=similar_address(hit.article.id, values=values),
        more=hit.more_count,
        more_href=f"{opened}#matches",
    )


def percent_of(hit: Hit) -> int:
    """A score as people read it, 0 to 100."""
    return round(100 * min(max(hit.score, 0.0), 1.0))
