"""How generations come to be live, and how they go."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .current import (
    CURRENT,
    GENERATIONS,
    LAST,
    current_generation,
    generation_folder,
    generation_names,
    live_or_last,
    not_a_file,
)
from .errors import IndexDamaged, IndexMismatch, IndexNotFound, IndexNotWritable
from .generation import Generation, built_at, name_of, verify
from .lock import build_lock
from .manifest import MANIFEST_FILE, each_file

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from .manifest import Manifest

WORK = ".building"
"""Where a build writes what will be a generation."""

_FRESH = f".{CURRENT}.new"
_REMOVED = ".removed"


def publish(work: Path, *, index: Path, manifest: Manifest, links: Container[str] = ()) -> str:
    """Make the finished folder `work` a generation and the live one; returns its name.

    Everything is on disk before `CURRENT` changes, and that change is one rename: whoever reads it finds the
    old generation or the new, whole.

    Args:
        work: The folder.
        index: Where it is to be live.
        manifest: Of all its files, as they were read back.
        links: Names of files of an earlier generation, which are on disk already.

    Raises:
        OSError: the disk refuses; `CURRENT` is as it was.
        IndexDamaged: what was written does not read back; `CURRENT` is as it was.
    """
    (work / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    each_file(lambda name: _sync(work / name), [path.name for path in work.iterdir() if path.name not in links])
    _sync(work)
    # subtle: checksums would not do. They are of what is on disk, and engines that do not hear of a write that
    # failed (FAISS and numpy, when they close a file) leave less there than they were given.
    Generation(work, verified=manifest.files)
    name = new_name(index, manifest)
    folder = generation_folder(index, name)
    if not folder.parent.is_dir():
        folder.parent.mkdir()
        _sync(index)
    work.rename(folder)
    _sync(folder.parent)
    _write_current(index, name)
    return name


def new_name(index: Path, manifest: Manifest) -> str:
    """A name later than every other there, whatever the clock says."""
    now = datetime.now(UTC).replace(microsecond=0)
    names = generation_names(index)
    if names:
        now = max(now, built_at(names[-1]) + timedelta(seconds=1))
    return name_of(manifest, at=now)


def make_current(index: Path, name: str) -> None:
    """Point `CURRENT` at a generation, atomically and durably.

    Raises:
        OSError: the disk refuses; before the change, or only to confirm it.
    """
    _write_current(index, name)
    confirm(index)


def _write_current(index: Path, name: str) -> None:
    fresh = index / _FRESH
    fresh.write_text(name + "\n", encoding="ascii")
    _sync(fresh)
    fresh.replace(index / CURRENT)


def confirm(index: Path) -> None:
    """Return when the `CURRENT` that everybody sees would also be found after a power cut.

    Raises:
        OSError: the disk does not say so.
    """
    _sync(index)


def rollback(index: Path) -> str:
    """Make the newest good generation before the live one live; returns its name.

    Raises:
        IndexNotFound: there is none.
        IndexBusy: a build is at work, which would make its own generation live next.
        IndexNotWritable: the disk refuses.
    """
    if not generation_names(index):
        raise IndexNotFound(f"no generation in {index}; build one: cari build PATH... --index {index}")
    try:
        with build_lock(index, work="rollback"):
            return _roll_back(index)
    except OSError as error:
        raise IndexNotWritable(
            f"cannot change what is live in {index} ({error}); free space there or check who may write, then run "
            f"again: cari rollback --index {index}"
        ) from error


def _roll_back(index: Path) -> str:
    _expect_file(index)
    live = live_or_last(index)
    for name in reversed([name for name in generation_names(index) if name < live]):
        try:
            verify(generation_folder(index, name))
        except (IndexDamaged, IndexMismatch):
            continue
        make_current(index, name)
        return name
    raise IndexNotFound(
        f"no good generation before {live if live != LAST else 'the damaged one'} in {index}; "
        f"build again: cari build PATH... --index {index}"
    )


def prune(index: Path, *, keep: int) -> None:
    """Remove all but the live generation and the `keep` newest others.

    Raises:
        OSError: the disk refuses; what is left is whole, or swept away by the next build.
    """
    live = current_generation(index)
    others = [name for name in generation_names(index) if name != live]
    for name in others[: max(0, len(others) - keep)]:
        # A folder that is half removed must not bear a generation's name, after a power cut neither.
        generation_folder(index, name).rename(index / _REMOVED)
        _sync(index / GENERATIONS)
        _sync(index)
        shutil.rmtree(index / _REMOVED)


def sweep(index: Path) -> None:
    """Remove what a build that was killed or failed left behind; nothing of it is part of a generation.

    Raises:
        OSError: the disk refuses.
        IndexNotWritable: no generation could become live here.
    """
    _expect_file(index)
    for name in (WORK, _REMOVED):
        shutil.rmtree(index / name, ignore_errors=True)
    (index / _FRESH).unlink(missing_ok=True)


def _expect_file(index: Path) -> None:
    if (index / CURRENT).is_dir():
        raise IndexNotWritable(not_a_file(index))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
