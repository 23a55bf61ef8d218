"""A generation: one immutable folder, written whole, opened verified; and `CURRENT`, which names the live one."""

from __future__ import annotations

import os
import re
import shutil
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

_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")
_STAMP = "%Y%m%dT%H%M%SZ"


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


def current_generation(index: Path) -> str:
    """The name in `CURRENT`.

    Raises:
        IndexNotFound: there is no such file.
        IndexDamaged: it does not hold a generation's name.
    """
    try:
        name = (index / CURRENT).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexNotFound(f"no index in {index}; build one: cari build PATH... --index {index}") from error
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
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def built_at(name: str) -> datetime:
    """The time in a generation's name, in UTC."""
    return datetime.strptime(name[: name.index("-")], _STAMP).replace(tzinfo=UTC)


def new_name(index: Path, manifest: Manifest) -> str:
    """A name later than every other there, whatever the clock says."""
    now = datetime.now(UTC).replace(microsecond=0)
    names = generation_names(index)
    if names:
        now = max(now, built_at(names[-1]) + timedelta(seconds=1))
    return f"{now.strftime(_STAMP)}-{manifest.sha256[:4]}"


def verify(folder: Path) -> Manifest:
    """Read every byte of a generation and compare with its manifest, which is returned.

    Raises:
        IndexDamaged: a file is missing or altered.
        IndexMismatch: of another format version.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            found = sum_file(path) if path.stat().st_size == expected.size_bytes else None
        except OSError as error:
            raise IndexDamaged(f"{path} is missing or unreadable ({error}); run: cari rollback") from error
        if found != expected:
            raise IndexDamaged(
                f"{path} is not what was written (size or checksum differ); run: cari rollback, or build again"
            )
    return manifest


def publish(work: Path, *, index: Path, manifest: Manifest) -> str:
    """Make the finished folder `work` a generation and the live one; returns its name.

    Everything is on disk before `CURRENT` changes, and that change is one rename: whoever reads it finds the
    old generation or the new, whole.
    """
    (work / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    for path in work.iterdir():
        _sync(path)
    _sync(work)
    verify(work)
    name = new_name(index, manifest)
    folder = generation_folder(index, name)
    folder.parent.mkdir(exist_ok=True)
    work.rename(folder)
    _sync(folder.parent)
    make_current(index, name)
    return name


def make_current(index: Path, name: str) -> None:
    """Point `CURRENT` at a generation, atomically and durably."""
    fresh = index / f".{CURRENT}.new"
    fresh.write_text(name + "\n", encoding="ascii")
    _sync(fresh)
    fresh.replace(index / CURRENT)
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
    names = generation_names(index)
    try:
        live = current_generation(index)
    except (IndexDamaged, IndexNotFound):
        live = "~"  # sorts after every name: any generation may take its place
    for name in reversed([name for name in names if name < live]):
        try:
            verify(generation_folder(index, name))
        except (IndexDamaged, IndexMismatch):
            continue
        make_current(index, name)
        return name
    raise IndexNotFound(
        f"no good generation before {live if live != '~' else 'the damaged one'} in {index}; "
        f"build again: cari build PATH... --index {index}"
    )


def prune(index: Path, *, keep: int) -> None:
    """Remove all but the live generation and the `keep` newest others."""
    live = current_generation(index)
    others = [name for name in generation_names(index) if name != live]
    for name in others[: max(0, len(others) - keep)]:
        shutil.rmtree(generation_folder(index, name))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
