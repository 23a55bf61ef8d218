"""The noun of this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One news article, cleaned, as every later step sees it.

    `text` is NFC, paragraphs are separated by one blank line, and every offset in the project counts
    code points of this string. `language` is ISO 639-1 ("id", "en", "ms", ...) or "und" when the text is
    too short or strange to tell. `digest` names the raw record this article was made from (SHA-256, hex,
    over its fields and the version of the cleaning rules): an equal digest means an equal article.
    """

    id: str
    title: str
    text: str
    url: str | None
    source: str | None
    author: str | None
    published: date | None
    language: str
    digest: str
