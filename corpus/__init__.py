"""What enters: files of news, in text, Markdown, HTML, JSON lines, CSV or parquet, each also gzipped.
What leaves: `Article`s, cleaned, with the metadata that could be found, and a `Rejection` for each bad record.
What is not done here: nothing is split into passages, embedded or ranked.
"""

from __future__ import annotations

from .article import Article
from .errors import BadRecordError, CorpusError, PathError
from .language import LanguageGuess, detect_query_language
from .reading import read_articles
from .rejection import Rejection

__all__ = [
    "Article",
    "BadRecordError",
    "CorpusError",
    "LanguageGuess",
    "PathError",
    "Rejection",
    "detect_query_language",
    "read_articles",
]
