"""A generation: one immutable folder, written whole, opened verified; and `CURRENT`, which names the live one."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from .errors import IndexDamaged, IndexMismatch, IndexNotFound, IndexNotWritable
from .lexical import LexicalIndex
from .lock import build_lock
from .manifest import MANIFEST_FILE, Manifest, read_manifest, sum_file
from .offsets import LATE_OFFSETS_FILE, read_offsets
from .store import Store
from .stories import read_sketches, read_stories
from .token_store import TokenStore
from .vectors import FlatVectors, VectorIndex

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

CURRENT = "CURRENT"
GENERATIONS = "generations"
WORK = ".building"
"""Where a build writes what will be a generation."""

_FRESH = f".{CURRENT}.new"
_REMOVED = ".removed"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")
_STAMP = "%Y%m%dT%H%M%SZ"
# Sorts after every name.
_LAST = "~"


class Generation:
    """An open generation. Thread-safe and read-only.

    All its files are opened here, none later, and stay mapped until the last reference goes: what is open answers
    to the end, though a build may have removed the folder.

    `tokens` is None where it was built without late interaction.

    Raises:
        IndexDamaged: a file is missing or altered; the message names it.
        IndexMismatch: made by another format version.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.manifest: Manifest = verify(folder)
        self.store = Store(folder)
        self.vectors: VectorIndex = FlatVectors.open(folder)
        late = self.manifest.late
        self.tokens = TokenStore(folder, dim=self.manifest.model.dim) if late else None
        self.token_offsets = read_offsets(folder / LATE_OFFSETS_FILE) if late else {}
        self.languages = self.store.passage_languages()
        self.lexical = LexicalIndex(folder, languages=self.languages)
        self.stories = read_stories(folder)
        self.sketches = read_sketches(folder)
        with_tokens = self.manifest.passages if self.tokens is None else len(self.tokens)
        counts = {self.store.n_passages, len(self.vectors), with_tokens, self.manifest.passages}
        if len(counts) > 1:
            raise IndexDamaged(
                f"{folder} disagrees with itself: {self.store.n_passages} passages, {len(self.vectors)} vectors, "
                f"{with_tokens} with tokens, {self.manifest.passages} in the manifest; build the index again"
            )
        articles = {self.store.n_articles, len(self.stories), len(self.sketches), self.manifest.articles}
        if len(articles) > 1:
            raise IndexDamaged(
                f"{folder} disagrees with itself: {self.store.n_articles} articles, {len(self.stories)} with a story, "
                f"{len(self.sketches)} sketches, {self.manifest.articles} in the manifest; build the index again"
            )

    @property
    def built_at(self) -> datetime:
        """When it was written, in UTC, as its name says."""
        return built_at(self.name)


def open_current(index: Path) -> Generation:
    """Open and verify the live generation.

    Raises:
        IndexNotFound: nothing was built in `index`.
        IndexDamaged: see `Generation`.
        IndexMismatch: see `Generation`.
    """
    return read_live(index, Generation)


def read_live(index: Path, read: Callable[[Path], T]) -> T:
    """What `read` makes of the folder of the live generation.

    A build may replace and remove a generation while it is read; then the one that is live by now is read instead.

    Raises:
        IndexNotFound: nothing was built in `index`.
        IndexDamaged: the live generation is damaged; or as `read` raises it.
    """
    name = current_generation(index)
    while True:
        try:
            return read(generation_folder(index, name))
        except IndexDamaged:
            live = current_generation(index)
            if live == name:
                raise
            name = live


def open_good(index: Path) -> Generation:
    """Open the live generation or, where that does not open, the newest good one.

    What `rollback` would make live comes first: a later one may be what somebody rolled back from.

    Raises:
        IndexerError: none is good; what `open_current` raises.
    """
    try:
        return open_current(index)
    except (IndexDamaged, IndexMismatch):
        live = _live_or_last(index)
        others = [name for name in generation_names(index) if name != live]
        for name in sorted(others, key=lambda name: (name < live, name), reverse=True):
            with suppress(IndexDamaged, IndexMismatch):
                return Generation(generation_folder(index, name))
        raise


def current_generation(index: Path) -> str:
    """The name in `CURRENT`.

    Raises:
        IndexNotFound: there is no such file.
        IndexDamaged: it does not hold a generation's name.
    """
    try:
        name = (index / CURRENT).read_text(encoding="ascii").strip()
    except IsADirectoryError as error:
        raise IndexDamaged(
            f"{index / CURRENT} is a folder, expected a file; move it away, then run: cari rollback --index {index}"
        ) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        kept = f", or take the newest that is kept: cari rollback --index {index}" if generation_names(index) else ""
        raise IndexNotFound(f"no index in {index}; build one: cari build PATH... --index {index}{kept}") from error
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{index / CURRENT} cannot be read ({error}); run: cari rollback --index {index}") from error
    if _NAME.fullmatch(name) is None:
        raise IndexDamaged(
            f"{index / CURRENT} holds {name[:80]!r}, expected a generation's name; run: cari rollback --index {index}"
        )
    return name


