"""What counts as one hit: the articles of one story stand together, the best ranked for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .calibration import ANSWERABLE

if TYPE_CHECKING:
    import numpy.typing as npt

    from indexer import Stories

    from .ranking import Ranking


def first_of_each(groups: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """The places where each group is met first, in order: of (3, 1, 3, 2, 1) they are 0, 1, 3."""
    _, first = np.unique(groups, return_index=True)
    return np.sort(first)


def similar_count(row: int, *, stories: Stories, passing: npt.NDArray[np.bool_] | None) -> int:
    """How many other articles of the story of the article of this row pass the filters.

    Args:
        row: Of an article that passes them.
        stories: Of all articles.
        passing: (articles,) bool, or None when all pass.
    """
    rows = stories.articles(row)
    return (len(rows) if passing is None else int(np.count_nonzero(passing[rows]))) - 1


def more_counts(shown: Ranking, *, whole: Ranking, article_of: npt.NDArray[np.integer]) -> list[int]:
    """For each hit, how many other passages of its article probably answer.

    Args:
        shown: The hits of a page.
        whole: The ranking they were taken from, before anything was grouped.
        article_of: (passages,) the article row of each passage.
    """
    likely = whole.rows[whole.scores >= ANSWERABLE]
    articles = article_of[likely]
    return [int(np.count_nonzero((articles == article_of[row]) & (likely != row))) for row in shown.rows]
