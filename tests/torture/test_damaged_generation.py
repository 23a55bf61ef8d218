# Generations whose files were altered, cut, lengthened, lost, added or exchanged: each is refused, naming the file.

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from indexer import IndexDamaged, current_generation, open_current, open_good
from indexer.current import generation_folder, generation_names
from indexer.manifest import MANIFEST_FILE, read_manifest
from indexer.publishing import rollback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import BuildReport

STRANGE_NAMES = ("lexical.id.absent.npy", "vectors.faiss.new", ".hidden", "0", "manifest.json~", "é")


def rows(number: int) -> list[dict[str, str]]:
    rows = [
        {"id": f"{one}", "title": f"Kapal {one}", "text": f"Kapal {one} tiba di muara {number}.", "lang": "id"}
        for one in range(6)
    ]
    return [*rows, {"id": "ship", "text": f"A ship arrived at pier {number}.", "lang": "en"}]


def live_folder(index: Path) -> Path:
    return generation_folder(index, current_generation(index))


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def alter(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    file.write_bytes(content)


def cut(file: Path, chance: random.Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def lengthen(file: Path, chance: random.Random) -> None:
    with file.open("ab") as stream:
        stream.write(chance.choice([b"\0", b"\n", b"}", chance.randbytes(chance.randrange(1, 9_000))]))


def insert(file: Path, chance: random.Random) -> None:
    content = file.read_bytes()
    place = chance.randrange(len(content))
    file.write_bytes(content[:place] + chance.randbytes(chance.randrange(1, 4)) + content[place:])


def blank(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    first = next(place for place, byte in enumerate(content) if byte)
    end = chance.randrange(first + 1, len(content) + 1)
    content[first:end] = bytes(end - first)
    file.write_bytes(content)


def lose(file: Path, _chance: random.Random) -> None:
    file.unlink()


def replace_by_folder(file: Path, _chance: random.Random) -> None:
    file.unlink()
    file.mkdir()


HURTS = (alter, alter, alter, cut, lengthen, insert, blank, lose, replace_by_folder)


def test_any_hurt_to_any_file_of_a_generation_is_refused_at_open_with_the_files_name(
    index: Path, rounds: Callable[..., int]
) -> None:
    folder = live_folder(index)
    files = sorted(file for file in folder.iterdir() if file.stat().st_size)
    empty = {file.name for file in folder.iterdir()} - {file.name for file in files}
    assert empty == set()
    for seed in range(rounds(small=200, full=1000)):
        chance = chance_of(seed)
        # Every file in turn, and then as chance has it.
        file = files[seed] if seed < len(files) else chance.choice(files)
        kept = file.read_bytes()
        hurt = chance.choice(HURTS)
        hurt(file, chance)

        with pytest.raises(IndexDamaged) as refused:
            open_current(index)

        assert str(file) in str(refused.value), (seed, hurt.__name__)
        assert f"cari rollback --index {index}" in str(refused.value), (seed, hurt.__name__)
        if file.is_dir():
            file.rmdir()
        file.write_bytes(kept)
    open_current(index)


def test_each_bit_of_the_manifest_counts(index: Path, rounds: Callable[..., int]) -> None:
    folder = live_folder(index)
    manifest = folder / MANIFEST_FILE
    content = manifest.read_bytes()
    bits = range(8 * len(content))
    for bit in chance_of(0).sample(bits, min(len(bits), rounds(small=300, full=len(bits)))):
        altered = bytearray(content)
        altered[bit // 8] ^= 1 << bit % 8
        manifest.write_bytes(altered)
        with pytest.raises(IndexDamaged, match=MANIFEST_FILE):
            read_manifest(folder)


@pytest.mark.parametrize("name", STRANGE_NAMES)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_no_build_wrote_is_refused_by_its_name(index: Path, name: str, kind: str) -> None:
    strange = live_folder(index) / name
    strange.mkdir() if kind == "folder" else strange.write_bytes(b"")

    with pytest.raises(IndexDamaged, match=r"was not written by a build; remove it, or run: cari rollback") as refused:
        open_current(index)
    assert str(strange) in str(refused.value)


def test_a_whole_generation_under_the_name_of_another_is_refused(index: Path) -> None:
    first, second = (generation_folder(index, name) for name in generation_names(index))
    shutil.rmtree(second)
    shutil.copytree(first, second)

    with pytest.raises(IndexDamaged, match=rf"{second}/manifest.json is of another generation"):
        open_current(index)


def test_the_manifest_of_another_generation_is_refused(index: Path) -> None:
    first, second = (generation_folder(index, name) for name in generation_names(index))
    shutil.copy(first / MANIFEST_FILE, second / MANIFEST_FILE)

    with pytest.raises(IndexDamaged, match=r"manifest\.json is of another generation"):
        open_current(index)


def test_where_the_live_generation_is_hurt_the_newest_good_one_opens(index: Path, rounds: Callable[..., int]) -> None:
    first, second = generation_names(index)
    assert open_good(index).name == second
    for seed in range(rounds(small=5, full=50)):
        chance = chance_of(seed)
        file = chance.choice(sorted(live_folder(index).iterdir()))
        kept = file.read_bytes()
        alter(file, chance)

        assert open_good(index).name == first, seed
        assert current_generation(index) == second
        file.write_bytes(kept)
    assert open_good(index).name == second


def test_where_none_is_good_the_reason_is_that_of_the_live_one(index: Path) -> None:
    first, second = (generation_folder(index, name) for name in generation_names(index))
    (first / "stories.npy").unlink()
    (second / "vectors.faiss").unlink()

    with pytest.raises(IndexDamaged, match=rf"{second}/vectors\.faiss is missing"):
        open_good(index)


def test_what_was_rolled_back_from_opens_only_where_nothing_before_does(
    index: Path, tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    rows = write_rows(tmp_path / "articles.jsonl", [{"id": "a", "text": "Kapal ketiga tiba di muara."}])
    build_quietly(rows, index=index)
    first, second, third = generation_names(index)
    assert rollback(index) == second
    (generation_folder(index, second) / "vectors.faiss").unlink()
    assert open_good(index).name == first
    (generation_folder(index, first) / "vectors.faiss").unlink()
    assert open_good(index).name == third


def test_a_build_over_hurt_generations_publishes_a_whole_one(
    index: Path,
    tmp_path: Path,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
    rounds: Callable[..., int],
) -> None:
    rows = write_rows(tmp_path / "articles.jsonl", [{"id": "a", "text": "Kapal ketiga tiba di muara."}])
    for seed in range(rounds(small=2, full=40)):
        chance = chance_of(seed)
        for name in generation_names(index):
            chance.choice(HURTS)(chance.choice(sorted(generation_folder(index, name).iterdir())), chance)

        report = build_quietly(rows, index=index)

        assert report.published, seed
        assert "could not be reused" in report.notes[0], seed
        assert open_current(index).name == report.generation