def generation_folder(index: Path, name: str) -> Path:
    """Where a generation stands."""
    return index / GENERATIONS / name


def generation_names(index: Path) -> list[str]:
    """All generations there, the oldest first."""
    folder = index / GENERATIONS
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())


def built_at(name: str) -> datetime:
    """The time in a generation's name, in UTC."""
    return datetime.strptime(name[: name.index("-")], _STAMP).replace(tzinfo=UTC)


def new_name(index: Path, manifest: Manifest) -> str:
    """A name later than every other there, whatever the clock says."""
    now = datetime.now(UTC).replace(microsecond=0)
    names = generation_names(index)
    if names:
        now = max(now, built_at(names[-1]) + timedelta(seconds=1))
    return now.strftime(_STAMP) + _ending(manifest)


def _ending(manifest: Manifest) -> str:
    return f"-{manifest.sha256[:4]}"


def verify(folder: Path) -> Manifest:
    """Read every byte of a generation and compare with its manifest, which is returned.

    The manifest carries a SHA-256 of itself, so that no altered byte of it goes unseen; the folder's name begins
    with a time and ends with the first digits of that sum, so that a whole manifest of other files is seen too.

    Raises:
        IndexDamaged: a file is missing, altered, or not one of this generation's; the message names it.
        IndexMismatch: of another format version.
    """
    manifest = read_manifest(folder)
    # A folder that is still being made bears no name.
    if _NAME.fullmatch(folder.name) and not folder.name.endswith(_ending(manifest)):
        raise IndexDamaged(
            f"{folder / MANIFEST_FILE} is of another generation, whose folder's name ends in {_ending(manifest)}; "
            f"run: cari rollback --index {folder.parent.parent}"
        )
    rollback_command = f"run: cari rollback --index {folder.parent.parent}"
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            found = sum_file(path) if path.stat().st_size == expected.size_bytes else None
        except OSError as error:
            raise IndexDamaged(f"{path} is missing or unreadable ({error}); {rollback_command}") from error
        if found != expected:
            raise IndexDamaged(
                f"{path} is not what was written (size or checksum differ); {rollback_command}, or build again"
            )
    # A file that nobody wrote might be read by an engine that looks for one of its name.
    strange = {path.name for path in folder.iterdir()} - manifest.files.keys() - {MANIFEST_FILE}
    if strange:
        raise IndexDamaged(f"{folder / min(strange)} was not written by a build; remove it, or {rollback_command}")
    return manifest


def publish(work: Path, *, index: Path, manifest: Manifest) -> str:
    """Make the finished folder `work` a generation and the live one; returns its name.

    Everything is on disk before `CURRENT` changes, and that change is one rename: whoever reads it finds the
    old generation or the new, whole.

    Raises:
        OSError: the disk refuses; `CURRENT` is as it was.
        IndexDamaged: what was written does not read back; `CURRENT` is as it was.
    """
    (work / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    for path in work.iterdir():
        _sync(path)
    _sync(work)
    # subtle: checksums alone would not do. They are of what is on disk, and engines that do not hear of a write that
    # failed (FAISS and numpy, when they close a file) leave less there than they were given.
    Generation(work)
    name = new_name(index, manifest)
    folder = generation_folder(index, name)
    if not folder.parent.is_dir():
        folder.parent.mkdir()
        _sync(index)
    work.rename(folder)
    _sync(folder.parent)
    _write_current(index, name)
    return name


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
    live = _live_or_last(index)
    for name in reversed([name for name in generation_names(index) if name < live]):
        try:
            verify(generation_folder(index, name))
        except (IndexDamaged, IndexMismatch):
            continue
        make_current(index, name)
        return name
    raise IndexNotFound(
        f"no good generation before {live if live != _LAST else 'the damaged one'} in {index}; "
        f"build again: cari build PATH... --index {index}"
    )


def _live_or_last(index: Path) -> str:
    """The name in `CURRENT`, or what any generation comes before where it has none."""
    try:
        return current_generation(index)
    except (IndexDamaged, IndexNotFound):
        return _LAST


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
    """Remove what a build that was killed or failed left behind; nothing of it is part of a generation."""
    for name in (WORK, _REMOVED):
        shutil.rmtree(index / name, ignore_errors=True)
    (index / _FRESH).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
