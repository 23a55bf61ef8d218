"""What stands above a passage or a text: where it is from."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .address import article_path, web_address
from .wording import language_name

if TYPE_CHECKING:
    from datetime import date

    from corpus import Article

    from .wording import Interface

_TITLE_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Where an article is from; `foreign` when its language is not that of the interface."""

    title: str
    path: str
    url: str | None
    source: str | None
    author: str | None
    published: date | None
    language: str
    language_name: str
    foreign: bool


def heading_of(article: Article, *, interface: Interface) -> Heading:
    """Makes an article's particulars ready for reading; one without a title is headed by its first words."""
    return Heading(
        title=article.title.strip() or textwrap.shorten(article.text, _TITLE_CHARS, placeholder="…") or article.id,
        path=article_path(article.id),
        url=web_address(article.url),
        source=article.source,
        author=article.author,
        published=article.published,
        language=article.language,
        language_name=language_name(article.language, interface=interface),
        foreign=article.language != interface,
    )
