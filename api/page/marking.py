"""Marking stretches of a text without writing HTML: offsets in, plain segments out.

Stretches may overlap, touch, nest, run past the end or come in any order; joined again, the segments are
always exactly the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from search import Highlight


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text that is emphasised as one, or not at all."""

    text: str
    term: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Segments that stand together inside a marked sentence, or outside of one."""

    segments: tuple[Segment, ...]
    marked: bool


def marked_runs(text: str, highlights: Iterable[Highlight], *, start: int = 0) -> tuple[Run, ...]:
    """Cuts a text at the borders of its highlights.

    Args:
        text: the text, or a piece of it.
        highlights: offsets in code points, counted in the text that the piece was cut from.
        start: where the piece begins in that text.
    """
    spans: list[tuple[int, int, str]] = [
        (max(one.start - start, 0), min(one.end - start, len(text)), one.kind)
        for one in highlights
        if one.start < start + len(text) and one.end > max(start, one.start)
    ]
    borders = sorted({0, len(text), *(at for begin, end, _ in spans for at in (begin, end))})
    pieces = [(begin, end, _kinds(begin, end, spans)) for begin, end in pairwise(borders)]
    return tuple(
        Run(
            segments=tuple(
                Segment("".join(text[begin:end] for begin, end, _ in together), term=term)
                for term, together in groupby(run, key=lambda piece: "term" in piece[2])
            ),
            marked=marked,
        )
        for marked, run in groupby(pieces, key=lambda piece: "sentence" in piece[2])
    )


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Each paragraph of an article with the offset at which it begins."""
    at = 0
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            yield at, paragraph
        at += len(paragraph) + 2


def _kinds(begin: int, end: int, spans: list[tuple[int, int, str]]) -> frozenset[str]:
    return frozenset(kind for first, last, kind in spans if first <= begin and end <= last)
