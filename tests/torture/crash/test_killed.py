# A build killed at any moment costs nothing but the time since the cache was last committed.

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAGES = {"read", "chunk", "embed", "index", "fsync", "rename", "prune"}
BATCH = 4  # twice what building.py commits: one batch is embedded while the one before is kept
KILLED = -9
MEASURED_EVERY = 20


def test_a_build_killed_at_a_random_moment_leaves_the_old_generation_or_the_new_and_the_next_one_goes_on(  # noqa: PLR0917 - fixtures
    site: Callable[[], Any],
    builder: Callable[..., Any],
    edition: Callable[[Path], str],
    assert_whole: Callable[[Path], None],
    assert_tidy: Callable[[Path], None],
    rounds: Callable[..., int],
) -> None:
    total = rounds(small=10, full=200)
    stages: Counter[str] = Counter()
    served: Counter[str] = Counter()
    took_s = 0.0
    for number in range(total):
        if number % MEASURED_EVERY == 0:  # how long a build takes depends on what else the machine does
            whole = site()
            took_s = builder(whole.new, index=whole.index, slow=True).took_s
        chance = random.Random(number)  # noqa: S311 - to be repeated
        while True:
            # Each moment is random within its share of the time, so that few rounds spread as well as many.
            moment_s = (number + chance.random()) / total * took_s
            now = site()
            killed = builder(now.new, index=now.index, slow=True, kill_after_s=moment_s)
            if killed.status == KILLED:
                break
            assert killed.status == 0, killed
            took_s = killed.took_s  # it was faster than the last one, and over before it could be killed
        seen = f"round {number}, {moment_s:.3f} s of {took_s:.3f} s, in {killed.stage}"
        stages[killed.stage] += 1

        assert_whole(now.index)
        alive = edition(now.index)
        served[alive] += 1
        assert alive in {"lama", "baru"}, seen

        after = builder(now.new, index=now.index)
        assert (after.status, after.err) == (0, ""), f"{seen}: {after}"
        assert killed.embedded + after.embedded <= now.passages + BATCH, f"{seen}: {killed}, {after}"
        assert json.loads(after.out)["passages"] == now.passages
        assert edition(now.index) == "baru", seen
        assert_whole(now.index)
        assert_tidy(now.index)
    spread = f"killed in: {dict(stages)}; then served: {dict(served)}"
    print(spread)  # noqa: T201 - the spread is part of what is shown
    assert len(stages) >= 3, spread
    if total >= 200:
        assert set(stages) >= STAGES, spread
        assert set(served) == {"lama", "baru"}, spread
