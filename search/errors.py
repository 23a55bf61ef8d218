"""What can go wrong here.

SearchError
├── BadQuery           the question or a setting of it cannot be answered; the caller must change it
└── BadEvaluationSet   a folder is not an evaluation set in BEIR layout
"""

from __future__ import annotations


class SearchError(Exception):
    """Base of this package's errors. The message says what, what was expected and what to do next."""


class BadQuery(SearchError):  # noqa: N818 - it reads as what happened
    """The question, or a setting of it, cannot be answered."""


class BadEvaluationSet(SearchError):  # noqa: N818
    """A folder is not an evaluation set in BEIR layout."""
