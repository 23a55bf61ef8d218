"""Lines that say who wrote an article, for whom and when: metadata, not text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .dates import DATE, WEEKDAY, date_of

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Metadata that stood in the text itself."""

    author: str | None = None
    editor: str | None = None
    source: str | None = None
    published: date | None = None

    def or_else(self, other: Found) -> Found:
        """What is found here, and from `other` what is not."""
        return Found(
            author=self.author or other.author,
            editor=self.editor or other.editor,
            source=self.source or other.source,
            published=self.published or other.published,
        )


_NAME: Final = r"(?-i:[A-Z0-9])[^:!?|;]{1,80}(?<![.])"
_LABELLED: Final = re.compile(
    rf"(?:penulis|reporter|oleh|pewarta|kontributor|jurnalis|wartawan|author|written by|reporting by)"
    rf"\s*:\s*(?P<author>{_NAME})"
    rf"|(?:editor|penyunting|redaktur|edited by|editing by)\s*:\s*(?P<editor>{_NAME})",
    re.IGNORECASE,
)
_CREDITED: Final = re.compile(
    r"(?:sumber|source)\s*:\s*(?P<source>(?-i:[A-Z])[\w.&'’-]*(?:\s[\w.&'’-]+){0,3}(?<![.]))", re.IGNORECASE
)
_PERSON: Final = r"[A-Z][\w.'’-]*(?:\s+(?:[A-Z][\w.'’-]*|bin|binti|de|van|von|al)){1,4}"
_UNLABELLED: Final = re.compile(
    rf"(?:By|BY|Oleh|OLEH)\s+(?P<author>{_PERSON}(?:(?:,|\s+(?:and|dan|&))\s+{_PERSON}){{0,4}}?)"
    r"(?:,\s*[A-Z][\w .]{1,30})?"
)
_DATED: Final = re.compile(
    r"(?:(?:first\s+|last\s+)?(?:published|updated|posted|diterbitkan|dipublikasikan|diperbarui|tayang|tanggal|date)"
    rf"\s*(?:on|at|pada)?\s*:?\s*)?(?:{WEEKDAY})?\(?(?:{DATE})\)?"
    r"(?:[\s,|–-]*(?:pukul|at)?\s*\d{1,2}[:.]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?\s*(?:[a-z]{2,4})?)?",
    re.IGNORECASE,
)
_MAX_BYLINE_CHARS: Final = 250
_PARTS: Final = re.compile(r"\s*[|•·]\s*")
_STRAY_DATE: Final = re.compile(rf"date:?\s+(?:{DATE})\s+(?=\S)", re.IGNORECASE)
# "... kata dia. Pewarta: A. B. Editor: C. D. Copyright © ANTARA 2025 ...", glued to the last paragraph.
_CLOSING: Final = re.compile(
    r"""\s*(?:(?:sumber\s*:\s*(?P<source>[\w. ]{2,30}?)\s*)?(?:pewarta|penerjemah)\s*:\s*(?P<author>[^:]{2,60}?)\s*"""
    r"""editor\s*:\s*(?P<editor>[^:]{2,60}?)\s*)?"""
    r"""(?:copyright\s*©\s*antara\b.{0,400}"""
    r"""|copyright\s*(?:©\s*)?(?:\d{4}\s*-\s*)?\d{4}.{0,150}\brights? reserved\.?)$""",
    re.IGNORECASE,
)


def read_byline(
    paragraph: str, *, at_top: bool = False, at_end: bool = False, day_first: bool | None = None
) -> Found | None:
    """What a line of bylines says; None when the paragraph is anything else.

    "Editor: A. B." counts anywhere. "Sumber: Reuters" counts only `at_top` or `at_end`: elsewhere it credits
    a chart. "By A. B." and a date alone count only `at_top`, where no sentence of the article can be meant.
    """
    if len(paragraph) > _MAX_BYLINE_CHARS:
        return None
    found = Found()
    for part in _PARTS.split(paragraph):
        read = _read_part(part, at_top=at_top, at_end=at_end, day_first=day_first)
        if read is None:
            return None
        found = found.or_else(read)
    return found


def _read_part(part: str, *, at_top: bool, at_end: bool, day_first: bool | None) -> Found | None:
    if labelled := _LABELLED.fullmatch(part):
        return Found(author=labelled["author"], editor=labelled["editor"])
    # Indonesian outlets name their source at either end; in English "Source: World Bank" at the end credits a figure.
    if (at_top or (at_end and part.lower().startswith("sumber"))) and (credited := _CREDITED.fullmatch(part)):
        return Found(source=credited["source"])
    if not at_top:
        return None
    if unlabelled := _UNLABELLED.fullmatch(part):
        return Found(author=unlabelled["author"])
    if dated := _DATED.fullmatch(part):
        return Found(published=date_of(dated, day_first=day_first))
    return None


def split_closing(paragraph: str) -> tuple[Found, str]:
    """What the signature and copyright note glued to a paragraph's end say, and the paragraph without them."""
    # The plain test first: the pattern is slow to fail on a long paragraph.
    if "copyright" not in paragraph.casefold() or not (match := _CLOSING.search(paragraph)):
        return Found(), paragraph
    closing = Found(author=match["author"], editor=match["editor"], source=match["source"])
    return closing, paragraph[: match.start()]


def split_stray_date(paragraph: str) -> tuple[date | None, str]:
    """The date of a "date 2026-01-20" glued before the first sentence, and the paragraph without it."""
    match = _STRAY_DATE.match(paragraph)
    published = date_of(match) if match else None
    return (published, paragraph[match.end() :]) if match and published else (None, paragraph)
