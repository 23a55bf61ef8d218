# The commands that read an index, on indexes that were hurt: refused at once, with the reason and what to run next.

from __future__ import annotations

import json
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest

from indexer import current_generation
from indexer.current import generation_folder, generation_names
from indexer.lock import build_lock
from indexer.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

TEXT = "Kapal feri nomor {} tiba di muara sejak pagi. Warga menonton dari tepi."


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return tmp_path / "article.txt"


@pytest.fixture
def index(tmp_path: Path, articles: Path, cari: Callable[..., Any]) -> Path:
    """Two good generations."""
    for number in range(2):
        articles.write_text(TEXT.format(number), encoding="utf-8")
        assert cari("build", articles, "--index", tmp_path / "index").status == 0
    return tmp_path / "index"


def live_folder(index: Path) -> Path:
    return generation_folder(index, current_generation(index))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def refused(done: Any, *words: str) -> None:  # noqa: ANN401 - what the fixture returns
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1, done.err
    assert done.err.startswith("error: ")
    for word in words:
        assert word in done.err


FILES = (
    "articles.arrow",
    "comparisons.npy",
    "lexical.id.data.npy",
    "lexical.id.indices.npy",
    "lexical.id.indptr.npy",
    "lexical.id.json",
    "lexical.id.vocabulary.json",
    "manifest.json",
    "passages.00000.npz",
    "passages.arrow",
    "sketches.npy",
    "stories.npy",
    "token-offsets.json",
    "tokens.00000.bin",
    "vector-offsets.json",
    "vectors.00000.bin",
    "vectors.faiss",
)
READERS = [("search", "kapal"), ("similar", "kapal"), ("info",), ("verify",)]


@pytest.mark.parametrize("command", [*READERS, ("serve",), ("rollback",)], ids=lambda command: command[0])
def test_a_folder_without_an_index_is_refused(
    tmp_path: Path, cari: Callable[..., Any], command: tuple[str, ...]
) -> None:
    refused(cari(*command, "--index", tmp_path / "absent"), "cari build", str(tmp_path / "absent"))


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
@pytest.mark.parametrize("content", ["", "garbage", "../..", "/etc"])
def test_current_with_garbage_is_refused_and_names_rollback(
    index: Path, cari: Callable[..., Any], command: tuple[str, ...], content: str
) -> None:
    (index / "CURRENT").write_text(content)

    refused(cari(*command, "--index", index), "CURRENT", "cari rollback")


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_refused_at_open_with_the_files_name(
    index: Path, cari: Callable[..., Any], name: str
) -> None:
    flip(live_folder(index) / name)

    refused(cari("search", "kapal", "--index", index), name, "cari rollback")


def test_the_damage_test_above_covers_every_file(index: Path) -> None:
    files = {path.name for path in live_folder(index).iterdir()}

    assert files == set(FILES)


def test_rollback_brings_the_earlier_generation_back(index: Path, cari: Callable[..., Any]) -> None:
    first, second = generation_names(index)
    flip(live_folder(index) / "vectors.faiss")

    done = cari("rollback", "--index", index, "--json")

    assert (done.status, json.loads(done.out)) == (0, {"generation": first})
    assert current_generation(index) == first
    assert generation_names(index) == [first, second]


def test_rollback_without_an_earlier_generation_says_to_build(index: Path, cari: Callable[..., Any]) -> None:
    assert cari("rollback", "--index", index).status == 0
    first = current_generation(index)

    refused(cari("rollback", "--index", index), first, "cari build")
    assert current_generation(index) == first


def test_verify_reads_every_generation_and_names_what_is_damaged(index: Path, cari: Callable[..., Any]) -> None:
    first, second = generation_names(index)
    whole = cari("verify", "--index", index)
    flip(generation_folder(index, first) / "vectors.faiss")

    done = cari("verify", "--index", index, "--json")

    assert (whole.status, whole.out.count("  ok")) == (0, 2)
    results = {result["generation"]: result for result in json.loads(done.out)["generations"]}
    assert done.status == 1
    assert (results[first]["ok"], results[first]["live"]) == (False, False)
    assert "vectors.faiss" in results[first]["reason"]
    assert (results[second]["ok"], results[second]["live"], results[second]["reason"]) == (True, True, None)


def test_verify_notices_that_the_live_generation_is_gone(index: Path, cari: Callable[..., Any]) -> None:
    (index / "CURRENT").write_text("20200101T000000Z-0000\n")

    done = cari("verify", "--index", index)

    assert done.status == 1
    assert "CURRENT names 20200101T000000Z-0000, which is not there; run: cari rollback" in done.out


def test_an_index_of_another_format_says_to_build_again(index: Path, cari: Callable[..., Any]) -> None:
    manifest = read_manifest(live_folder(index))
    object.__setattr__(manifest, "format", manifest.format + 1)
    (live_folder(index) / "manifest.json").write_bytes(manifest.to_bytes())

    refused(cari("search", "kapal", "--index", index), f"index format {manifest.format}", "cari build")


def test_an_index_of_a_model_that_is_not_here_is_refused_with_its_name(index: Path, cari: Callable[..., Any]) -> None:
    refused(cari("search", "kapal", "--index", index), 'no model "hashing"')


def test_info_tells_what_is_live(index: Path, cari: Callable[..., Any]) -> None:
    done = cari("info", "--index", index, "--json")

    content = json.loads(done.out)
    first, second = generation_names(index)
    assert (content["generation"], content["kept"]) == (second, [first])
    assert (content["articles"], content["passages"], content["model"]) == (1, 1, "hashing")
    assert content["size_bytes"] == sum(
        path.stat().st_size for path in live_folder(index).iterdir() if path.name != "manifest.json"
    )


def hold(index: Path, told: Connection) -> None:
    with build_lock(index):
        told.send("held")
        told.recv()


def test_a_build_beside_another_is_refused_and_names_its_process(
    index: Path, articles: Path, cari: Callable[..., Any]
) -> None:
    names = generation_names(index)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(index, there))
    process.start()
    assert here.poll(60)
    try:
        refused(cari("build", articles, "--index", index), "another build is at work", f"process {process.pid} on")
    finally:
        here.send("go")
        process.join(60)

    assert (current_generation(index), generation_names(index)) == (names[-1], names)
    # What a killed holder left behind does not stand in the way.
    (index / "build.lock.json").write_text('{"pid": 1, "host": "x", "since": "y"}')
    assert cari("build", articles, "--index", index).status == 0


def test_a_build_replaces_a_damaged_live_generation_and_says_so(
    index: Path, articles: Path, cari: Callable[..., Any]
) -> None:
    flip(live_folder(index) / "vectors.faiss")

    done = cari("build", articles, "--index", index)

    assert done.status == 0
    assert "note: the live generation could not be reused:" in done.err
    assert cari("verify", "--index", index).out.count("live  ok") == 1
