"""Vectors that were computed before, by model and exact text, so that unchanged text is never embedded again.

A cache may be lost at no cost but time: whatever cannot be read is dropped and computed anew.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from .token_store import RECORD, record_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from .encoder import ModelCard, Rows
    from .token_store import Packed

CACHE_FILE = "vectors.sqlite"

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, sum INTEGER, content BLOB) WITHOUT ROWID"
# SQLite's limit on variables in one statement is 32,766 since 3.32; a few hundred is as fast.
_LOOKUP = 500


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the index keeps of one passage: `vector` (dim,) float32, unit length, and its packed tokens."""

    vector: Rows
    tokens: Packed


class VectorCache:
    """One SQLite file in `folder`. A context manager; used by one build at a time.

    Raises:
        OSError: the disk refuses the folder or the file.
    """

    def __init__(self, folder: Path, *, card: ModelCard) -> None:
        self._path = folder / CACHE_FILE
        # Vectors kept by a version with other records are not found, and forgotten when most are.
        self._model = f"{card.fingerprint} {RECORD}".encode()
        self._dim = card.dim
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
        except sqlite3.Error as error:
            raise _refused(self._path, error) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return _open(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not self._is_of_the_file(error):
                raise
            self._drop()
            return _open(self._path)

    def _is_of_the_file(self, error: sqlite3.OperationalError) -> bool:
        """Whether the file's content is to blame: a table of another shape, or a header that forbids to write."""
        forbidden = error.sqlite_errorcode == sqlite3.SQLITE_READONLY and os.access(self._path, os.W_OK)
        return forbidden or error.sqlite_errorcode == sqlite3.SQLITE_ERROR

    def _drop(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def key(self, text: str) -> bytes:
        """The name of a text's vector: SHA-256 of the model's fingerprint, the kind of its records and the text."""
        return hashlib.sha256(self._model + b"\0" + text.encode()).digest()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Embedded]:
        """What is known of these texts. What was altered on disk counts as unknown."""
        found: dict[bytes, Embedded] = {}
        try:
            for at in range(0, len(keys), _LOOKUP):
                some = keys[at : at + _LOOKUP]
                marks = ",".join("?" * len(some))
                # Only "?" marks are put into the statement.
                rows = self._connection.execute(
                    f"SELECT key, sum, content FROM vectors WHERE key IN ({marks})",  # noqa: S608
                    some,
                )
                for key, checksum, content in rows:
                    # A damaged page may give values of any kind.
                    blobs = isinstance(key, bytes) and isinstance(content, bytes)
                    if blobs and checksum == _checksum(key, content) and len(content) >= 4 * self._dim:
                        found[key] = self._read(content)
        except sqlite3.DatabaseError:
            self._restart()
        return found

    def _read(self, content: bytes) -> Embedded:
        vector = np.frombuffer(content, np.float32, self._dim)
        return Embedded(vector, np.frombuffer(content, record_type(self._dim), offset=vector.nbytes))

    def put(self, entries: Mapping[bytes, Embedded]) -> None:
        """Keep these, all or none of them, on disk when this returns.

        Raises:
            OSError: the disk refuses.
        """
        rows = []
        for key, entry in entries.items():
            content = entry.vector.astype(np.float32).tobytes() + entry.tokens.tobytes()
            rows.append((key, _checksum(key, content), content))
        try:
            self._insert(rows)
        except sqlite3.OperationalError as error:
            raise _refused(self._path, error) from error
        except sqlite3.DatabaseError:
            self._restart()
            try:
                self._insert(rows)
            except sqlite3.Error as error:
                raise _refused(self._path, error) from error

    def _insert(self, rows: list[tuple[bytes, int, bytes]]) -> None:
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _restart(self) -> None:
        self._connection.close()
        self._drop()
        try:
            self._connection = _open(self._path)
        except sqlite3.Error as error:
            raise _refused(self._path, error) from error

    def prune(self, keep: Iterable[bytes]) -> None:
        """Forget other vectors than these, once they are more than half of all."""
        wanted = set(keep)
        # Only room is lost when it fails: what is left over is never returned for another text.
        with suppress(sqlite3.DatabaseError):
            (total,) = self._connection.execute("SELECT count(*) FROM vectors").fetchone()
            if total <= 2 * len(wanted):
                return
            with self._connection:
                known = self._connection.execute("SELECT key FROM vectors").fetchall()
                stale = [row for row in known if row[0] not in wanted]
                self._connection.executemany("DELETE FROM vectors WHERE key = ?", stale)
            self._connection.execute("VACUUM")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    # Used by one thread at a time, which need not be the one that opened it.
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # A commit must survive a killed process at once; the write-ahead log makes that one append.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
        with closing(connection.execute("SELECT key, sum, content FROM vectors LIMIT 1")) as probe:
            probe.fetchone()
        with connection:  # raises where nothing can be written
            connection.execute("DELETE FROM vectors WHERE 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _checksum(key: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(key))


def _refused(path: Path, error: sqlite3.Error) -> OSError:
    """What the disk said, as the system would have said it: whoever builds knows what to do then."""
    # subtle: the second is of the index of its log, which SQLite makes room for before it maps it.
    full = getattr(error, "sqlite_errorcode", None) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
    return OSError(errno.ENOSPC if full else errno.EIO, f"the embedding cache: {error}", str(path))
