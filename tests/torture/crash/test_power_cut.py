# A machine that loses power keeps of a build what was synced, and anything of the rest. The calls that a build made are
# replayed to every point, with what was not synced by then kept, lost, or kept in part: what is found must be one
# generation, whole, and the next build must go on from there.

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from indexer import IndexNotFound
from indexer.current import CURRENT, GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

OUTSIDE = ("cache", "build.lock")  # SQLite's own affair, and what says nothing of the index
LOST = b""
NEXT_EVERY = 10


@dataclass(eq=False)
class File:
    """What a name leads to. Its content is on disk once it was synced."""

    content: bytes = LOST
    synced: bool = False


@dataclass(frozen=True)
class Change:
    """A name that comes or goes. A folder that was renamed has several paths until that is settled."""

    folder: str
    paths: tuple[str, ...]
    what: File | None  # None is a folder
    added: bool


@dataclass
class Disk:
    """Names as the disk has them for sure, and the changes of names that it may or may not have."""

    entries: dict[str, File | None] = field(default_factory=dict)
    waiting: list[Change] = field(default_factory=list)

    def settle(self, folder: str) -> None:
        """The folder is synced: all its changes are there."""
        self.entries = self.after([change for change in self.waiting if change.folder == folder])
        self.waiting = [change for change in self.waiting if change.folder != folder]

    def after(self, changes: Sequence[Change]) -> dict[str, File | None]:
        entries = dict(self.entries)
        for change in changes:
            for path in change.paths:
                if change.added:
                    entries[path] = change.what
                elif entries.get(path, change.what) is change.what:
                    entries.pop(path, None)
        return entries

    def states(self) -> Iterator[dict[str, File | None]]:
        """What may be found: all that waits is there, none is, one alone is, one alone is not, or some first ones."""
        count = len(self.waiting)
        kept = {(), tuple(range(count))}
        kept |= {(place,) for place in range(count)}
        kept |= {tuple(other for other in range(count) if other != place) for place in range(count)}
        kept |= {tuple(range(end)) for end in range(count)}
        for places in sorted(kept):
            yield self.after([self.waiting[place] for place in places])


def replay(  # noqa: C901 - one branch a kind of call
    calls: Sequence[Sequence[str]], index: Path, *, before: dict[str, File | None]
) -> Iterator[tuple[int, Disk]]:
    """The disk after each call, from the first."""
    disk = Disk(entries=dict(before))
    seen = dict(before)  # as processes see it
    earlier: dict[str, str] = {}  # of folders, the name before this one

    def change(path: str, what: File | None, *, added: bool) -> None:
        folder, _, name = path.rpartition("/")
        paths = (path, f"{earlier[folder]}/{name}") if folder in earlier else (path,)
        disk.waiting.append(Change(folder or ".", paths, what, added))
        if added:
            seen[path] = what
        else:
            seen.pop(path, None)

    for number, (kind, full, full_target) in enumerate(calls):
        path, target = (str(Path(name).relative_to(index)) if name else "" for name in (full, full_target))
        if path.startswith(OUTSIDE):
            continue
        if kind == "create" and path not in seen:
            change(path, File(), added=True)
        elif kind == "mkdir" and path not in seen and path != ".":
            change(path, None, added=True)
        elif kind == "unlink" and path in seen:
            change(path, seen[path], added=False)
        elif kind == "rename":
            what = seen[path]
            change(path, what, added=False)
            change(target, what, added=True)
            if what is None:
                earlier[target] = path
                move(disk, seen, path, target)
        elif kind == "fsync":
            what = seen.get(path)
            if what is not None:
                what.synced = True
            else:
                disk.settle(path)
        yield number, disk


def move(disk: Disk, seen: dict[str, File | None], path: str, target: str) -> None:
    """What is in a folder is found wherever the folder is found."""
    for name in [name for name in seen if name.startswith(f"{path}/")]:
        new = target + name[len(path) :]
        seen[new] = seen.pop(name)
        if name in disk.entries:
            disk.entries[new] = disk.entries[name]
        disk.waiting = [
            replace(change, paths=(*change.paths, new)) if name in change.paths else change for change in disk.waiting
        ]


