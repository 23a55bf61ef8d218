"""Dates as Indonesian and English news writes them."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100

_MONTHS: Final = (
    ("januari", "january", "jan"),
    ("februari", "pebruari", "february", "feb", "febr", "peb"),
    ("maret", "march", "mar"),
    ("april", "apr"),
    ("mei", "may"),
    ("juni", "june", "jun"),
    ("juli", "july", "jul"),
    ("agustus", "august", "agu", "agt", "ags", "agust", "aug"),
    ("september", "sept", "sep"),
    ("oktober", "october", "okt", "oct"),
    ("november", "nopember", "nov", "nop"),
    ("desember", "december", "des", "dec"),
)
_MONTH_NUMBER: Final = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_MONTH: Final = "(?P<name>" + "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True)) + r")\b\.?"
_WEEKDAYS: Final = (
    ("senin", "monday", "mon"),
    ("selasa", "tuesday", "tues", "tue"),
    ("rabu", "wednesday", "wed"),
    ("kamis", "thursday", "thurs", "thur", "thu"),
    ("jumat", "jum'at", "jum’at", "friday", "fri"),
    ("sabtu", "saturday", "sat"),
    ("minggu", "ahad", "sunday", "sun"),
)
_WEEKDAY_NUMBER: Final = {name: number for number, names in enumerate(_WEEKDAYS) for name in names}

WEEKDAY: Final = r"\b(?P<weekday>" + "|".join(sorted(_WEEKDAY_NUMBER, key=len, reverse=True)) + r")\b\.?,?\s*"
DATE: Final = "|".join(
    (
        # A digit, or a point or slash and a digit, on either side makes it a longer number, not a date.
        r"(?<![\d./-])(?P<y>\d{4})(?P<s>[-./])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?!\d|[./-]\d)",
        r"(?<![\d./-])(?P<a>\d{1,2})(?P<t>[-./])(?P<b>\d{1,2})(?P=t)(?P<z>\d{4})(?!\d|[./-]\d)",
        (
            rf"(?<![\d.,])(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?{_MONTH.replace('name', 'n1')}"
            r",?[\s-]+(?P<y1>\d{4})(?!\d)"
        ),
        rf"\b{_MONTH.replace('name', 'n2')}\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>\d{{4}})(?!\d)",
    )
)
"""A pattern of every full date (year, month and day), to be used with re.IGNORECASE and `date_of`."""

_DATE: Final = re.compile(DATE, re.IGNORECASE)
# "Kamis (8/1/2026)", "Rabu, 19 November 2025", "on Thursday, Jan. 8, 2026".
_REPORTED: Final = re.compile(rf"{WEEKDAY}\(?\s*(?:{DATE})", re.IGNORECASE)


def find_date(text: str, *, day_first: bool | None = True) -> date | None:
    """The first possible full date in `text`.

    `day_first` reads "8/1/2026": as 8 January, as August 1 (False), or not at all (None, where it is unsure).
    """
    return next(_dates(_DATE, text, day_first=day_first), None)


def find_reported_date(text: str, *, day_first: bool | None = True) -> date | None:
    """The first full date with its weekday, as news dates the day it reports: "Kamis (8/1/2026)".

    A weekday that does not fit the date makes both doubtful, and is passed over.
    """
    return next(_dates(_REPORTED, text, day_first=day_first), None)


def date_of(match: re.Match[str], *, day_first: bool | None = True) -> date | None:
    """The date that a match of DATE writes, None when no such day exists or it is unsure which."""
    parts = match.groupdict()
    if parts["y"]:
        return _date(parts["y"], int(parts["m"]), parts["d"])
    if parts["n1"]:
        return _date(parts["y1"], _MONTH_NUMBER[parts["n1"].lower()], parts["d1"])
    if parts["n2"]:
        return _date(parts["y2"], _MONTH_NUMBER[parts["n2"].lower()], parts["d2"])
    readings = {
        True: _date(parts["z"], int(parts["b"]), parts["a"]),
        False: _date(parts["z"], int(parts["a"]), parts["b"]),
    }
    possible = {reading for reading in readings.values() if reading}
    if len(possible) == 1:
        return possible.pop()
    return None if day_first is None else readings[day_first]


def _dates(pattern: re.Pattern[str], text: str, *, day_first: bool | None) -> Iterator[date]:
    for match in pattern.finditer(text):
        found = date_of(match, day_first=day_first)
        if found is None:
            continue
        weekday = match.groupdict().get("weekday")
        if weekday is None or _WEEKDAY_NUMBER[weekday.lower()] == found.weekday():
            yield found


def is_likely_year(year: int) -> bool:
    """Whether news may be of that year; 1 and 9999 stand for "unknown" in some archives."""
    return _FIRST_YEAR <= year <= _LAST_YEAR


def _date(year: str, month: int, day: str) -> date | None:
    if not is_likely_year(int(year)):
        return None
    try:
        return date(int(year), month, int(day))
    except ValueError:  # 31 February: a typing mistake, or not a date at all
        return None
