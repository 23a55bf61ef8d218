"""What a generation holds and how it was made; every byte of it is covered by a checksum."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from .chunker import ChunkSettings
from .encoder import ModelCard
from .errors import IndexDamaged, IndexMismatch
from .recall import VectorSearch
from .wording import StorySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

_READ_BYTES = 4 << 20
_SUMMED_AT_ONCE = min(4, os.cpu_count() or 1)
MANIFEST_FILE = "manifest.json"
FORMAT = 3
"""Of the files of a generation. Raise it when what is in them changes, the chunker's rules included.

Of every format the manifest has `format` and ends with a `sha256` of the rest, so that each version knows another's.
"""


@dataclass(frozen=True, slots=True)
class FileSum:
    """One file of a generation."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Written last into a generation, read first. It holds no clock: equal input gives an equal manifest.

    `late` says whether the token vectors that late interaction needs are in the generation, `vectors` how those of
    whole passages are searched, and with what recall.
    """

    format: int
    model: ModelCard
    chunking: ChunkSettings
    late: bool
    vectors: VectorSearch
    grouping: StorySettings
    articles: int
    passages: int
    stories: int
    languages: dict[str, int]
    files: dict[str, FileSum]

    def to_bytes(self) -> bytes:
        """The file's exact content: one JSON object that ends with the SHA-256 of all before it."""
        content = asdict(self)
        content["sha256"] = _digest(content)
        return _canonical(content)

    @property
    def sha256(self) -> str:
        """Names the generation by what is in it."""
        return _digest(asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """Read and check a generation's manifest.

    Raises:
        IndexDamaged: missing, or not byte for byte what was written.
        IndexMismatch: of a format that this version does not read.
    """
    path, index = folder / MANIFEST_FILE, folder.parent.parent
    try:
        data = path.read_bytes()
        content = json.loads(data)
        written = content.pop("sha256")
        found_format = content["format"]
        whole = isinstance(found_format, int) and written == _digest(content)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise IndexDamaged(
            f"{path} is missing or not a manifest ({error}); run: cari rollback --index {index}"
        ) from error
    if not whole or data != _canonical(content | {"sha256": written}):
        raise IndexDamaged(
            f"{path} was altered after it was written; run: cari rollback --index {index}, or build again"
        )
    if found_format != FORMAT:
        raise IndexMismatch(
            f"{folder.name} has index format {found_format}, this version of Cari reads format {FORMAT}; "
            f"build the index again: cari build PATH... --index {index}"
        )
    try:
        files = {name: FileSum(**summed) for name, summed in content.pop("files").items()}
        model, chunking = ModelCard(**content.pop("model")), ChunkSettings(**content.pop("chunking"))
        grouping = StorySettings(**content.pop("grouping"))
        vectors = VectorSearch.of(content.pop("vectors"))
        return Manifest(**content, files=files, model=model, chunking=chunking, grouping=grouping, vectors=vectors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IndexDamaged(f"{path} has other fields than format {FORMAT} ({error}); build the index again") from error


def sum_file(path: Path) -> FileSum:
    """Size and checksum of a file as it is on disk now."""
    digest, size_bytes = hashlib.sha256(), 0
    # subtle: each read and each sum lets other threads run and must then wait for them; so they are few and large.
    buffer = memoryview(bytearray(min(_READ_BYTES, path.stat().st_size + 1)))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
            size_bytes += count
    return FileSum(size_bytes, digest.hexdigest())


def each_file(do: Callable[[str], T], names: Sequence[str]) -> list[T]:
    """What `do` gives for each of these files, in order, several at a time: summing one leaves Python to the others.

    What it raises for the first of them that it fails for is raised.
    """
    with ThreadPoolExecutor(_SUMMED_AT_ONCE) as threads:
        return list(threads.map(do, names))


def _canonical(content: dict[str, object]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _digest(content: dict[str, object]) -> str:
    return hashlib.sha256(_canonical(content)).hexdigest()
