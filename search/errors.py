"""What can go wrong here.

SearchError
├── BadQuery           the question or a setting of it cannot be answered; the caller must change it
├── UnknownArticle     the index holds no article of that id
├── BadEvaluationSet   a folder is not an evaluation set in BEIR layout
├── UnknownQuestion    an evaluation set has no question of this id
└── PlotUnavailable    the library that draws is not installed
"""

from __future__ import annotations


class SearchError(Exception):
    """Base of this package's errors. The message says what, what was expected and what to do next."""


class BadQuery(SearchError):  # noqa: N818 - it reads as what happened
    """The question, or a setting of it, cannot be answered."""


class UnknownArticle(SearchError):  # noqa: N818
    """The index holds no article of that id."""


class BadEvaluationSet(SearchError):  # noqa: N818
    """A folder is not an evaluation set in BEIR layout."""


class UnknownQuestion(SearchError):  # noqa: N818
    """An evaluation set has no question of this id."""


class PlotUnavailable(SearchError):  # noqa: N818
    """The library that draws is not installed."""
