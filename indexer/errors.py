"""What can go wrong here.

IndexerError
├── ModelError        a model that cannot be found, read, prepared or run
│   └── EncoderFailed an open model that failed at its work
├── IndexNotFound     no generation is live in the folder
├── IndexDamaged      a file is missing, short or altered
├── IndexMismatch     made by another format version, model or dimension
├── IndexBusy         another build or rollback holds the lock
└── IndexNotWritable  the disk refuses: space, permission, read-only
"""

from __future__ import annotations


class IndexerError(Exception):
    """Base of this package's errors. The message says what, what was expected and what to run next."""


class ModelError(IndexerError):
    """A model cannot be found, read, prepared or run."""


class EncoderFailed(ModelError):  # noqa: N818 - it reads as what happened
    """A model that was open failed at embedding; it may work another time."""


class IndexNotFound(IndexerError):  # noqa: N818
    """No generation is live in the folder."""


class IndexDamaged(IndexerError):  # noqa: N818
    """A file of a generation is missing, short or altered."""


class IndexMismatch(IndexerError):  # noqa: N818
    """An index of another format version, model or dimension."""


class IndexBusy(IndexerError):  # noqa: N818
    """Another build or rollback holds the lock."""


class IndexNotWritable(IndexerError):  # noqa: N818
    """The disk refused a write: no space, no permission, read-only."""
