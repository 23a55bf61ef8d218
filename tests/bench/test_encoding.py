# The benchmarks of bench/encoding in their shortest form: they run, and print what their readers look for.

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ran(script: Path, *arguments: str, cache: Path) -> str:
    environment = os.environ | {"CARI_MODEL_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.model
def test_encoders_are_compared_with_torch_and_with_products_of_matrices_alone(
    repository: Path, model_cache: Path, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    shared("eval/belebele-other")
    script = repository / "bench" / "encoding" / "encoders.py"

    text = ran(script, "--passages", "12", "--questions", "3", "--out", str(tmp_path / "out.txt"), cache=model_cache)

    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == text
    assert "products of matrices alone" in text
    ours = next(line[36:].split() for line in text.splitlines() if line.startswith("Cari"))
    # tokens/s, x torch, tokens in a second of a core, share of the limit, cosines to torch, nDCG@10.
    assert len(ours) == 8
    assert float(ours[5]) >= 0.9999


@pytest.mark.model
def test_a_service_is_started_and_its_memory_told(
    repository: Path, model_cache: Path, shared: Callable[[str], Path]
) -> None:
    shared("eval/realtimeqa-news")
    shared("eval/facqa")
    script = repository / "bench" / "encoding" / "start.py"

    text = ran(script, "--passages", "50", "--starts", "1", "--questions", "3", cache=model_cache)

    assert "start to ready: median" in text
    assert "after 3 questions  RSS" in text
    assert "torch in the process: no" in text
