"""A generation: one immutable folder, written whole, opened verified."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .errors import IndexDamaged
from .lexical import LexicalIndex
from .manifest import MANIFEST_FILE, Manifest, each_file, read_manifest, sum_file
from .offsets import LATE_OFFSETS_FILE, read_offsets
from .store import Store
from .stories import read_comparisons, read_sketches, read_stories
from .token_store import TokenStore
from .vectors import VectorIndex, open_vectors

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")
_STAMP = "%Y%m%dT%H%M%SZ"


class Generation:
    """An open generation. Thread-safe and read-only.

    All files that answer questions are opened here, none later, and stay mapped until the last reference goes: what
    is open answers to the end, though a build may have removed the folder.

    `tokens` is None where it was built without late interaction.

    Args:
        folder: Where it stands.
        verified: See `verify`.

    Raises:
        IndexDamaged: a file is missing or altered; the message names it.
        IndexMismatch: made by another format version.
    """

    def __init__(self, folder: Path, *, verified: Container[str] = ()) -> None:
        self.name = folder.name
        self.manifest: Manifest = verify(folder, verified=verified)
        self.store = Store(folder)
        self.vectors: VectorIndex = open_vectors(folder, search=self.manifest.vectors)
        late = self.manifest.late
        self.tokens = TokenStore(folder, dim=self.manifest.model.dim) if late else None
        self.token_offsets = read_offsets(folder / LATE_OFFSETS_FILE) if late else {}
        self.languages = self.store.passage_languages()
        self.lexical = LexicalIndex(folder, languages=self.languages)
        self.stories = read_stories(folder)
        self.sketches = read_sketches(folder)
        self.comparisons = read_comparisons(folder)
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


def is_name(text: str) -> bool:
    """Whether this may be a generation's name."""
    return _NAME.fullmatch(text) is not None


def name_of(manifest: Manifest, *, at: datetime) -> str:
    """The name of a generation: when it was made, in UTC to the second, and the first digits of its manifest's sum."""
    return at.strftime(_STAMP) + _ending(manifest)


def built_at(name: str) -> datetime:
    """The time in a generation's name, in UTC."""
    return datetime.strptime(name[: name.index("-")], _STAMP).replace(tzinfo=UTC)


def _ending(manifest: Manifest) -> str:
    return f"-{manifest.sha256[:4]}"


def verify(folder: Path, *, verified: Container[str] = ()) -> Manifest:
    """Read every byte of a generation and compare with its manifest, which is returned.

    The manifest carries a SHA-256 of itself, so that no altered byte of it goes unseen; the folder's name begins
    with a time and ends with the first digits of that sum, so that a whole manifest of other files is seen too.

    Args:
        folder: Where it stands.
        verified: Names of files that are links to such as the caller has compared already.

    Raises:
        IndexDamaged: a file is missing, altered, or not one of this generation's; the message names it.
        IndexMismatch: of another format version.
    """
    manifest = read_manifest(folder)
    # A folder that is still being made bears no name.
    if is_name(folder.name) and not folder.name.endswith(_ending(manifest)):
        raise IndexDamaged(
            f"{folder / MANIFEST_FILE} is of another generation, whose folder's name ends in {_ending(manifest)}; "
            f"run: cari rollback --index {folder.parent.parent}"
        )
    rollback_command = f"run: cari rollback --index {folder.parent.parent}"

    def compare(name: str) -> None:
        path, expected = folder / name, manifest.files[name]
        try:
            found = sum_file(path) if path.stat().st_size == expected.size_bytes else None
        except OSError as error:
            raise IndexDamaged(f"{path} is missing or unreadable ({error}); {rollback_command}") from error
        if found != expected:
            raise IndexDamaged(
                f"{path} is not what was written (size or checksum differ); {rollback_command}, or build again"
            )

    each_file(compare, [name for name in manifest.files if name not in verified])
    # A file that nobody wrote might be read by an engine that looks for one of its name.
    try:
        strange = {path.name for path in folder.iterdir()} - manifest.files.keys() - {MANIFEST_FILE}
    except OSError as error:  # removed by a build meanwhile
        raise IndexDamaged(f"{folder} is missing or unreadable ({error}); {rollback_command}") from error
    if strange:
        raise IndexDamaged(f"{folder / min(strange)} was not written by a build; remove it, or {rollback_command}")
    return manifest
