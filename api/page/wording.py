"""Choosing the language of the interface, and writing dates, numbers and names in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from . import english, indonesian

if TYPE_CHECKING:
    from datetime import date

Interface = Literal["id", "en"]

_MONTHS: dict[Interface, str] = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "en": "January February March April May June July August September October November December",
}

WORDS: dict[Interface, dict[str, str]] = {"id": indonesian.WORDS, "en": english.WORDS}


def choose_interface(*, asked: str | None, remembered: str | None, accept_language: str) -> Interface:
    """Picks the interface language: what the address asks, else the cookie, else what the browser prefers."""
    for choice in (asked, remembered, *_preferred(accept_language)):
        if choice == "id":
            return "id"
        if choice == "en":
            return "en"
    return "en"


def long_date(day: date, *, interface: Interface) -> str:
    """8 Januari 2026, or 8 January 2026."""
    return f"{day.day} {month_name(day, interface=interface)}"


def month_name(day: date, *, interface: Interface) -> str:
    """Januari 2026, or January 2026."""
    return f"{_MONTHS[interface].split()[day.month - 1]} {day.year}"


def number(value: int, *, interface: Interface) -> str:
    """12.345 in Indonesian, 12,345 in English."""
    grouped = f"{value:,}"
    return grouped.replace(",", ".") if interface == "id" else grouped


def language_name(code: str, *, interface: Interface) -> str:
    """The name of an article's language, or its code where the interface has no name for it."""
    return WORDS[interface].get(f"lang_{code}", code)


def _preferred(accept_language: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, quality = part.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if math.isfinite(weight) and weight > 0:
            weighted.append((weight, tag.strip().lower().partition("-")[0]))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
