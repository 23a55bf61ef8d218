"""From the paragraphs of a page to the paragraphs of its article."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .boilerplate import BREADCRUMB, INITIALS, INLINE_LINK, INLINE_WORDS, KICKER, RULES, TAIL
from .bylines import Found, read_byline, split_closing, split_stray_date
from .datelines import split_dateline

_TOP_PARAGRAPHS: Final = 6
_END_PARAGRAPHS: Final = 3
_DATELINE_PARAGRAPHS: Final = 4
_MAX_RULE_CHARS: Final = 450
_MAX_KICKER_WORDS: Final = 2
_MAX_NAVIGATION_CHARS: Final = 200
# A shorter line may repeat for a reason (a speaker's name, "Population: 12,000" in a list) unless it follows itself.
_MIN_REPEATED_CHARS: Final = 80
_SENTENCE: Final = re.compile(r"""[.!?…]["'”’)\]]*$""")


@dataclass(frozen=True, slots=True)
class Removal:
    """A piece of text that a rule took out."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The article's own paragraphs, the metadata that stood among them, and what was taken out."""

    paragraphs: tuple[str, ...]
    found: Found
    removals: tuple[Removal, ...]


def clean(paragraphs: list[str], *, day_first: bool | None = None) -> Cleaned:
    """The paragraphs without boilerplate; no rule takes a sentence of the article.

    `day_first` tells how a byline's "8/1/2026" is read, None that it is not.
    """
    removals: list[Removal] = []
    kept = _cut_tail(_drop_repeats(paragraphs, removals), removals)
    kept, found = _take_bylines(_drop_kicker(kept, removals), removals, day_first=day_first)
    kept = [shortened for paragraph in kept if (shortened := _without_boilerplate(paragraph, removals))]
    kept, dateline = _take_datelines(kept, removals)
    return Cleaned(paragraphs=tuple(kept), found=dateline.or_else(found), removals=tuple(removals))


def _drop_repeats(paragraphs: list[str], removals: list[Removal]) -> list[str]:
    kept: list[str] = []
    seen: set[str] = set()
    previous = ""
    for paragraph in paragraphs:
        key = paragraph.casefold()
        if key == previous or (key in seen and len(key) >= _MIN_REPEATED_CHARS):
            removals.append(Removal("repeat", paragraph))
            continue
        seen.add(key)
        previous = key
        kept.append(paragraph)
    return kept


def _cut_tail(paragraphs: list[str], removals: list[Removal]) -> list[str]:
    """Without the list of other articles at the end: its heading, and the headlines below it."""
    for place in range(len(paragraphs) - 1, 0, -1):
        if TAIL.fullmatch(paragraphs[place]):
            removals.extend(Removal("tail", paragraph) for paragraph in paragraphs[place:])
            return paragraphs[:place]
        if _SENTENCE.search(paragraphs[place]) or len(paragraphs[place]) > _MAX_NAVIGATION_CHARS:
            break
    return paragraphs


def _drop_kicker(paragraphs: list[str], removals: list[Removal]) -> list[str]:
    """Without the name of the section above the article."""
    if len(paragraphs) < 2:  # noqa: PLR2004 - a section's name stands above something
        return paragraphs
    first, second = paragraphs[:2]
    short = len(first.split()) <= _MAX_KICKER_WORDS and not _SENTENCE.search(first)
    named = KICKER.fullmatch(first) or BREADCRUMB.fullmatch(first)
    if named or (short and read_byline(second, at_top=True) and not read_byline(first, at_top=True)):
        removals.append(Removal("kicker", first))
        return paragraphs[1:]
    return paragraphs


def _take_bylines(paragraphs: list[str], removals: list[Removal], *, day_first: bool | None) -> tuple[list[str], Found]:
    kept: list[str] = []
    found = Found()
    for place, paragraph in enumerate(paragraphs):
        at_end = place >= len(paragraphs) - _END_PARAGRAPHS
        read = read_byline(paragraph, at_top=place < _TOP_PARAGRAPHS, at_end=at_end, day_first=day_first)
        if read is not None:
            removals.append(Removal("byline", paragraph))
            found = found.or_else(read)
            continue
        closing, rest = split_closing(paragraph)
        if rest != paragraph:
            removals.append(Removal("closing", paragraph.removeprefix(rest)))
            found = found.or_else(closing)
        if not kept:
            published, dated = split_stray_date(rest)
            if published:
                removals.append(Removal("stray date", rest.removesuffix(dated)))
                found = found.or_else(Found(published=published))
                rest = dated
        if rest:
            kept.append(rest)
    return kept, found


def _without_boilerplate(paragraph: str, removals: list[Removal]) -> str:
    for rule in RULES if len(paragraph) <= _MAX_RULE_CHARS else ():
        if rule.pattern.fullmatch(paragraph):
            removals.append(Removal(rule.name, paragraph))
            return ""
    # Plain tests first: nearly no paragraph needs the patterns, which are slow to fail on a long one.
    folded = paragraph.casefold()
    inline = [("inline link", INLINE_LINK)] if any(word in folded for word in INLINE_WORDS) else []
    for name, pattern in [*inline, ("initials", INITIALS)] if paragraph[-1] in ")]" else inline:
        removals.extend(Removal(name, match[0]) for match in pattern.finditer(paragraph))
        paragraph = pattern.sub("", paragraph).strip()
    return paragraph


def _take_datelines(paragraphs: list[str], removals: list[Removal]) -> tuple[list[str], Found]:
    """Without the dateline, which stands before the first sentence: below a headline and a summary, at most."""
    found = Found()
    kept: list[str] = []
    for place, paragraph in enumerate(paragraphs):
        rest = paragraph
        if place < _DATELINE_PARAGRAPHS and found == Found():
            found, rest = split_dateline(paragraph)
            if rest != paragraph:
                removals.append(Removal("dateline", paragraph.removesuffix(rest)))
        if rest:
            kept.append(rest)
    return kept, found
