# A disk that fills up, wherever in a build: the bytes needed and the bytes there, nothing harmed, and then on.

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DISK_BYTES = 16 * 1024 * 1024
ENOUGH_BYTES = 768 * 1024
PAGE_BYTES = 4096
FIGURES = re.compile(r"at least ([\d,]+) bytes are needed and ([\d,]+) bytes are free")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def leave_free(disk: Path, size_bytes: int) -> Path:
    """Fill the disk up to so many bytes; removing the file that is returned frees them."""
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(disk).free - size_bytes)
    assert shutil.disk_usage(disk).free == size_bytes
    return ballast


def test_a_build_on_a_full_disk_tells_the_bytes_needed_and_there_and_goes_on_once_there_is_room(  # noqa: PLR0917 - fixtures
    disk: Path,
    template: Any,  # noqa: ANN401 - a Site
    builder: Callable[..., Any],
    edition: Callable[[Path], str],
    assert_whole: Callable[[Path], None],
    assert_tidy: Callable[[Path], None],
    rounds: Callable[..., int],
) -> None:
    index = disk / "index"
    total = rounds(small=6, full=60)
    failed = resumed = 0
    for number in range(total):
        shutil.rmtree(index, ignore_errors=True)
        shutil.copytree(template.index, index)
        size_bytes = ENOUGH_BYTES * number // (total - 1) // PAGE_BYTES * PAGE_BYTES
        ballast = leave_free(disk, size_bytes)
        done = builder(template.new, index=index)
        seen = f"round {number}, {size_bytes:,} bytes: {done}"

        assert done.status in {0, 1}, seen  # not killed
        assert_whole(index)
        if done.status == 1:
            failed += 1
            assert edition(index) == "lama", seen
            assert done.err.startswith("error: "), seen
            assert "run the same command again" in done.err, seen
            figures = FIGURES.search(done.err)
            assert figures is not None, seen
            needed, free = (int(figure.replace(",", "")) for figure in figures.groups())
            assert needed > free, seen
            assert free <= size_bytes, seen
        ballast.unlink()

        after = builder(template.new, index=index)
        assert (after.status, after.err) == (0, ""), f"{seen}: {after}"
        assert edition(index) == "baru", seen
        assert_tidy(index)
        # Its last batch may have been refused.
        assert done.embedded + after.embedded <= template.passages + 4, f"{seen}: {after}"
        resumed += done.status == 1 and 0 < after.embedded < template.passages
    print(f"{failed} of {total} stopped, {resumed} of them went on from the cache")  # noqa: T201 - part of what is shown
    assert 0 < failed < total
    assert total < 60 or resumed > 0


def test_no_file_of_an_index_is_written_through_a_map_which_a_full_disk_would_turn_into_a_killed_process(
    site: Callable[[], Any], builder: Callable[..., Any]
) -> None:
    now = site()

    done = builder(now.new, index=now.index, watch={"maps": True})

    mapped = {path.removeprefix(f"{now.index}/") for kind, path, _ in done.calls if kind == "map"}
    assert (done.status, done.err) == (0, "")
    # SQLite writes something into each page of this one before it maps it.
    assert mapped == {"cache/vectors.sqlite-shm"}
