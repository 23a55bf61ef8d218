"""Which articles may answer, decided before anything is ranked, and what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from indexer.store import Store

    from .query import Filters

UNKNOWN = "unknown"
"""The facet value of articles without a source or a date."""


class ArticleFilter:
    """The filterable columns of a generation, as codes and what they stand for.

    What there is to choose from is counted once for all articles, and for a part of them by code.
    """

    def __init__(self, store: Store) -> None:
        self._columns = {name: store.column(name) for name in ("language", "source")}
        self._published = store.published
        self._months = _months(store.published)
        self._passage_article = store.passage_article
        self._row_of = store.article_row
        self.n_articles = store.n_articles
        self._all_facets = self._counted(None)

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
        counts = self._all_facets if articles is None else self._counted(np.flatnonzero(articles))
        return {name: dict(totals) for name, totals in counts.items()}

    def _counted(self, rows: npt.NDArray[np.intp] | None) -> dict[str, dict[str, int]]:
        counts = {name: _ranked(_totals(*column, rows=rows)) for name, column in self._columns.items()}
        return counts | {"month": dict(sorted(_totals(*self._months, rows=rows).items()))}


def _months(published: npt.NDArray[np.datetime64]) -> tuple[npt.NDArray[np.int32], list[str | None]]:
    """The month of each article as a code, and the months by code, None for no date."""
    months, codes = np.unique(published.astype("datetime64[M]"), return_inverse=True)
    values = [None if np.isnat(month) else str(month) for month in months]
    return codes.astype(np.int32), values


def _totals(
    codes: npt.NDArray[np.int32], values: list[str | None], *, rows: npt.NDArray[np.intp] | None
) -> dict[str, int]:
    """How often each value occurs, in all rows or in these; only those that do."""
    totals = np.bincount(codes if rows is None else codes[rows], minlength=len(values))
    return {values[code] or UNKNOWN: int(totals[code]) for code in np.flatnonzero(totals)}


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
