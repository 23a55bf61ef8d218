from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from indexer import DEFAULT_MODEL, EMBEDDED_MODEL, ModelError
from indexer.adaptation import SCALE, adaptation_file, adapted
from indexer.packed_e5 import PackedModel, packed_file, read_packed

if TYPE_CHECKING:
    from pathlib import Path

    from indexer import Encoder


@pytest.fixture(scope="module")
def packed() -> PackedModel:
    return read_packed(packed_file())


def test_the_file_that_ships_fits_the_model_and_is_small(packed: PackedModel) -> None:
    differences = load_file(adaptation_file())

    merged = adapted(packed, adaptation_file())

    assert adaptation_file().stat().st_size <= 12_000_000
    assert differences
    changed = {name for name, tensor in merged.tensors.items() if not np.array_equal(tensor, packed.tensors[name])}
    assert changed == {name for name in differences if not name.endswith(SCALE)}
    assert {name.split(".")[2] for name in changed} == {"8", "9", "10", "11"}


def test_differences_are_added(packed: PackedModel, tmp_path: Path) -> None:
    name = "encoder.layer.11.output.LayerNorm.bias"
    save_file({name: np.full(384, 0.25, np.float16)}, tmp_path / "some.safetensors")

    merged = adapted(packed, tmp_path / "some.safetensors")

    np.testing.assert_allclose(merged.tensors[name] - packed.tensors[name], 0.25, atol=1e-6)


def test_bytes_are_scaled_row_by_row(packed: PackedModel, tmp_path: Path) -> None:
    name = "encoder.layer.11.output.dense.weight"
    steps = np.zeros((384, 1536), np.int8)
    steps[1, 2], steps[3, 4] = 100, -100
    scales = np.linspace(0, 1, 384, dtype=np.float32)
    save_file({name: steps, name + SCALE: scales}, tmp_path / "some.safetensors")

    difference = adapted(packed, tmp_path / "some.safetensors").tensors[name] - packed.tensors[name]

    # Row 1 has the scale 1 / 383, row 3 has 3 / 383.
    assert difference[1, 2] == pytest.approx(100 / 383, abs=1e-5)
    assert difference[3, 4] == pytest.approx(-300 / 383, abs=1e-5)
    assert np.count_nonzero(difference) == 2


def test_differences_of_another_model_are_refused(packed: PackedModel, tmp_path: Path) -> None:
    save_file({"encoder.layer.11.output.LayerNorm.bias": np.zeros(768, np.float16)}, tmp_path / "other.safetensors")
    save_file({"encoder.layer.23.output.LayerNorm.bias": np.zeros(384, np.float16)}, tmp_path / "deep.safetensors")

    for file in ("other", "deep"):
        with pytest.raises(ModelError, match=r"does not fit this model: it changes \"encoder\.layer"):
            adapted(packed, tmp_path / f"{file}.safetensors")


def test_a_missing_or_damaged_file_says_what_to_do(packed: PackedModel, tmp_path: Path) -> None:
    (tmp_path / "damaged.safetensors").write_bytes(adaptation_file().read_bytes()[:1000])

    for file in ("damaged", "missing"):
        with pytest.raises(ModelError, match=r"does not load .*; install the project again"):
            adapted(packed, tmp_path / f"{file}.safetensors")


@pytest.mark.model
def test_both_models_can_be_named_and_differ(embedded: Encoder, unadapted: Encoder) -> None:
    assert (embedded.card.name, unadapted.card.name) == (DEFAULT_MODEL, EMBEDDED_MODEL)
    assert embedded.card.fingerprint != unadapted.card.fingerprint

    question = "Siapa presiden Kazakhstan?"

    cosine = float((embedded.embed_queries([question]).vectors @ unadapted.embed_queries([question]).vectors.T)[0, 0])
    assert 0.5 < cosine < 0.999
