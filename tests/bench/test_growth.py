from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_the_short_form_measures_vectors_filters_and_whole_searches(repository: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "growth.txt", tmp_path / "growth.png"
    done = subprocess.run(
        [sys.executable, repository / "bench" / "growth" / "growth.py", "--small", "--out", out, "--plot", plot],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == out.read_text(encoding="utf-8")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines if line[:1] in (["200"], ["3,000"])][:2] == ["all", "codes"]
    assert "Whole searches" in done.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")
