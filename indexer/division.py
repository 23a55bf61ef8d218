"""Where to divide a text whose tokens are counted: whole sentences, even passages, paragraphs together.

The division of least total cost, found exactly by dynamic programming over the sentences: the total-fit idea
of Knuth and Plass, "Breaking Paragraphs into Lines" (1981), with passages for lines. A passage of `n` tokens
out of `room` costs 1 + (1 - n / room)^2, so few passages are best and, of as many, even ones: 1.2 rooms of
text cost 2.32 as .6 + .6, and 2.64 as 1.0 + .2. Dividing what belongs together costs more.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from itertools import pairwise
from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np

from .sentences import Span, split_sentences

if TYPE_CHECKING:
    import numpy.typing as npt

_KEEP = 5.0
"""To divide a paragraph or line that fits: more than any rearrangement without it can cost, which is 4."""
_INSIDE_SENTENCE = 0.6
_INSIDE_LINE = 0.3
_BETWEEN_LINES = 0.05
_NO_OVERLAP = 0.25
"""To begin a passage without the overlap it should have."""
_SMALL = 0.25
"""The share of the room that the overlap, or the headings over a sentence, may take."""
_HEADING = 120
"""Code points of the longest line taken for a heading."""

# A question alone on a line heads its answer; a line that ends in a comma or colon, what it introduces.
_NOT_HEADING = re.compile(r"""\A[-•*·–—]|[.!…。！;]["'”’»)\]]{0,3}\Z""")
_CLAUSE_END = re.compile(r"""(?:[,;:)\]–—]["'”’»]?(?=\s)|[，、；：])""")
_SPACES = re.compile(r"\s++")
_NOT_SPACE = re.compile(r"\S")
_ZERO_WIDTH_JOINER = "\u200d"


class _Edge(Enum):
    """What lies between a unit and the one before it."""

    PARAGRAPH = "a blank line"
    LINE = "a line break"
    SENTENCE = "the end of a sentence"
    CUT = "a cut inside a sentence"


_Unit = tuple[int, int, _Edge]
"""Start, end and edge of what is not divided further: a sentence with its headings, or a part of a long one."""


def divide(
    text: str,
    token_starts: npt.NDArray[np.int32],
    *,
    room: int,
    overlap_sentences: int,
    overlap_across_paragraphs: bool,
) -> list[Span]:
    """Divide `text` into spans of at most `room` tokens.

    Args:
        text: What is divided.
        token_starts: (n,) int32, ascending code-point offsets at which its tokens begin.
        room: Most tokens of a span, its overlap included; at least 1.
        overlap_sentences: How many sentences of a span begin the next, if a quarter of the room holds them.
        overlap_across_paragraphs: Whether also where the span ends with a line or paragraph.

    Returns:
        Spans whose starts strictly increase; every character that is not whitespace lies in at least one.
        Only one code point of more than `room` tokens goes over.
    """
    units = _units(text, token_starts, room)
    if not units:
        return []
    ends = np.array([end for _, end, _ in units], np.int32)
    # tokens[i]: how many begin before unit i. Those of the whitespace before a unit count as the unit's.
    tokens: list[int] = [0, *np.searchsorted(token_starts, ends).tolist()]
    overlaps = _overlaps(units, tokens, room * _SMALL, overlap_sentences, across=overlap_across_paragraphs)
    spans: list[Span] = []
    for first, last in _cheapest(_costs(units, tokens, room), tokens, overlaps, room):
        start = units[first][0]
        early = units[overlaps[first]][0]
        if tokens[last] - tokens[overlaps[first]] <= room and (not spans or early > spans[-1][0]):
            start = early
        spans.append((start, units[last - 1][1]))
    return spans


def _units(text: str, token_starts: npt.NDArray[np.int32], room: int) -> list[_Unit]:
    sentences = split_sentences(text)
    edges = [_Edge.PARAGRAPH]
    edges += [_edge(text[end:start]) for (_, end), (start, _) in pairwise(sentences)]
    starts = np.array([start for start, _ in sentences], np.int32)
    first_token: list[int] = np.searchsorted(token_starts, starts).tolist()
    units: list[_Unit] = []
    heading: int | None = None  # the first of the headings that wait for their paragraph
    for place, (start, end) in enumerate(sentences):
        first = place if heading is None else heading
        ends_line = place + 1 < len(sentences) and edges[place + 1] is not _Edge.SENTENCE
        if (
            ends_line
            and edges[place] is not _Edge.SENTENCE
            and end - start <= _HEADING
            and first_token[place + 1] - first_token[first] <= room * _SMALL
            and not _NOT_HEADING.search(text[start:end])
        ):
            heading = first
            continue
        heading = None
        edge = edges[first]
        for left, right in _parts(text, (sentences[first][0], end), token_starts, room):
            units.append((left, right, edge))
            edge = _Edge.CUT
    return units


