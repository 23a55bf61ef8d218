"""What results can be narrowed to: the values of a filter, with how many articles have each."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .address import page_address
from .wording import language_name, month_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..v1.selection import Selection
    from .wording import Interface

_MAX_CHOICES = 8
_MAX_FURTHER = 60
_MAX_MONTHS = 12
# What `search` counts articles under that have no source or no date; no filter selects those.
_UNKNOWN = "unknown"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a facet; following `href` selects it, or lets it go when it is selected."""

    label: str
    count: int
    href: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A filter with its values, the rarer ones in `further`; `clear` is the address without it."""

    name: str
    choices: tuple[Choice, ...]
    further: tuple[Choice, ...] = ()
    clear: str
    any_selected: bool


def facets_of(
    counts: Mapping[str, Mapping[str, int]], *, selected: Selection, values: Mapping[str, Any], interface: Interface
) -> tuple[Facet, ...]:
    """The facets beside results: language, source, and months or years.

    Args:
        counts: of an answer, by facet and value.
        selected: what the address chooses already.
        values: the address's parameters, for links that change one of them.
        interface: the language to name languages and months in.
    """
    languages, sources = counts.get("language", {}), counts.get("source", {})
    language_names = {code: language_name(code, interface=interface) for code in (*languages, *selected.lang)}
    return (
        _values_facet("lang", languages, chosen=selected.lang, values=values, labels=language_names),
        _values_facet("source", sources, chosen=selected.source, values=values, labels={}),
        _period_facet(counts.get("month", {}), selected=selected, values=values, interface=interface),
    )


def _values_facet(
    name: str, counts: Mapping[str, int], *, chosen: list[str], values: Mapping[str, Any], labels: Mapping[str, str]
) -> Facet:
    known = {value: counts.get(value, 0) for value in (*chosen, *counts) if value != _UNKNOWN}
    choices = tuple(
        Choice(
            label=labels.get(value, value),
            count=known[value],
            href=page_address(
                {**values, name: [one for one in chosen if one != value] if value in chosen else [value]},
                offset=None,
            ),
            selected=value in chosen,
        )
        for value in sorted(known, key=lambda value: (value not in chosen, -known[value], value))
    )
    return Facet(
        name=name,
        choices=choices[:_MAX_CHOICES],
        further=choices[_MAX_CHOICES : _MAX_CHOICES + _MAX_FURTHER],
        clear=page_address({**values, name: None}, offset=None),
        any_selected=bool(chosen),
    )


def _period_facet(
    months: Mapping[str, int], *, selected: Selection, values: Mapping[str, Any], interface: Interface
) -> Facet:
    """Months, the newest first; years while there are more months than can be listed."""
    known = {month: count for month, count in months.items() if _MONTH.fullmatch(month)}
    if len(known) > _MAX_MONTHS:
        years: dict[str, int] = {}
        for month, count in known.items():
            years[month[:4]] = years.get(month[:4], 0) + count
        known = years
    days = (selected.published_from, selected.published_to)
    clear = page_address({**values, "from": None, "to": None}, offset=None)
    choices = []
    for period in sorted(known, reverse=True)[:_MAX_MONTHS]:
        first, last = _days_of(period)
        chosen = days == (first, last)
        narrowed = {**values, "from": first.isoformat(), "to": last.isoformat()}
        choices.append(
            Choice(
                label=month_name(first, interface=interface) if "-" in period else period,
                count=known[period],
                href=clear if chosen else page_address(narrowed, offset=None),
                selected=chosen,
            )
        )
    return Facet(name="date", choices=tuple(choices), clear=clear, any_selected=any(days))


def _days_of(period: str) -> tuple[date, date]:
    """The first and the last day of "2026" or "2026-02"."""
    if "-" not in period:
        return date(int(period), 1, 1), date(int(period), 12, 31)
    year, month = (int(part) for part in period.split("-"))
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
