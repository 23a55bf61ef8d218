from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_swaps_under_load_cost_no_answer_and_mix_no_generations(repository: Path) -> None:
    # Times mean nothing on a machine that runs other tests beside: only the full run judges them.
    short = ["--hashing", "--seconds", "3", "--clients", "4", "--swaps", "2", "--pause-s", "0.05", "--most", "1000"]
    short += ["--niceness", "0"]
    done = subprocess.run(
        [sys.executable, repository / "bench" / "service" / "swap.py", *short],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "swaps served 2 of 2, answers mixing generations 0" in done.stdout
    assert done.stdout.count("errors 0") == 2
    assert done.stdout.endswith("holds\n")
