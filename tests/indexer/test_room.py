from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from indexer import IndexNotWritable, room
from indexer.room import Room

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """1,000 bytes free; 300 in the cache, 40 written so far."""

    class Usage:
        free = 1_000

    monkeypatch.setattr(room.shutil, "disk_usage", lambda _path: Usage)
    for name, size in (("cache", 300), ("work", 40)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(size))
    return Room(index=tmp_path, cache=tmp_path / "cache")


def test_a_build_that_cannot_fit_is_refused_before_it_embeds_with_the_bytes_needed_and_there(
    disk: Room, tmp_path: Path
) -> None:
    with pytest.raises(IndexNotWritable, match=r"at least 1,001 bytes are needed and 1,000 bytes are free; free space"):
        disk.expect(tmp_path / "work", generation_bytes=801, cached_bytes=500)


def test_what_the_cache_holds_already_needs_no_room(disk: Room, tmp_path: Path) -> None:
    disk.expect(tmp_path / "work", generation_bytes=1_000, cached_bytes=300)

    assert disk.figures() == "at least 1,040 bytes are needed and 1,000 bytes are free"


def test_a_full_disk_needs_more_than_is_free_whatever_was_estimated(disk: Room) -> None:
    assert disk.figures() == "1,000 bytes are free"
    assert disk.figures(OSError(errno.ENOSPC, "full")) == "at least 1,001 bytes are needed and 1,000 bytes are free"
    assert disk.figures(OSError(errno.EACCES, "no")) == "1,000 bytes are free"
