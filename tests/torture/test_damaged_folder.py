# What lies beside the generations, damaged: CURRENT, the keys, the lock, the cache. One line says what to do.

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from indexer import IndexDamaged, current_generation, open_current, open_good
from indexer.current import generation_names
from indexer.lock import build_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


TEXT = "Kapal feri nomor {} tiba di muara sejak pagi. Warga menonton dari tepi."
GARBAGE = {
    "empty": b"",
    "a blank": b"\n",
    "zeros": bytes(23),
    "not text": b"\xff\xfe\x80",
    "a path": b"../../etc",
    "a number": b"1",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "half": b'{"pid": 12, "ho',
    "other fields": b'{"a": [{"b": null}]}',
}


def rows(number: int) -> list[dict[str, str]]:
    return [{"id": "kapal", "text": TEXT.format(number)}]


@pytest.fixture
def articles(whole: Path) -> Path:
    return whole / "articles.jsonl"


def refused(done: Any, *words: object) -> None:  # noqa: ANN401 - what the fixture returns
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1, done.err
    assert done.err.startswith("error: ")
    for word in words:
        assert str(word) in done.err


def test_a_flipped_byte_of_current_is_refused_or_names_what_it_named(index: Path, rounds: Callable[..., int]) -> None:
    file = index / "CURRENT"
    kept = file.read_bytes()
    live = current_generation(index)
    for seed in range(rounds(small=40, full=1_000)):
        chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        content = bytearray(kept)
        content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
        file.write_bytes(content)
        try:
            name = open_current(index).name
        except IndexDamaged as error:
            assert f"cari rollback --index {index}" in str(error), seed  # noqa: PT017 - or nothing is raised
        else:
            assert name == live, seed
        # A service falls back to the newest, which is the one that was live.
        assert open_good(index).name in generation_names(index), seed


@pytest.mark.parametrize("command", [("search", "kapal"), ("similar", "kapal"), ("info",), ("verify",)])
@pytest.mark.parametrize("garbage", ["empty", "a blank", "zeros", "not text", "a path"])
def test_current_with_garbage_is_refused_until_a_rollback_mends_it(
    index: Path, cari: Callable[..., Any], command: tuple[str, ...], garbage: str
) -> None:
    (index / "CURRENT").write_bytes(GARBAGE[garbage])

    refused(cari(*command, "--index", index), index / "CURRENT", f"cari rollback --index {index}")

    assert cari("rollback", "--index", index).status == 0
    assert current_generation(index) == generation_names(index)[-1]


@pytest.mark.parametrize("command", [("search", "kapal"), ("info",), ("verify",), ("rollback",), ("build",)])
def test_a_folder_in_the_place_of_current_is_refused_until_it_is_moved_away(
    index: Path, articles: Path, cari: Callable[..., Any], command: tuple[str, ...]
) -> None:
    (index / "CURRENT").unlink()
    (index / "CURRENT").mkdir()
    arguments = (*command, articles) if command == ("build",) else command
    done = cari(*arguments, "--index", index)

    assert done.status == 1
    assert f"error: {index / 'CURRENT'} is a folder, expected a file; move it away" in done.err
    assert "Traceback" not in done.err
    (index / "CURRENT").rmdir()
    assert cari("rollback", "--index", index).status == 0
    open_current(index)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_the_file_that_names_the_builds_holder_stands_in_nobodys_way(
    index: Path, articles: Path, cari: Callable[..., Any], garbage: str
) -> None:
    (index / "build.lock.json").write_bytes(GARBAGE[garbage])

    assert cari("build", articles, "--index", index).status == 0


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_build_beside_another_is_refused_though_the_holders_name_is_garbage(
    index: Path, articles: Path, cari: Callable[..., Any], garbage: str
) -> None:
    with build_lock(index):
        (index / "build.lock.json").write_bytes(GARBAGE[garbage])

        refused(cari("build", articles, "--index", index), "another build is at work", "run again")


@pytest.mark.parametrize("name", ["build.lock", "build.lock.json", "cache/vectors.sqlite", "cache"])
def test_a_folder_or_file_in_a_files_place_stops_a_build_with_its_name(
    index: Path, articles: Path, cari: Callable[..., Any], name: str
) -> None:
    live = current_generation(index)
    path = index / name
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("no folder")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    articles = articles.with_name("more.jsonl")
    articles.write_text('{"id": "a", "text": "Kapal lain."}\n', encoding="utf-8")

    refused(cari("build", articles, "--index", index), path, "run the same command again")

    assert current_generation(index) == live
    open_current(index)


def test_files_among_the_generations_are_left_alone(index: Path, articles: Path, cari: Callable[..., Any]) -> None:
    strange = [index / "generations" / name for name in ("20200101T000000Z-0000", "notes.txt", ".DS_Store")]
    for path in strange:
        path.write_text("no generation")
    articles = articles.with_name("more.jsonl")
    articles.write_text('{"id": "a", "text": "Kapal lain."}\n', encoding="utf-8")

    assert cari("verify", "--index", index).status == 0
    assert cari("build", articles, "--index", index, "--keep", "0").status == 0
    assert len(generation_names(index)) == 1
    assert all(path.is_file() for path in strange)


@pytest.mark.parametrize(
    "command", [("keys", "list"), ("keys", "create", "a"), ("serve", "--set", "require_key=always")]
)
@pytest.mark.parametrize("garbage", [*(name for name in GARBAGE if name != "a list"), "a folder"])
def test_a_damaged_file_of_keys_is_refused_and_lets_nobody_in(
    index: Path, cari: Callable[..., Any], command: tuple[str, ...], garbage: str
) -> None:
    if garbage == "a folder":
        (index / "keys.json").mkdir()
    else:
        (index / "keys.json").write_bytes(GARBAGE[garbage])

    refused(cari(*command, "--index", index), index / "keys.json", "run: cari keys create")
