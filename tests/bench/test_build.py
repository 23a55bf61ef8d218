from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(script: Path, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_is_measured_of_rebuilds_embeds_only_what_is_new(
    repository: Path, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    shared("eval/realtimeqa-news")
    plot = tmp_path / "plot.png"

    told = run(repository / "bench" / "build" / "rebuild.py", "--articles", 15, "--repeats", 1, "--plot", plot)

    found = re.findall(r"^(\w+ \w+) +[\d.]+ +[\d.]+ +[\d.]+ +(\d+)", told, re.MULTILINE)
    embedded = {kind: int(passages) for kind, passages in found}
    assert (embedded["nothing changed"], embedded["one deleted"]) == (0, 0), told
    assert 0 < embedded["one changed"] <= 2, told
    assert embedded["one added"] > 0, told
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_what_is_measured_of_a_first_build_accounts_for_all_of_its_time(
    repository: Path, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    shared("eval/realtimeqa-news")
    plot = tmp_path / "plot.png"

    told = run(repository / "bench" / "build" / "stages.py", "--model", "hashing", "--articles", 20, "--plot", plot)

    head = told.partition("beside the encoding")[0]
    shares = [float(share) for share in re.findall(r"([\d.]+)%", head)]
    assert abs(sum(shares) - 100) < 1, told
    assert len(re.findall(r"peak of resident memory", told)) == 2
    assert plot.read_bytes().startswith(b"\x89PNG")
