"""What training changed, as the file that ships: trained minus original, a byte a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from indexer.adaptation import SCALE

if TYPE_CHECKING:
    from pathlib import Path

_STEPS = 127


def write_differences(differences: dict[str, torch.Tensor], *, path: Path, metadata: dict[str, str]) -> None:
    """Write the tensors that differ: matrices as bytes with a scale a row, all else in half precision."""
    content: dict[str, torch.Tensor] = {}
    for name, difference in differences.items():
        if not torch.any(difference):
            continue
        if difference.dim() < 2:  # noqa: PLR2004 - a vector
            content[name] = difference.half()
            continue
        scale = difference.abs().amax(dim=1).clamp(min=1e-12) / _STEPS
        content[name] = torch.round(difference / scale[:, None]).to(torch.int8)
        content[name + SCALE] = scale
    save_file(content, path, metadata=metadata)


def read_differences(path: Path) -> dict[str, torch.Tensor]:
    """Read back what `write_differences` wrote, float32."""
    found = load_file(path)
    return {
        name: tensor.float() * found[name + SCALE][:, None] if name + SCALE in found else tensor.float()
        for name, tensor in found.items()
        if not name.endswith(SCALE)
    }
