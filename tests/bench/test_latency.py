from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

QUICK = """\
ratio           now     last
search        0.001           far less than it can be now
late       9999.000           far more
"""


def run(*command: object, expected: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def test_latencies_are_told_by_clients_and_stages_next_to_the_model_alone(repository: Path, tmp_path: Path) -> None:
    written = tmp_path / "latency.txt"
    short = ["--hashing", "--seconds", "0.6", "--clients", "1", "3", "--out", written]
    out = run(repository / "bench" / "service" / "latency.py", *short)

    assert written.read_text(encoding="utf-8") == out
    assert re.search(r"^the model alone: one question p50 [\d.]+ ms", out, re.MULTILINE)
    assert re.search(r"^the service: ready after [\d.]+ s, RSS \d+ MiB", out, re.MULTILINE)
    assert len(re.findall(r"^ +[13] +\d+\.\d +\d+\.\d +\d+\.\d ", out, re.MULTILINE)) == 4
    first, again = (float(spent) for spent in re.findall(r"^ +3 clients +(\d+\.\d)", out, re.MULTILINE))
    assert first > again == 0  # what was asked before is not embedded


def test_a_ratio_that_rose_past_the_tolerance_is_named_and_fails_the_run(repository: Path, tmp_path: Path) -> None:
    last, written = tmp_path / "last.txt", tmp_path / "now.txt"
    last.write_text(QUICK, encoding="utf-8")
    quick = repository / "bench" / "quick.py"
    short = ["--hashing", "--rounds", "1", "--last", last, "--out", written]
    out = run(quick, *short, expected=1)

    assert [line.split()[0] for line in out.splitlines() if line.endswith("SLOWER")] == ["search"]
    assert written.read_text(encoding="utf-8") == out


def test_runs_of_several_sizes_are_told(repository: Path) -> None:
    out = run(repository / "bench" / "service" / "runs.py", "--hashing", "--rounds", "1")

    assert len(out.splitlines()) == 12
