# Whatever the disk refuses, and at whichever of a build's calls: what is live stays live and whole.

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from indexer.current import CURRENT, GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLED = -9
NEXT_EVERY = 3
ADVICE = ("run the same command again", "the next build tries again")


@pytest.fixture
def calls(site: Callable[[], Any], builder: Callable[..., Any]) -> list[tuple[str, str]]:
    """Every change that a build asks of the disk, in order: its kind, and the path inside the index."""
    now = site()
    done = builder(now.new, index=now.index, watch={})
    assert (done.status, done.err) == (0, ""), done
    inside = [(kind, (target or path).removeprefix(f"{now.index}/")) for kind, path, target in done.calls]
    assert {kind for kind, _ in inside} >= {"create", "write", "fsync", "rename", "unlink", "mkdir"}
    assert {path.split("/")[0] for _, path in inside} >= {".building", "cache", CURRENT, GENERATIONS, ".removed"}
    return inside


def chosen(total: int, rounds: int) -> list[int]:
    """So many of all places, evenly spread, the last one among them."""
    return sorted({round(place * (total - 1) / max(1, rounds - 1)) for place in range(min(rounds, total))})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EACCES"])
def test_a_call_that_the_disk_refuses_fails_the_build_and_touches_nothing_live(  # noqa: PLR0917 - fixtures
    calls: list[tuple[str, str]],
    site: Callable[[], Any],
    builder: Callable[..., Any],
    edition: Callable[[Path], str],
    assert_whole: Callable[[Path], None],
    assert_tidy: Callable[[Path], None],
    rounds: Callable[..., int],
    error: str,
) -> None:
    switched = calls.index(("rename", CURRENT))
    ended: Counter[str] = Counter()
    for place in chosen(len(calls), rounds(small=6, full=len(calls))):
        now = site()
        before = contents(now.index / GENERATIONS)
        # A disk that is full stays full; other faults may pass.
        watch = {"at": place, "error": error, "lasting": error == "ENOSPC"}
        done = builder(now.new, index=now.index, watch=watch)
        kind, path = calls[place]
        seen = f"{error} at call {place} of {len(calls)}, {kind} {path}: {done.status} {done.out} {done.err}"
        assert len(done.calls) > place, seen

        assert_whole(now.index)
        if done.status == 0:
            # Nothing was lost: the fault came when all was done, concerned what is rebuilt at no cost but time or a
            # folder that was there already, or passed before the lock's file was tried for the second time.
            assert edition(now.index) == "baru", seen
            there = kind == "mkdir" and ((now.index / path).is_dir() or calls[place] in calls[:place])
            assert place > switched or path.split("/")[0] in {"cache", "build.lock"} or there, seen
            ended["live"] += 1
        elif place > switched:
            assert (done.status, edition(now.index)) == (1, "baru"), seen
            refusals = json.loads(done.out)["refusals"]
            assert refusals, seen
            assert all(any(advice in said for advice in ADVICE) and "[Errno " in said for said in refusals), seen
            assert all(f"error: {said}" in done.err for said in refusals), seen
            ended["live, and refused"] += 1
        else:
            assert done.status == 1, seen
            assert edition(now.index) == "lama", seen
            assert (now.index / CURRENT).read_text().strip() == now.name, seen
            kept = contents(now.index / GENERATIONS)
            assert before.items() <= kept.items(), seen
            # FAISS may say something of its own before.
            assert re.search(r"error: (cannot write the index|what was written) .*\n\Z", done.err), seen
            assert "run the same command again" in done.err, seen
            assert "the live generation is as it was" in done.err, seen
            assert error != "ENOSPC" or "bytes are free" in done.err, seen
            ended["refused"] += 1

        if place % NEXT_EVERY == 0:
            after = builder(now.new, index=now.index)
            assert (after.status, after.err) == (0, ""), f"{seen}: {after}"
            assert edition(now.index) == "baru", seen
            assert_tidy(now.index)
    print(f"{error}: {dict(ended)} of {len(calls)} calls")  # noqa: T201 - part of what is shown
    assert ended["refused"] > ended["live"], ended


def test_a_build_killed_at_a_call_leaves_the_old_generation_until_current_is_renamed_and_the_new_one_from_then_on(  # noqa: PLR0917 - fixtures
    calls: list[tuple[str, str]],
    site: Callable[[], Any],
    builder: Callable[..., Any],
    edition: Callable[[Path], str],
    assert_whole: Callable[[Path], None],
    assert_tidy: Callable[[Path], None],
    rounds: Callable[..., int],
) -> None:
    switched = calls.index(("rename", CURRENT))
    pruning = (switched + len(calls)) // 2
    places = {switched, switched + 1, pruning, *chosen(len(calls), rounds(small=4, full=len(calls)))}
    for place in sorted(places):
        now = site()
        killed = builder(now.new, index=now.index, watch={"at": place, "kill": True})
        seen = f"killed at call {place} of {len(calls)}, {calls[place]}"
        assert killed.status == KILLED, f"{seen}: {killed}"

        assert_whole(now.index)
        assert edition(now.index) == ("lama" if place <= switched else "baru"), seen
        after = builder(now.new, index=now.index)
        assert (after.status, after.err) == (0, ""), f"{seen}: {after}"
        assert edition(now.index) == "baru", seen
        assert_tidy(now.index)
