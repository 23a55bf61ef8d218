"""Which articles may answer, decided before anything is ranked, and what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from indexer.store import Store

    from .query import Filters

UNKNOWN = "unknown"
"""The facet value of articles without a source or a date."""


class ArticleFilter:
    """The filterable columns of a generation, decoded once."""

    def __init__(self, store: Store) -> None:
        self._columns = {name: store.column(name) for name in ("language", "source")}
        self._published = store.published
        months, month = np.unique(store.published.astype("datetime64[M]"), return_inverse=True)
        # In the order of time, for the facet; those without a date come last.
        self._months = [UNKNOWN if np.isnat(one) else str(one) for one in months]
        self._month = month
        self._passage_article = store.passage_article
        self._row_of = store.article_row
        self.n_articles = store.n_articles
        self._of_all = self._counted(None)

    def articles(self, filters: Filters) -> npt.NDArray[np.bool_] | None:
        """Which articles pass, (articles,) bool, or None when all do. An article without a date passes no range."""
        masks = [
            self._one_of("language", filters.languages),
            self._one_of("source", filters.sources),
            None if filters.published_from is None else self._published >= np.datetime64(filters.published_from),
            None if filters.published_to is None else self._published <= np.datetime64(filters.published_to),
            None if filters.article is None else self._only(filters.article),
        ]
        given = [mask for mask in masks if mask is not None]
        return np.logical_and.reduce(given) if given else None

    def _one_of(self, name: str, wanted: frozenset[str]) -> npt.NDArray[np.bool_] | None:
        if not wanted:
            return None
        codes, values = self._columns[name]
        passing = np.array([value in wanted for value in values], bool)
        return passing[codes]

    def _only(self, article_id: str) -> npt.NDArray[np.bool_]:
        mask = np.zeros(self.n_articles, bool)
        row = self._row_of(article_id)
        if row is not None:
            mask[row] = True
        return mask

    def passages(self, articles: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which passages stand in those articles, (passages,) bool."""
        return articles[self._passage_article]

    def facets(self, articles: npt.NDArray[np.bool_] | None) -> dict[str, dict[str, int]]:
        """How many of those articles there are by language, source and month, most first."""
        # Most questions are asked without a filter.
        if articles is None:
            return {name: dict(counts) for name, counts in self._of_all.items()}
        return self._counted(articles)

    def _counted(self, articles: npt.NDArray[np.bool_] | None) -> dict[str, dict[str, int]]:
        found = {
            name: _ranked(_counts(codes, values, articles=articles)) for name, (codes, values) in self._columns.items()
        }
        return found | {"month": _counts(self._month, self._months, articles=articles)}


def _counts(
    codes: npt.NDArray[np.integer], values: Sequence[str | None], *, articles: npt.NDArray[np.bool_] | None
) -> dict[str, int]:
    totals = np.bincount(codes if articles is None else codes[articles], minlength=len(values))
    return {values[code] or UNKNOWN: int(totals[code]) for code in np.flatnonzero(totals).tolist()}


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
