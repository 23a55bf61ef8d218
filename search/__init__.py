"""From a question to ranked hits.

A `Query` and an open generation enter; an `Answer` leaves, a page of `Hit`s with what to highlight in each.
Evaluation over published sets is here too. Nothing here knows HTTP or HTML.
"""

from .arithmetic import bound_arithmetic
from .calibration import ANSWERABLE
from .errors import BadEvaluationSet, BadQuery, PlotUnavailable, SearchError, UnknownArticle, UnknownQuestion
from .examples import draw_examples
from .explanation import Explanation
from .hit import Answer, Highlight, Hit, Scores, Similar
from .opening import Opener, open_searcher
from .query import Filters, Group, Mode, Query
from .question_memory import REMEMBERED_QUESTIONS
from .searcher import IndexInfo, Searcher
from .timings import Lap, Stage, Timings

__all__ = [
    "ANSWERABLE",
    "REMEMBERED_QUESTIONS",
    "Answer",
    "BadEvaluationSet",
    "BadQuery",
    "Explanation",
    "Filters",
    "Group",
    "Highlight",
    "Hit",
    "IndexInfo",
    "Lap",
    "Mode",
    "Opener",
    "PlotUnavailable",
    "Query",
    "Scores",
    "SearchError",
    "Searcher",
    "Similar",
    "Stage",
    "Timings",
    "UnknownArticle",
    "UnknownQuestion",
    "bound_arithmetic",
    "draw_examples",
    "open_searcher",
]
