"""What training added to the embedded model: a small file of differences, merged when the model is prepared.

`adaptation.safetensors` holds, for each tensor that changed, trained minus original: a matrix in bytes with one
scale a row (`NAME` and `NAME.scale`), a vector in half precision. How it was trained, on what and with which gain
stands in `bench/training/README.md`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from .errors import ModelError

if TYPE_CHECKING:
    from .packed_e5 import PackedModel

ADAPTED_MODEL = "cari-e5-small"
SCALE = ".scale"


def adaptation_file() -> Path:
    """Where the package keeps the differences."""
    return Path(__file__).with_name("adaptation.safetensors")


def adapted(model: PackedModel, differences: Path) -> PackedModel:
    """The model with the differences added, float32.

    Raises:
        ModelError: the file is missing or damaged, or belongs to a model of other tensors.
    """
    try:
        found = load_file(differences)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{differences} does not load ({error}); install the project again") from error
    changed = {}
    for name, stored in found.items():
        if name.endswith(SCALE):
            continue
        if name not in model.tensors or model.tensors[name].shape != stored.shape:
            raise ModelError(f'{differences} does not fit this model: it changes "{name}" {stored.shape}')
        difference = stored.astype(np.float32)
        if name + SCALE in found:
            difference *= found[name + SCALE][:, None]
        changed[name] = model.tensors[name] + difference
    return replace(model, tensors={**model.tensors, **changed})
