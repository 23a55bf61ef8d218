"""Everything that can go wrong before an article exists.

CorpusError
├── PathError          a PATH argument is missing, unreadable, or holds no article file: the caller must act
└── BadRecordError     one record cannot become an article: read_articles turns it into a Rejection
"""

from __future__ import annotations


class CorpusError(Exception):
    """The root of this package's errors; its message says what was found, what was expected, and what next."""


class PathError(CorpusError):
    """A PATH argument cannot be read, or no article file stands under it."""


class BadRecordError(CorpusError):
    """A record that cannot become an article; the message is the reason, without the place."""
