from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_the_stages_of_a_search_are_told_beside_the_bare_embedding(repository: Path, tmp_path: Path) -> None:
    short = ["--hashing", "--sizes", "60", "90", "--questions", "2", "--rounds", "1", "--out", tmp_path / "stages.txt"]
    done = subprocess.run(
        [sys.executable, repository / "bench" / "search" / "stages.py", *short],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "stages.txt").read_text("utf-8") == done.stdout
    assert (tmp_path / "stages.png").read_bytes().startswith(b"\x89PNG")
    rows = [line.split("  ")[0].strip() for line in done.stdout.splitlines()[2:]]
    assert rows[:1] + rows[-2:] == ["passages", "bare embedding", "search : bare"]
    assert {"encode", "dense", "lexical", "late", "snippet", "rest"} <= set(rows)
