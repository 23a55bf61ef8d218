"""One process at a time changes an index folder."""

from __future__ import annotations

import errno
import json
import os
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from .errors import IndexBusy, IndexNotWritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "build.lock"
_HOLDER = "build.lock.json"
# A rollback is over by then, and whoever has just taken the lock has written its name.
_PATIENCE_S = 1.0
_POLL_S = 0.05


@contextmanager
def build_lock(index: Path, *, work: str = "build") -> Iterator[None]:
    """Hold the folder's lock. The system lets go of it when the process ends, however it ends.

    Args:
        index: The folder, which exists.
        work: What is done meanwhile, for the message that others get.

    Raises:
        IndexBusy: another process holds it; the message says which, at what, and since when.
        IndexNotWritable: the file system has no such locks.
    """
    # Not the library's way around that, a file that stays when its owner is killed: no process number and no
    # host's name tells whether an owner still lives.
    lock = FileLock(index / _LOCK, fallback_to_soft=False)
    try:
        lock.acquire(timeout=_PATIENCE_S, poll_interval=_POLL_S)
    except Timeout as error:
        raise _busy(index) from error
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        raise IndexNotWritable(
            f"the file system of {index} cannot lock files ({error}), so that two builds could mix; keep the index "
            "on one that can, such as a local disk"
        ) from error
    try:
        # For people: who holds the lock is never decided by what stands here.
        holder = {
            "work": work,
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


def _busy(index: Path) -> IndexBusy:
    try:
        holder = json.loads((index / _HOLDER).read_text(encoding="utf-8"))
        work, named = holder["work"], f" (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        work, named = "build", ""
    return IndexBusy(f"another {work} is at work in {index}{named}; wait for it to end, then run again")
