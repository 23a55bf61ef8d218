"""What a record does not say about its article, found in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .dates import find_date, find_reported_date, is_likely_year
from .paragraphs import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_MAX_TITLE_CHARS: Final = 150
_MIN_TITLE_WORDS: Final = 3
_REPORTED_PARAGRAPHS: Final = 3
_ENDS_SENTENCE: Final = re.compile(r"""[.…:;,\u2013\u2014-]["'”’)\]]*$""")
_NOT_A_TITLE: Final = re.compile(r"""editor['’]s note\b|["“].*["”]$""", re.IGNORECASE)
_ENDS_TEXT: Final = re.compile(r"""[.!?…]["'”’)\]]*$""")
_NEW_SENTENCE: Final = re.compile(r"""[.!?]["'”’)]*\s+["'“‘(]?[A-Z]""")
_CODES: Final = {
    **dict.fromkeys(("ind", "in", "indonesian", "bahasa indonesia", "indonesia"), "id"),
    **dict.fromkeys(("eng", "english", "inggris"), "en"),
}
_CODE: Final = re.compile(r"[a-z]{2,3}")


def find_title(paragraphs: Sequence[str]) -> str | None:
    """The first paragraph, when it is a headline above an article and not its first sentence."""
    if len(paragraphs) < 2:  # noqa: PLR2004 - a headline stands above something
        return None
    first, second = paragraphs[:2]
    if len(first) > _MAX_TITLE_CHARS or len(first.split()) < _MIN_TITLE_WORDS or first[0].islower():
        return None
    if _ENDS_SENTENCE.search(first) or _NOT_A_TITLE.match(first) or _NEW_SENTENCE.search(first):
        return None
    longest = max(map(len, paragraphs[1:4]))
    return first if _ENDS_TEXT.search(second) and longest > len(first) else None


def find_published(paragraphs: Sequence[str], *, language: str) -> date | None:
    """The day that the first paragraphs report, None when they name none for sure."""
    day_first = day_first_in(language)
    for paragraph in paragraphs[:_REPORTED_PARAGRAPHS]:
        if published := find_reported_date(paragraph, day_first=day_first):
            return published
    return None


def given_published(value: str | date | None, *, language: str) -> date | None:
    """The date that a record states, None when it is no possible date."""
    if isinstance(value, str):
        return find_date(one_line(value), day_first=day_first_in(language))
    return value if value is not None and is_likely_year(value.year) else None


def day_first_in(language: str) -> bool | None:
    """Whether 8/1 is 8 January: in English that depends on the country, so it is unsure."""
    return None if language == "en" else True


def given_language(value: str | None) -> str | None:
    """The ISO 639 code that a record states, None when it is none."""
    if value is None:
        return None
    name = value.strip().casefold()
    code = _CODES.get(name) or name.replace("_", "-").partition("-")[0]
    code = _CODES.get(code, code)
    return code if _CODE.fullmatch(code) else None


def web_address(value: str | None) -> str | None:
    """The URL, when it is one that a reader can follow (http or https), else None."""
    if value is None:
        return None
    url = one_line(value)
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme.lower() in ("http", "https") and parts.hostname and " " not in url else None


def host_of(url: str | None) -> str | None:
    """The host of a URL, without "www."."""
    return (urlsplit(url).hostname or "").removeprefix("www.") or None if url else None
