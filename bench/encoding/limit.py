"""How fast this processor could be: its products of matrices of the model's shapes, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import torch

ROWS = 2048
"""Tokens of a batch."""
_HIDDEN, _FEED_FORWARD, _LAYERS = 384, 1536, 12
_OF_INTEREST = (
    "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8",
    "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


def operations(tokens: int) -> float:
    """Floating-point operations of one token in a passage of so many: 42.5 million, and 18,432 for each of them.

    A layer multiplies by four matrices of 384 x 384 and two of 384 x 1,536; a product of n x k by k x m takes 2nkm.
    Attention compares a token with every other, and adds them up: 2 x 2 x 384 each.
    """
    weights = 4 * _HIDDEN * _HIDDEN + 2 * _HIDDEN * _FEED_FORWARD
    return float(_LAYERS * (2 * weights + 4 * _HIDDEN * tokens))


def gemm_rate(*, seconds: float) -> tuple[float, float]:
    """Operations in a second of wall time and of processor time, in torch's products (oneDNN or MKL) on all threads."""
    draw = np.random.default_rng(0)
    rows = {width: torch.from_numpy(draw.random((ROWS, width), np.float32)) for width in (_HIDDEN, _FEED_FORWARD)}
    shapes = [(_HIDDEN, _HIDDEN)] * 4 + [(_HIDDEN, _FEED_FORWARD), (_FEED_FORWARD, _HIDDEN)]
    layer = [(rows[n], torch.from_numpy(draw.random((n, m), np.float32)), torch.empty(ROWS, m)) for n, m in shapes]
    done = 0.0
    with torch.inference_mode():
        start, busy = time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            for left, right, out in layer:
                torch.mm(left, right, out=out)
            done += sum(2.0 * ROWS * n * m for n, m in shapes)
        return done / (time.perf_counter() - start), done / (time.process_time() - busy)


def instruction_sets() -> str:
    """What of interest to matrices this processor says that it has; Linux only, else a word about that."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return "unknown instruction sets"
    lines = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
    names = {name.strip(): value.strip() for name, value in lines.items()}
    has = set((names.get("flags") or names.get("Features", "")).split())
    return f"{names.get('model name', 'processor')}, {len(os.sched_getaffinity(0))} cores: " + (
        " ".join(name for name in _OF_INTEREST if name in has) or "none of interest"
    )
