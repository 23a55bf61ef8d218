"""The folder of an index: its generations, and `CURRENT`, which names the live one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from .errors import IndexDamaged, IndexMismatch, IndexNotFound
from .generation import Generation, is_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

CURRENT = "CURRENT"
GENERATIONS = "generations"
LAST = "~"
"""Sorts after every generation's name."""


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
        live = live_or_last(index)
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
        raise IndexDamaged(not_a_file(index)) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        kept = f", or take the newest that is kept: cari rollback --index {index}" if generation_names(index) else ""
        raise IndexNotFound(f"no index in {index}; build one: cari build PATH... --index {index}{kept}") from error
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{index / CURRENT} cannot be read ({error}); run: cari rollback --index {index}") from error
    if not is_name(name):
        raise IndexDamaged(
            f"{index / CURRENT} holds {name[:80]!r}, expected a generation's name; run: cari rollback --index {index}"
        )
    return name


def not_a_file(index: Path) -> str:
    """What to do about a folder where `CURRENT` should be."""
    return f"{index / CURRENT} is a folder, expected a file; move it away, then run: cari rollback --index {index}"


def live_or_last(index: Path) -> str:
    """The name in `CURRENT`, or what any generation comes before where it has none."""
    try:
        return current_generation(index)
    except (IndexDamaged, IndexNotFound):
        return LAST


def generation_folder(index: Path, name: str) -> Path:
    """Where a generation stands."""
    return index / GENERATIONS / name


def generation_names(index: Path) -> list[str]:
    """All generations there, the oldest first."""
    folder = index / GENERATIONS
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if is_name(path.name) and path.is_dir())