def on_disk(state: dict[str, File | None], index: Path) -> None:
    """Make the folder that this is."""
    shutil.rmtree(index, ignore_errors=True)
    index.mkdir()
    for path, what in sorted(state.items()):
        whole = all(str(folder) in state for folder in list(Path(path).parents)[:-1])
        if not whole:
            continue  # its folder is not there
        if what is None:
            (index / path).mkdir(exist_ok=True)
        else:
            (index / path).write_bytes(what.content if what.synced else LOST)


def entries(index: Path) -> dict[str, File | None]:
    """All that is in a folder, on disk since long ago."""
    paths = {str(path.relative_to(index)): path for path in index.rglob("*")}
    return {
        name: None if path.is_dir() else File(path.read_bytes(), synced=True)
        for name, path in paths.items()
        if not name.startswith(OUTSIDE)
    }


def written_as(path: str, written: dict[str, bytes]) -> bytes:
    """The content of a new file, which is what it was when the build was done; what is gone by then is garbage."""
    folder, _, name = path.rpartition("/")
    if not folder:
        return written[CURRENT]
    newest = max(other for other in written if other.startswith(GENERATIONS)).rpartition("/")[0]
    return written.get(f"{newest}/{name}", b"garbage")


@pytest.mark.parametrize("first", [False, True], ids=["over an index", "the first build"])
def test_after_a_power_cut_at_any_point_the_generation_found_is_the_old_one_or_the_new_one_and_whole(  # noqa: PLR0917 - fixtures
    site: Callable[[], Any],
    tmp_path: Path,
    builder: Callable[..., Any],
    edition: Callable[[Path], str],
    assert_whole: Callable[[Path], None],
    assert_tidy: Callable[[Path], None],
    rounds: Callable[..., int],
    first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    now = site()
    if first:
        shutil.rmtree(now.index)
        now.index.mkdir()
    before = entries(now.index)
    done = builder(now.new, index=now.index, watch={})
    assert (done.status, done.err) == (0, ""), done
    written = {name: what.content for name, what in entries(now.index).items() if what is not None}
    switched = next(at for at, call in enumerate(done.calls) if call[0] == "rename" and call[2].endswith(f"/{CURRENT}"))
    confirmed = next(
        at for at, call in enumerate(done.calls) if at > switched and call[:2] == ["fsync", str(now.index)]
    )

    found: dict[str, int] = {}
    tried: set[frozenset[tuple[str, int, bool]]] = set()
    copy = tmp_path / "found"
    every = rounds(small=40, full=1)
    for number, disk in replay(done.calls, now.index, before=before):
        for state in disk.states():
            key = frozenset((path, id(what), what is None or what.synced) for path, what in state.items())
            if key in tried:
                continue
            tried.add(key)
            near = abs(number - switched) < 6 or abs(number - confirmed) < 4
            if not near and len(tried) % every:
                continue
            for path, what in state.items():
                if what is not None and what.content == LOST:
                    what.content = written_as(path, written)
            on_disk(state, copy)
            seen = f"power cut after call {number} of {len(done.calls)}, {done.calls[number]}"
            try:
                alive = edition(copy)
            except IndexNotFound:
                alive = "none"
            assert alive in ({"none", "baru"} if first else {"lama", "baru"}), seen
            assert number < confirmed or alive == "baru", seen
            assert number >= switched or alive != "baru", seen
            assert_whole(copy)
            found[alive] = found.get(alive, 0) + 1
            if sum(found.values()) % NEXT_EVERY == 0:
                after = builder(now.new, index=copy)
                assert (after.status, after.err) == (0, ""), f"{seen}: {after}"
                assert edition(copy) == "baru", seen
                assert_tidy(copy)
    print(f"{len(tried)} states, served: {found}")  # noqa: T201 - part of what is shown
    assert set(found) == ({"none", "baru"} if first else {"lama", "baru"})
