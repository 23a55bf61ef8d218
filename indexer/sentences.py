"""Where the sentences and paragraphs of a text begin and end, for Indonesian and English alike.

One compiled scan finds each mark that could end a sentence; a few rules on the words around it decide. A line
break always ends one, so headings and list items stand alone. Where a full stop both belongs to an
abbreviation and could end the sentence, the choice is:

- before a small letter the sentence goes on ("di U.S. yang");
- "etc.", "dll.", "dkk." end it before a capital, for they close a list;
- "U.S.", "S.H.", "Inc.", "Jr.", initials end it only before a word that opens sentences ("The", "Ia", "Namun"),
  since names follow them more often ("U.S. President", "B.J. Habibie");
- "a.m." and "p.m." end it before a capital that is no time zone, day or month.

A stop without a space after it ("Rp5.000", "detik.com", "2026.01.05") is never looked at. Time is linear in
the text whatever it holds: quantifiers are possessive and every look around a mark is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .abbreviations import (
    AFTER_CLOCK,
    CLOCK,
    CLOSING,
    CONTINUING,
    EXCLAIMING_NAMES,
    LABELLED,
    NUMBERED,
    STARTERS,
    TITLES,
    UNDECIDED,
)

Span = tuple[int, int]
"""Start and end, end exclusive, in code points; no whitespace at either edge."""

_LINE_BREAK = r"\n\r\v\f\x85\u2028\u2029"
_CLOSERS = r"""(?:["'”’»\u203a)\]}」』】）]|\[\d{1,3}\])*+"""
_QUOTES = frozenset("\"'”’»\u203a")

_MARKS = r".!?…‽؟\u06d4।"
_WIDE = "。！？｡"
# Subtle: the first negative look-behind makes a run of marks match at its first mark or not at all. Without it a run
# that is followed by no space would be tried again from each of its marks. And all choices stand behind one set of
# characters, which the engine looks for five times as fast as for choices.
_CANDIDATE = re.compile(
    rf"[{_MARKS}{_WIDE}{_LINE_BREAK}]"
    rf"(?:(?<=[{_MARKS}])(?<![{_MARKS}].)(?P<marks>[{_MARKS}]*+){_CLOSERS}(?P<gap>\s++)"
    rf"|(?<=[{_WIDE}])(?P<wide>[{_WIDE}]*+(?P<wide_closers>{_CLOSERS}))\s*+"
    rf"|(?<=[{_LINE_BREAK}])\s*+)",
    re.DOTALL,
)
_BREAK_IN_GAP = re.compile(f"[{_LINE_BREAK}]")
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)(?:[^\S\r\n]*+(?:\r\n?|\n))++")
_NEXT = re.compile(
    r"(?P<dash>[-–—]\s)?+[\"'“‘«\u2039(\[{„「『]{0,4}+(?P<word>[^\W\d_]{1,24}+)?(?P<after>.{0,2})", re.DOTALL
)
_BEFORE_WORD = re.compile(r"[\s\"'“”‘’«»\u2039\u203a()\[\]{}/:–—]")
_DOTTED = re.compile(r"[^\W\d_]{1,2}+(?:\.[^\W\d_]{1,5}+)++")
_OPENERS = "\"'“‘«\u2039([{„「『"
_ITEM = re.compile(r"\d{1,3}|[A-Za-z]|[IVX]{1,5}")
_LONGEST_ITEM = 8

_LONGEST_WORD = 24
"""Code points looked at before a mark; no abbreviation is longer."""
_LONGEST_PREFIX = 2
_SURE_WORD = 4
"""A word of small letters this long, if not listed, ends its sentence even before a small letter."""


def split_sentences(text: str) -> list[Span]:
    """Divide `text` into sentences.

    Returns:
        Spans in order, not overlapping. Every character that is not whitespace lies in exactly one; a
        closing quote or bracket belongs to the sentence whose mark it follows.
    """
    spans: list[Span] = []
    start = len(text) - len(text.lstrip())
    for match in _CANDIDATE.finditer(text, start):
        if match["gap"]:
            if not _ends(text, start, match):
                continue
            end = match.start("gap")
        elif match["wide"] is not None:
            end = match.end("wide")
            # 「はい。」と答えた: what follows the closing quote at once belongs to the same sentence.
            if match["wide_closers"] and text[match.end() : match.end() + 1].isalnum() and end == match.end():
                continue
        else:
            end = start + len(text[start : match.start()].rstrip())
        spans.append((start, end))
        start = match.end()
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans


def split_paragraphs(text: str) -> list[Span]:
    """Divide `text` at its blank lines.

    Returns:
        Spans in order, not overlapping. Every character that is not whitespace lies in exactly one.
    """
    edges = [0]
    for match in _BLANK_LINE.finditer(text):
        edges += match.span()
    edges.append(len(text))
    spans = []
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        body = text[left:right].strip()
        if body:
            start = right - len(text[left:right].lstrip())
            spans.append((start, start + len(body)))
    return spans


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What follows a mark: whether a dash stands first, then the word, then two more characters."""

    dash: bool
    word: str
    after: str

    @property
    def small(self) -> bool:
        """A word with a small first letter, unless a name such as "iPhone", "eBay" or "e-KTP"."""
        camel = self.word[1:2].isupper()
        prefixed = len(self.word) <= _LONGEST_PREFIX and self.after[:1] == "-" and self.after[1:].isupper()
        return self.word[:1].islower() and not camel and not prefixed

    @property
    def number(self) -> bool:
        return not self.word and self.after[:1].isdigit()

    @property
    def opens(self) -> bool:
        """A word that opens sentences; not the initial in "H. A. Salim", which has a stop of its own."""
        return self.word in STARTERS and not (len(self.word) == 1 and self.after.startswith("."))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:  # noqa: PLR0911 - one return a rule reads best
    """Whether the marks that `match` begins with, of a sentence begun at `start`, end it."""
    at, marks_end = match.start(), match.end("marks")
    stop, gap = text[at:marks_end] == ".", match["gap"]
    if match.end() == len(text) or (gap != " " and _BREAK_IN_GAP.search(gap)):
        return True
    if at - start <= _LONGEST_ITEM:
        body = text[start:at].lstrip(_OPENERS)
        if not body or (stop and _ITEM.fullmatch(body)):
            return False
    ahead = _look_ahead(text, match.end())
    closed = match.start("gap") > marks_end
    words = _BEFORE_WORD.split(text[max(start, at - _LONGEST_WORD) : at])
    word = words[-1]
    if not stop:
        return not ahead.small and (closed or word.lower() not in EXCLAIMING_NAMES)
    if ahead.small:
        return not closed and len(word) >= _SURE_WORD and word.isalpha() and word.islower() and not _listed(word)
    if closed and not _QUOTES.isdisjoint(text[marks_end : match.start("gap")]):
        return _key(word) not in CONTINUING
    if len(word) == 1 and len(words) > 1 and words[-2].lower() in LABELLED:
        return True
    return _ends_before_capital(word, ahead)


def _ends_before_capital(word: str, ahead: _Ahead) -> bool:  # noqa: PLR0911 - one return a rule reads best
    """Whether `word` and a full stop end a sentence when no small letter follows."""
    key = _key(word)
    named = word[-len(key) :].istitle()
    if key in CONTINUING:
        return word.isupper() and len(word) > 1 and ahead.opens
    if key in TITLES and named:
        return ahead.opens and ahead.word != "I"  # "Ir. I Wayan"
    if len(word) == 1 and word.isupper():
        return ahead.opens or not (ahead.word or ahead.number)
    if key in NUMBERED:
        return not ahead.number
    if key in CLOCK:
        return ahead.word not in AFTER_CLOCK
    if (key in UNDECIDED and named) or _DOTTED.fullmatch(key):
        # "JACKSON, Wyo. - A": a dash after a place does not begin a sentence.
        return not ahead.dash and (ahead.opens or not (ahead.word or ahead.number))
    return True


def _look_ahead(text: str, start: int) -> _Ahead:
    match = _NEXT.match(text, start)
    if match is None:
        return _Ahead(dash=False, word="", after="")
    return _Ahead(dash=match["dash"] is not None, word=match["word"] or "", after=match["after"])


def _key(word: str) -> str:
    """How the lists spell `word`: small, without what a hyphen joins to it ("then-Rep", "non-U.S")."""
    tail = word.rpartition("-")[2]
    return (tail if len(tail) > 1 else word).lower()


def _listed(word: str) -> bool:
    return any(word in words for words in (CONTINUING, TITLES, NUMBERED, UNDECIDED, CLOSING))
