"""From a question to ranked hits.

A `Query` and an open generation enter; an `Answer` leaves, a page of `Hit`s with what to highlight in each.
Evaluation over published sets is here too. Nothing here knows HTTP or HTML.
"""

from .errors import BadEvaluationSet, BadQuery, SearchError
from .hit import Answer, Highlight, Hit, Scores
from .query import Filters, Group, Mode, Query
from .searcher import IndexInfo, Searcher, open_searcher

__all__ = [
    "Answer",
    "BadEvaluationSet",
    "BadQuery",
    "Filters",
    "Group",
    "Highlight",
    "Hit",
    "IndexInfo",
    "Mode",
    "Query",
    "Scores",
    "SearchError",
    "Searcher",
    "open_searcher",
]