def _edge(gap: str) -> _Edge:
    if gap in ("", " "):
        return _Edge.SENTENCE
    if gap.count("\n") > 1:
        return _Edge.PARAGRAPH
    return _Edge.SENTENCE if gap.splitlines() == [gap] else _Edge.LINE


def _parts(text: str, span: Span, token_starts: npt.NDArray[np.int32], room: int) -> list[Span]:
    """Cut `span` into even parts of at most `room` tokens; just the span if it fits."""
    start, end = span
    # Subtle: searching with another dtype would copy the whole array, each time.
    last = int(np.searchsorted(token_starts, np.int32(end)))
    parts: list[Span] = []
    while True:
        first = int(np.searchsorted(token_starts, np.int32(start)))
        total = last - first
        if total <= room or end - start == 1:
            return [*parts, (start, end)]
        even = ceil(total / ceil(total / room))
        low, aim, high = (int(token_starts[first + step]) for step in (even // 2, even, room))
        cut = _cut(text, max(low, start), aim, high)
        cut = min(max(cut, start + 1), end - 1)
        parts.append((start, start + len(text[start:cut].rstrip())))
        more = _NOT_SPACE.search(text, cut, end)
        if more is None:
            return parts
        start = more.start()


def _cut(text: str, low: int, aim: int, high: int) -> int:
    """The best place in (low, high] to cut: after a clause, else at a space, else between two characters."""
    for places in (
        [match.end() for match in _CLAUSE_END.finditer(text, low, high + 1)],
        [match.start() for match in _SPACES.finditer(text, low + 1, high + 1)],
    ):
        within = [place for place in places if low < place <= high]
        if within:
            return min(within, key=lambda place: abs(place - aim))
    cut = aim
    while cut > low and (
        unicodedata.category(text[cut]).startswith("M") or _ZERO_WIDTH_JOINER in text[cut - 1 : cut + 1]
    ):
        cut -= 1
    return cut if cut > low else aim


def _costs(units: list[_Unit], tokens: list[int], room: int) -> list[float]:
    """What it costs to divide before each unit."""
    in_whole_paragraph = _fitting(units, tokens, room, {_Edge.PARAGRAPH})
    in_whole_line = _fitting(units, tokens, room, {_Edge.PARAGRAPH, _Edge.LINE})
    costs = []
    for (_, _, edge), paragraph_fits, line_fits in zip(units, in_whole_paragraph, in_whole_line, strict=True):
        if edge is _Edge.PARAGRAPH:
            costs.append(0.0)
        elif paragraph_fits:
            costs.append(_KEEP)
        elif edge is _Edge.LINE:
            costs.append(_BETWEEN_LINES)
        elif line_fits:
            costs.append(_KEEP)
        else:
            costs.append(_INSIDE_LINE if edge is _Edge.SENTENCE else _INSIDE_SENTENCE)
    return costs


def _fitting(units: list[_Unit], tokens: list[int], room: int, borders: set[_Edge]) -> list[bool]:
    """For each unit, whether the run between two `borders` that it stands in fits the room."""
    begins = [place for place, (_, _, edge) in enumerate(units) if place == 0 or edge in borders]
    fits: list[bool] = []
    for begin, end in zip(begins, [*begins[1:], len(units)], strict=True):
        fits += [tokens[end] - tokens[begin] <= room] * (end - begin)
    return fits


def _overlaps(units: list[_Unit], tokens: list[int], most: float, sentences: int, *, across: bool) -> list[int]:
    """For each unit, the unit that a passage beginning with it may begin with instead."""
    overlaps = []
    for place in range(len(units)):
        first = place
        # A sentence that was cut is no whole sentence: neither it nor its last part is repeated.
        while (
            first > 0
            and place - first < sentences
            and tokens[place] - tokens[first - 1] <= most
            and (units[first][2] is _Edge.SENTENCE or (across and units[first][2] is not _Edge.CUT))
            and units[first - 1][2] is not _Edge.CUT
        ):
            first -= 1
        overlaps.append(first)
    return overlaps


def _cheapest(costs: list[float], tokens: list[int], overlaps: list[int], room: int) -> list[tuple[int, int]]:
    """The cheapest division, as (first unit, last unit + 1) of each passage. Of equal ones, the shortest last."""
    count = len(costs)
    best = [0.0] + [inf] * count
    begins = [0] * (count + 1)
    for end in range(1, count + 1):
        for begin in range(end - 1, -1, -1):
            size = tokens[end] - tokens[begin]
            # Some characters have no token, and units of nothing else would make this loop as long as the text.
            if (size > room or end - begin > room) and begin < end - 1:
                break
            cost = best[begin] + 1 + (1 - size / room) ** 2
            if begin > 0:
                cost += costs[begin]
                if overlaps[begin] < begin and tokens[end] - tokens[overlaps[begin]] > room:
                    cost += _NO_OVERLAP
            if cost < best[end]:
                best[end], begins[end] = cost, begin
    passages = []
    end = count
    while end > 0:
        passages.append((begins[end], end))
        end = begins[end]
    return passages[::-1]
