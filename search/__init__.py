"""From a question to ranked hits.

A `Query` and an open generation enter; an `Answer` leaves, a page of `Hit`s with what to highlight in each.
Evaluation over published sets is here too. Nothing here knows HTTP or HTML.
"""

from .errors import BadEvaluationSet, BadQuery, PlotUnavailable, SearchError, UnknownArticle, UnknownQuestion
from .explanation import Explanation
from .hit import Answer, Highlight, Hit, Scores, Similar
from .query import Filters, Group, Mode, Query
from .searcher import IndexInfo, Searcher, open_searcher

__all__ = [
    "Answer",
    "BadEvaluationSet",
    "BadQuery",
    "Explanation",
    "Filters",
    "Group",
    "Highlight",
    "Hit",
    "IndexInfo",
    "Mode",
    "PlotUnavailable",
    "Query",
    "Scores",
    "SearchError",
    "Searcher",
    "Similar",
    "UnknownArticle",
    "UnknownQuestion",
    "open_searcher",
]
