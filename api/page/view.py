"""What the templates print: answers made ready for reading, and the addresses that pages link to."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from search import Group, Highlight

from ..v1.selection import MAX_REACH
from .marking import Run, marked_runs, paragraphs
from .wording import language_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import corpus
    import search

    from ..inquiry import Found, FoundSimilar, Opened
    from ..v1.ask import SearchRequest
    from ..v1.selection import Selection
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
    """One hit as it is printed: `percent` is the score, 0 to 100, `similar` how many articles tell the same story."""

    heading: Heading
    href: str
    runs: tuple[Run, ...]
    percent: int
    similar: int
    similar_href: str
    same_story: bool = False


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
    answerable: bool
    degraded: str | None
    facets: tuple[Facet, ...]
    filtered: bool
    previous: str | None
    following: str | None
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarView:
    """One page of the articles like one. `first` and `last` count hits from 1."""

    heading: Heading
    path: str
    href: str
    hits: tuple[HitView, ...]
    total: int
    first: int
    last: int
    previous: str | None
    following: str | None


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
    similar_href: str
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
    previous, following = _neighbours(values, selected=asked, total=answer.total)
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
        previous=previous,
        following=following,
        took_ms=found.took_ms,
    )


def similar_view(
    found: FoundSimilar, *, selected: Selection, values: Mapping[str, Any], interface: Interface
) -> SimilarView:
    """Makes a page of similar articles ready for reading; the arguments are those of `results_view`."""
    similar = found.similar
    heading = _heading(similar.article, interface=interface)
    path = f"{heading.path}/similar"
    previous, following = _neighbours(values, selected=selected, total=similar.total, path=path)
    return SimilarView(
        heading=heading,
        path=path,
        href=page_address(values, path=heading.path, limit=None, offset=None),
        hits=tuple(
            replace(_hit_view(hit, values=values, interface=interface), same_story=hit.rank <= similar.same_story)
            for hit in similar.hits
        ),
        total=similar.total,
        first=selected.offset + 1,
        last=selected.offset + len(similar.hits),
        previous=previous,
        following=following,
    )


def _neighbours(
    values: Mapping[str, Any], *, selected: Selection, total: int, path: str = "/"
) -> tuple[str | None, str | None]:
    """The addresses of the pages before and after this one, None where there is none."""
    before, after = max(selected.offset - selected.limit, 0), selected.offset + selected.limit
    within = after < total and after + selected.limit <= MAX_REACH
    return (
        page_address(values, path=path, offset=before or None) if selected.offset else None,
        page_address(values, path=path, offset=after) if within else None,
    )


def article_view(
    opened: Opened, *, passage_id: str | None, values: Mapping[str, Any], interface: Interface
) -> ArticleView:
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
        similar_href=_similar_href(article.id, values=values),
        paragraphs=tuple(ready),
    )


def _hit_view(hit: search.Hit, *, values: Mapping[str, Any], interface: Interface) -> HitView:
    heading = _heading(hit.article, interface=interface)
    return HitView(
        heading=heading,
        href=f"{page_address(values, path=heading.path, passage=hit.passage.id)}#passage",
        runs=marked_runs(hit.passage.text, hit.highlights),
        percent=round(100 * min(max(hit.score, 0.0), 1.0)),
        similar=hit.similar_count,
        similar_href=_similar_href(hit.article.id, values=values),
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


def _similar_href(article_id: str, *, values: Mapping[str, Any]) -> str:
    """Its page begins anew, with the same filters."""
    return page_address(values, path=f"{_article_path(article_id)}/similar", limit=None, offset=None)


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
