"""Raw text to clean paragraphs: Unicode, spaces, line ends, hard-wrapped lines."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final

_NEWLINES: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES: Final = re.compile(r"[^\S\n]+")
# Controls, soft hyphens, zero-width spaces and marks of writing direction: nothing a reader sees, and each one
# splits a word for whoever searches it.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff]"
)
# A (non-)joiner is spelling in Persian or Hindi names and inside emoji; between Latin letters it is noise.
_JOINED: Final = "\u0590-\u1fff\u2600-\u2bff\ufb50-\ufdff\ufe0f\ufe70-\ufefc\U0001f000-\U0001faff"
_STRAY_JOINER: Final = re.compile(f"(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Thirty is the Stream-Safe Text Format's number (UAX #15); no language stacks more than a few. NFC puts the marks of
# one letter in order in time that grows with the square of their number.
_MAX_MARKS: Final = 30
_MARK: Final = "".join(mark for mark in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(mark))
_STACKED: Final = re.compile(f"([{_MARK}]{{{_MAX_MARKS}}})[{_MARK}]+")
# The plain test first: the set of marks is slow to search for, and nearly no text has so many letters of no Latin.
_NOT_LATIN: Final = re.compile(f"[^\x00-\u02ff\u2010-\u2027]{{{_MAX_MARKS}}}")

_MIN_WRAP_WIDTH: Final = 50
_MAX_WRAP_WIDTH: Final = 100
_MIN_WRAPPED_BREAKS: Final = 3
_MIN_WRAPPED_SHARE: Final = 0.8
_SENTENCE_END: Final = re.compile(r"""[.!?:;…]["'”’)\]]*$""")


def normalise(text: str) -> str:
    """The text in NFC, with newlines as line ends, single spaces, and no character that cannot be seen."""
    text = _NEWLINES.sub("\n", text)
    text = _SURROGATE.sub("\ufffd", text)
    text = _INVISIBLE.sub("", text)
    if "\u200c" in text or "\u200d" in text:
        text = _STRAY_JOINER.sub("", text)
    text = _SPACES.sub(" ", text)
    if _NOT_LATIN.search(text):
        text = _STACKED.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """The text normalised and on one line, as titles and names are."""
    return " ".join(normalise(text).split())


def split_paragraphs(text: str) -> list[str]:
    """The paragraphs of normalised text, none blank.

    In news text each line is a paragraph, unless the lines are evidently wrapped at a width: then a blank line
    parts paragraphs, and the lines between are joined.
    """
    lines = [line.strip() for line in text.split("\n")]
    width = _wrap_width(lines)
    if width is None:
        return [line for line in lines if line]
    paragraphs: list[list[str]] = []
    previous = ""
    for line in lines:
        if line and previous and not _had_room(previous, line, width):
            paragraphs[-1].append(line)
        elif line:
            paragraphs.append([line])
        previous = line
    return [" ".join(parts) for parts in paragraphs]


def _wrap_width(lines: list[str]) -> int | None:
    """The width that the lines were wrapped at, None when they were not.

    The evidence: every line is short, and at nearly every break the next word would not have fitted, which a
    writer's own line breaks do not do, and few breaks stand after a full stop.
    """
    breaks = [(line, after) for line, after in pairwise(lines) if line and after]
    if len(breaks) < _MIN_WRAPPED_BREAKS:
        return None
    width = max(map(len, lines))
    if not _MIN_WRAP_WIDTH <= width <= _MAX_WRAP_WIDTH:
        return None
    full = sum(not _had_room(line, after, width) for line, after in breaks)
    mid_sentence = sum(not _SENTENCE_END.search(line) for line, _ in breaks)
    if min(full, mid_sentence) < _MIN_WRAPPED_SHARE * len(breaks):
        return None
    return width


def _had_room(line: str, after: str, width: int) -> bool:
    """Whether the next line's first word would have fitted on this one."""
    return len(line) + 1 + len(after.split(" ", 1)[0]) <= width
