"""One build at a time in an index folder."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from .errors import IndexBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "build.lock"
_HOLDER = "build.lock.json"


@contextmanager
def build_lock(index: Path) -> Iterator[None]:
    """Hold the folder's lock. The system lets go of it when the process ends, however it ends.

    Raises:
        IndexBusy: another process holds it; the message says which, and since when.
    """
    lock = FileLock(index / _LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise IndexBusy(
            f"another build is at work in {index}{_holder(index)}; wait for it to end, then run again"
        ) from error
    try:
        # Beside the lock, not in it: a process that waits for the lock empties that file.
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat("T", "seconds"),
        }
        (index / _HOLDER).write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        # Nobody reads it without the lock being held, and the work is done: no reason to fail, nor to keep the lock.
        with suppress(OSError):
            (index / _HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(index: Path) -> str:
    try:
        holder = json.loads((index / _HOLDER).read_text(encoding="utf-8"))
        return f" (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
