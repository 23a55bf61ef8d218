"""The mean of several runs' differences: seeds and folds that each err elsewhere (Wortsman et al. 2022, "Model soups").

python bench/training/average.py indexer/adaptation.safetensors RUN.safetensors...
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from differences import read_differences, write_differences


def main() -> None:
    """Average the runs named after the first argument into it."""
    out, *runs = map(Path, sys.argv[1:])
    if not runs:
        sys.exit(__doc__)
    every = [read_differences(run) for run in runs]
    names = sorted(set().union(*every))
    shapes = {name: next(run[name] for run in every if name in run) for name in names}
    mean = {
        name: torch.stack([run.get(name, torch.zeros_like(shapes[name])) for run in every]).mean(dim=0)
        for name in names
    }
    write_differences(mean, path=out, metadata={"mean of": " ".join(run.name for run in runs)})
    print(f"wrote {out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
