"""What the templates print: answers made ready for reading, and the addresses that pages link to."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from search import Group, Highlight

from .ask import MAX_REACH
from .marking import Run, marked_runs, paragraphs
from .wording import language_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import corpus
    import search

    from .ask import SearchRequest
    from .inquiry import Found, Opened
    from .wording import Interface

_MAX_CHOICES = 12
_TITLE_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above a passage or a text: where it is from."""

    title: str
    path: str
    url: str | None
    source: str | None
    author: str | None
    published: date | None
    language: str
    language_name: str
    foreign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """One hit as it is printed. `percent` is the score, 0 to 100."""

    heading: Heading
    href: str
    runs: tuple[Run, ...]
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a facet; following `href` selects it, or lets it go when it is selected."""

    label: str
    count: int
    href: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A filter with its values; `clear` is the address without it."""

    name: str
    choices: tuple[Choice, ...]
    clear: str
    any_selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """One page of results. `first` and `last` count hits from 1."""

    hits: tuple[HitView, ...]
    total: int
    first: int
    last: int
    by_article: bool
    truncated: bool
    answerable: bool | None
    degraded: str | None
    facets: tuple[Facet, ...]
    filtered: bool
    previous: str | None
    following: str | None
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of an article; `begins_passage` on the one to scroll to."""

    runs: tuple[Run, ...]
    begins_passage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleView:
    """An article as it is printed."""

    heading: Heading
    path: str
    paragraphs: tuple[Paragraph, ...]


def page_address(values: Mapping[str, Any], *, path: str = "/", **changes: object) -> str:
    """The address of a page: these parameters with some changed, None leaving one out."""
    kept = {name: value for name, value in {**values, **changes}.items() if value not in (None, "", [])}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path


def results_view(found: Found, *, asked: SearchRequest, values: Mapping[str, Any], interface: Interface) -> ResultsView:
    """Makes an answer ready for reading.

    Args:
        found: the answer.
        asked: the question as it was validated.
        values: the address's own parameters, for links that change one of them.
        interface: the language around the results.
    """
    answer = found.answer
    after = asked.offset + asked.limit
    before = max(asked.offset - asked.limit, 0)
    return ResultsView(
        hits=tuple(_hit_view(hit, values=values, interface=interface) for hit in answer.hits),
        total=answer.total,
        first=asked.offset + 1,
        last=asked.offset + len(answer.hits),
        by_article=asked.group is Group.ARTICLE,
        truncated=answer.truncated,
        answerable=answer.answerable,
        degraded=answer.degraded,
        facets=(
            _facet(
                "lang",
                answer.facets.get("language", {}),
                chosen=asked.lang,
                values=values,
                interface=interface,
            ),
            _facet("source", answer.facets.get("source", {}), chosen=asked.source, values=values, interface=None),
        ),
        filtered=bool(asked.lang or asked.source or asked.published_from or asked.published_to),
        previous=page_address(values, offset=before or None) if asked.offset else None,
        following=(
            page_address(values, offset=after) if after < answer.total and after + asked.limit <= MAX_REACH else None
        ),
        took_ms=found.took_ms,
    )


def article_view(opened: Opened, *, passage_id: str | None, interface: Interface) -> ArticleView:
    """Makes an article ready for reading, one of its passages marked."""
    article = opened.article
    marks = [
        Highlight(passage.start, passage.end, "sentence") for passage in opened.passages if passage.id == passage_id
    ]
    ready: list[Paragraph] = []
    seen = False
    for start, text in paragraphs(article.text):
        runs = marked_runs(text, marks, start=start)
        marked = any(run.marked for run in runs)
        ready.append(Paragraph(runs=runs, begins_passage=marked and not seen))
        seen = seen or marked
    return ArticleView(
        heading=_heading(article, interface=interface),
        path=_article_path(article.id),
        paragraphs=tuple(ready),
    )


def _hit_view(hit: search.Hit, *, values: Mapping[str, Any], interface: Interface) -> HitView:
    heading = _heading(hit.article, interface=interface)
    return HitView(
        heading=heading,
        href=f"{page_address(values, path=heading.path, passage=hit.passage.id)}#passage",
        runs=marked_runs(hit.passage.text, hit.highlights),
        percent=round(100 * min(max(hit.score, 0.0), 1.0)),
    )


def _heading(article: corpus.Article, *, interface: Interface) -> Heading:
    return Heading(
        title=article.title.strip() or textwrap.shorten(article.text, _TITLE_CHARS, placeholder="…") or article.id,
        path=_article_path(article.id),
        url=_web_address(article.url),
        source=article.source,
        author=article.author,
        published=article.published,
        language=article.language,
        language_name=language_name(article.language, interface=interface),
        foreign=article.language != interface,
    )


def _article_path(article_id: str) -> str:
    return f"/articles/{quote(article_id, safe='', errors='replace')}"


def _web_address(url: str | None) -> str | None:
    """The address if it leads to the web; a javascript: or data: one is never linked."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def _facet(
    name: str,
    counts: Mapping[str, int],
    *,
    chosen: list[str],
    values: Mapping[str, Any],
    interface: Interface | None,
) -> Facet:
    """Args: interface: names the values as languages in it; None prints them as they are."""
    known = {value: counts.get(value, 0) for value in (*chosen, *counts)}
    ordered = sorted(known, key=lambda value: (value not in chosen, -known[value], value))[:_MAX_CHOICES]
    return Facet(
        name=name,
        choices=tuple(
            Choice(
                label=language_name(value, interface=interface) if interface else value,
                count=known[value],
                href=page_address(
                    {**values, name: [one for one in chosen if one != value] if value in chosen else [value]},
                    offset=None,
                ),
                selected=value in chosen,
            )
            for value in ordered
        ),
        clear=page_address({**values, name: None}, offset=None),
        any_selected=bool(chosen),
    )
