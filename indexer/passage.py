"""The noun of this package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one article: what is embedded, ranked and shown.

    Invariant: `passage.text == article.text[passage.start:passage.end]`. `id` is the article's id, "#" and
    the passage's place in the article, from 0.
    """

    id: str
    article_id: str
    text: str
    start: int
    end: int
