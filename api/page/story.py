"""An article as it is printed, with the passages of it that answer the reader's question."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search import ANSWERABLE, Highlight

from .address import article_path, page_address, similar_address
from .heading import Heading, heading_of
from .hits import percent_of
from .marking import Run, marked_runs, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from search import Hit

    from ..inquiry import Opened
    from .wording import Interface

_MAX_MATCHES = 6
_EXCERPT_CHARS = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of an article; `begins_passage` on the one to scroll to."""

    runs: tuple[Run, ...]
    begins_passage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A passage of the article that probably answers: its best sentence, and where to see it in place."""

    excerpt: str
    percent: int
    href: str
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleView:
    """An article as it is printed; `matches` is empty without a question, and where only one passage answers it."""

    heading: Heading
    path: str
    similar_href: str
    paragraphs: tuple[Paragraph, ...]
    matches: tuple[Match, ...]


def article_view(
    opened: Opened,
    *,
    passage_id: str | None,
    hits: tuple[Hit, ...],
    values: Mapping[str, Any],
    interface: Interface,
) -> ArticleView:
    """Makes an article ready for reading, one of its passages marked.

    Args:
        opened: the article.
        passage_id: of the passage to mark; None, or one that the article does not have, marks nothing.
        hits: the article's own passages, ranked for the reader's question.
        values: the parameters of the address, which the pages linked to keep.
        interface: the language around the article.
    """
    article = opened.article
    path = article_path(article.id)
    likely = [hit for hit in hits if hit.score >= ANSWERABLE or hit.passage.id == passage_id][:_MAX_MATCHES]
    return ArticleView(
        heading=heading_of(article, interface=interface),
        path=path,
        similar_href=similar_address(article.id, values=values),
        paragraphs=tuple(_paragraphs(opened, passage_id=passage_id)),
        matches=tuple(
            Match(
                excerpt=_excerpt(hit),
                percent=percent_of(hit),
                href=f"{page_address(values, path=path, passage=hit.passage.id)}#passage",
                shown=hit.passage.id == passage_id,
            )
            for hit in likely
        )
        if len(likely) > 1
        else (),
    )


def _paragraphs(opened: Opened, *, passage_id: str | None) -> Iterator[Paragraph]:
    marks = [Highlight(one.start, one.end, "sentence") for one in opened.passages if one.id == passage_id]
    seen = False
    for start, text in paragraphs(opened.article.text):
        runs = marked_runs(text, marks, start=start)
        marked = any(run.marked for run in runs)
        yield Paragraph(runs=runs, begins_passage=marked and not seen)
        seen = seen or marked


def _excerpt(hit: Hit) -> str:
    """The best sentence, else how the passage begins, cut where it is long."""
    best = next((one for one in hit.highlights if one.kind == "sentence"), Highlight(0, _EXCERPT_CHARS * 2, "sentence"))
    return textwrap.shorten(hit.passage.text[best.start : best.end], _EXCERPT_CHARS, placeholder="…")
