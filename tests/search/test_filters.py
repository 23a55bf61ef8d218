from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from corpus import Article
from indexer import Passage
from indexer.store import Store, StoreWriter
from search import Filters
from search.filters import ArticleFilter

if TYPE_CHECKING:
    from pathlib import Path


def article(key: str, *, language: str, source: str | None, published: date | None) -> Article:
    return Article(
        id=key,
        title="",
        text="Sebuah kalimat.",
        url=None,
        source=source,
        author=None,
        published=published,
        language=language,
        digest=key,
    )


ARTICLES = (
    article("a", language="id", source="Muara", published=date(2026, 1, 31)),
    article("b", language="en", source="Muara", published=date(2026, 2, 1)),
    article("c", language="id", source="Harbour", published=date(2026, 2, 28)),
    article("d", language="ms", source=None, published=None),
)


@pytest.fixture
def narrow(tmp_path: Path) -> ArticleFilter:
    with StoreWriter(tmp_path) as writer:
        for place, one in enumerate(ARTICLES):
            # As many passages as the article's place: 0, 1, 2, 3.
            passages = [Passage(f"{one.id}#{number}", one.id, "S", number, number + 1) for number in range(place)]
            writer.add(one, passages)
    return ArticleFilter(Store(tmp_path))


def passing(narrow: ArticleFilter, filters: Filters) -> str:
    mask = narrow.articles(filters)
    assert mask is not None
    return "".join(one.id for one, passes in zip(ARTICLES, mask, strict=True) if passes)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(languages=frozenset({"id"})), "ac"),
        (Filters(languages=frozenset({"en", "ms"})), "bd"),
        (Filters(languages=frozenset({"fr"})), ""),
        (Filters(languages=frozenset({"id", "fr"})), "ac"),
        (Filters(sources=frozenset({"Muara"})), "ab"),
        (Filters(sources=frozenset({"muara"})), ""),
        (Filters(sources=frozenset({""})), ""),
        (Filters(published_from=date(2026, 2, 1)), "bc"),
        (Filters(published_to=date(2026, 2, 1)), "ab"),
        (Filters(published_from=date(2026, 2, 1), published_to=date(2026, 2, 1)), "b"),
        (Filters(published_from=date(2026, 2, 2), published_to=date(2026, 2, 1)), ""),
        (Filters(published_from=date.min), "abc"),
        (Filters(published_to=date.max), "abc"),
        (Filters(languages=frozenset({"id"}), sources=frozenset({"Muara"})), "a"),
        (Filters(languages=frozenset({"id"}), published_from=date(2026, 2, 1)), "c"),
        (Filters(article="b"), "b"),
        (Filters(article="B"), ""),
        (Filters(article="b", languages=frozenset({"id"})), ""),
    ],
)
def test_filters_are_combined_and_dates_are_inclusive(narrow: ArticleFilter, filters: Filters, expected: str) -> None:
    assert passing(narrow, filters) == expected


def test_no_filter_lets_all_through_without_a_mask(narrow: ArticleFilter) -> None:
    assert narrow.articles(Filters()) is None


def test_passages_follow_their_articles(narrow: ArticleFilter) -> None:
    allowed = narrow.passages(np.array([True, False, True, False]))

    assert allowed.tolist() == [False, True, True, False, False, False]


def test_facets_count_articles_and_name_what_is_unknown(narrow: ArticleFilter) -> None:
    facets = narrow.facets(None)

    assert facets == {
        "language": {"id": 2, "en": 1, "ms": 1},
        "source": {"Muara": 2, "Harbour": 1, "unknown": 1},
        "month": {"2026-01": 1, "2026-02": 2, "unknown": 1},
    }
    assert list(facets["language"]) == ["id", "en", "ms"]
    assert list(facets["month"]) == ["2026-01", "2026-02", "unknown"]


def test_facets_of_a_part_leave_out_what_is_not_there(narrow: ArticleFilter) -> None:
    assert narrow.facets(np.array([False, False, False, True])) == {
        "language": {"ms": 1},
        "source": {"unknown": 1},
        "month": {"unknown": 1},
    }
    assert narrow.facets(np.zeros(4, bool)) == {"language": {}, "source": {}, "month": {}}
