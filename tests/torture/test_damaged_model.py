# A prepared model that was altered in the cache folder: it is refused before it embeds anything.

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder, ModelError, Runtime, find_prepared, open_encoder
from indexer.model import export_source
from indexer.prepared import SUMS_FILE, check_sums, write_sums

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CARD = HashingEncoder().card
FILES = ("card.json", "graph.bin", "graph.xml", "tokenizer.json")
SOURCE = ("source/config.json", "source/model.safetensors")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """Laid out as a prepared model; its weights are noise."""
    folder = tmp_path / f"model-{CARD.fingerprint[:12]}"
    (folder / "source").mkdir(parents=True)
    noise = random.Random(0)  # noqa: S311 - to be repeated, not to be secret
    for name in (*FILES, *SOURCE):
        (folder / name).write_bytes(noise.randbytes(3_000))
    (folder / "card.json").write_text(CARD.to_json() + "\n", encoding="utf-8")
    write_sums(folder)
    check_sums(folder)
    return folder


def flip(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    file.write_bytes(content)


@pytest.mark.parametrize("runtime", list(Runtime))
def test_a_flipped_byte_of_any_file_that_is_read_is_refused_with_its_name(
    prepared: Path, runtime: Runtime, rounds: Callable[..., int]
) -> None:
    names = FILES if runtime is Runtime.AUTO else FILES + SOURCE
    for seed in range(rounds(small=24, full=1_000)):
        chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        file = prepared / names[seed % len(names)]
        kept = file.read_bytes()
        flip(file, chance)

        with pytest.raises(ModelError, match=rf"{file} is not what was prepared .* cari model prepare"):
            open_encoder(prepared, runtime=runtime)
        file.write_bytes(kept)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_with_its_name(prepared: Path, name: str) -> None:
    (prepared / name).unlink()

    with pytest.raises(ModelError, match=rf"{name}.*remove {prepared}, then run: cari model prepare"):
        open_encoder(prepared)


def test_flipped_bytes_of_the_sums_are_refused_or_change_nothing(prepared: Path, rounds: Callable[..., int]) -> None:
    file = prepared / SUMS_FILE
    kept = file.read_bytes()
    blanks = 0
    for seed in range(rounds(small=60, full=2_000)):
        flip(file, random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
        try:
            check_sums(prepared)
        except ModelError:
            pass
        else:
            # One blank between two words became another.
            assert file.read_bytes().split() == kept.split(), seed
            blanks += 1
        file.write_bytes(kept)
    assert blanks < 20


def test_a_damaged_card_is_named_when_the_model_is_looked_for(prepared: Path, rounds: Callable[..., int]) -> None:
    assert find_prepared(CARD.fingerprint, cache=prepared.parent) == prepared
    file = prepared / "card.json"
    kept = file.read_bytes()
    for seed in range(rounds(small=50, full=1_000)):
        flip(file, random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
        with pytest.raises(ModelError, match=r"card\.json .*cari model prepare"):
            open_encoder(find_prepared(CARD.fingerprint, cache=prepared.parent) or prepared)
        file.write_bytes(kept)


def test_an_altered_model_is_not_exported(prepared: Path, tmp_path: Path) -> None:
    with (prepared / "source" / "model.safetensors").open("ab") as stream:
        stream.write(b"\0")

    with pytest.raises(ModelError, match=r"model\.safetensors is not what was prepared"):
        export_source(prepared, destination=tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


@pytest.mark.model
def test_a_flipped_bit_of_the_real_models_weights_is_refused(
    embedded_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in embedded_folder.iterdir():
        (folder / file.name).symlink_to(file)
    check_sums(folder)
    weights = folder / "graph.bin"
    weights.unlink()
    shutil.copyfile(embedded_folder / "graph.bin", weights)
    with weights.open("r+b") as stream:
        stream.seek(100_000_000)
        (byte,) = stream.read(1)
        stream.seek(100_000_000)
        stream.write(bytes([byte ^ 1]))

    def unread(*_: Any, **__: Any) -> None:  # noqa: ANN401 - stands for any reader
        pytest.fail("the damaged model was read")

    monkeypatch.setattr("indexer.model.GraphEncoder", unread)
    with pytest.raises(ModelError, match=r"graph\.bin is not what was prepared"):
        open_encoder(folder, threads=1)
