"""Questions to begin with, drawn from the index itself: what it says, it can be asked."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from indexer import split_sentences

from .query import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corpus import Article

    from .hit import Answer

LANGUAGES = ("en", "id")
_ARTICLES_READ = 400
_FEWEST_CHARS, _MOST_CHARS = 20, 120
_MOST_ASKED = 6
"""Candidates of one language that are searched for at most."""

_ASKING = re.compile(
    r"(?i)(apa|apakah|siapa|siapakah|mengapa|kenapa|bagaimana|kapan|di mana|dari mana|ke mana|berapa|"
    r"what|who|whose|why|how|when|where|which|can|could|does|do|did|is|are|will)\b"
)
# Words that point at a sentence before this one, which whoever reads an example has not read.
_POINTING = re.compile(
    r"(?i)\b(he|she|they|it|him|her|them|his|its|their|this|that|these|those|we|our|you|your|i|my|"
    r"ia|dia|mereka|beliau|ini|(?<!apa )itu|tersebut|kami|kita|anda|saya|begitu)\b"
)


class Drawable(Protocol):
    """What questions are drawn from: a searcher."""

    def drawn(self, *, most: int) -> list[Article]:
        """Articles, always the same ones."""

    def search(self, query: Query) -> Answer:
        """Answers a query."""


def draw_examples(searcher: Drawable, *, most: int = 2) -> dict[str, tuple[str, ...]]:
    """Questions that the index answers, by language; the same ones for the same index.

    Questions of articles come first, in titles before texts, then titles that read like one, then any title. No two
    come from one article. A dozen searches are made at most.

    Args:
        searcher: Of the index.
        most: How many questions of a language.

    Raises:
        SearchError: the index cannot be searched.
    """
    articles = searcher.drawn(most=_ARTICLES_READ)
    examples: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        kept: list[str] = []
        for candidate in _candidates([one for one in articles if one.language == language])[:_MOST_ASKED]:
            if len(kept) < most and searcher.search(Query(text=candidate, limit=1)).answerable:
                kept.append(candidate)
        if kept:
            examples[language] = tuple(kept)
    return examples


def _candidates(articles: Iterable[Article]) -> list[str]:
    """One of each article, the best kinds first."""
    ranked: list[tuple[int, str]] = []
    for article in articles:
        title = article.title.strip()
        found = next(_questions(article), None)
        if title.endswith("?") and _fits(title):
            ranked.append((0, title))
        elif found is not None:
            ranked.append((1, found))
        elif _fits(title):
            ranked.append((2 if _ASKING.match(title) else 3, title))
    return list(dict.fromkeys(text for _, text in sorted(ranked, key=lambda pair: pair[0])))


def _questions(article: Article) -> Iterator[str]:
    """Sentences that ask, and that can be understood where they stand alone."""
    sentences = (article.text[start:end].strip() for start, end in split_sentences(article.text))
    lines = chain.from_iterable(sentence.splitlines() for sentence in sentences if "?" in sentence)
    return (line for line in lines if line.endswith("?") and _ASKING.match(line) and _fits(line))


def _fits(text: str) -> bool:
    return _FEWEST_CHARS <= len(text) <= _MOST_CHARS and not _POINTING.search(text)
