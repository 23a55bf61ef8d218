from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from indexer import BuildReport, IndexDamaged, IndexMismatch, IndexNotFound, publishing
from indexer.current import CURRENT, current_generation, generation_folder, generation_names, open_current
from indexer.generation import Generation, built_at, verify
from indexer.manifest import FORMAT, MANIFEST_FILE, read_manifest
from indexer.publishing import make_current, new_name, prune, rollback

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

NAMES = ["20260101T000000Z-aaaa", "20260101T000001Z-0000", "20260102T000000Z-ffff", "20260301T120000Z-1234"]


@pytest.fixture
def index(tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]) -> Path:
    """Three good generations; the newest is live."""
    folder = tmp_path / "index"
    for number in range(3):
        rows = write_rows(tmp_path / "articles.jsonl", [{"id": "a", "text": f"Kapal nomor {number} tiba di muara."}])
        build_quietly(rows, index=folder)
    return folder


def names_only(index: Path, *names: str) -> Path:
    for name in names:
        generation_folder(index, name).mkdir(parents=True)
    return index


def sign_as(folder: Path, found_format: int) -> None:
    manifest = read_manifest(folder)
    object.__setattr__(manifest, "format", found_format)
    (folder / MANIFEST_FILE).write_bytes(manifest.to_bytes())


def test_the_newest_of_several_builds_is_open_and_the_earlier_ones_are_kept(index: Path) -> None:
    opened = open_current(index)

    assert generation_names(index) == sorted(generation_names(index))
    assert opened.name == generation_names(index)[-1] == current_generation(index)
    assert opened.store.article(0).text == "Kapal nomor 2 tiba di muara."
    assert len(opened.vectors) == opened.store.n_passages == opened.manifest.passages == 1
    assert datetime.now(UTC) - opened.built_at < timedelta(minutes=5)


def test_each_byte_of_each_file_is_verified_at_open(index: Path) -> None:
    folder = generation_folder(index, current_generation(index))
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(IndexDamaged, match=rf"{file.name}.*cari rollback"):
                open_current(index)
        file.write_bytes(whole)
    open_current(index)


@pytest.mark.parametrize("damage", ["missing", "cut", "longer"])
def test_a_file_that_is_missing_or_of_another_length_is_named(index: Path, damage: str) -> None:
    folder = generation_folder(index, current_generation(index))
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        file.unlink()
        if damage != "missing":
            file.write_bytes(whole[:-1] if damage == "cut" else whole + b"\0")
        with pytest.raises(IndexDamaged, match=file.name):
            open_current(index)
        file.write_bytes(whole)


def test_another_format_is_refused_with_the_command_to_run(index: Path) -> None:
    sign_as(generation_folder(index, current_generation(index)), FORMAT + 1)

    with pytest.raises(IndexMismatch, match=r"reads format \d+; build the index again: cari build"):
        open_current(index)


def test_files_that_disagree_are_refused_though_each_is_whole(index: Path) -> None:
    folder = generation_folder(index, current_generation(index))
    manifest = read_manifest(folder)
    object.__setattr__(manifest, "passages", 2)
    (folder / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    renamed = folder.rename(folder.with_name(f"{folder.name[:-4]}{manifest.sha256[:4]}"))

    with pytest.raises(IndexDamaged, match=r"disagrees with itself: 1 passages, 1 vectors.* 2 in the manifest"):
        Generation(renamed)


def test_an_index_without_current_says_how_to_build_one(index: Path) -> None:
    (index / CURRENT).unlink()

    with pytest.raises(IndexNotFound, match=r"no index in .*cari build"):
        open_current(index)


def test_a_file_in_place_of_the_folder_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(IndexNotFound, match="no index in"):
        current_generation(tmp_path / "file")


@pytest.mark.parametrize(
    "content", ["", "\n", "nonsense", "../..", "../../etc", "/", NAMES[0] + "/..", NAMES[0] * 2, "é", "\0" * 10]
)
def test_current_with_anything_but_a_name_is_refused_without_following_it(index: Path, content: str) -> None:
    (index / CURRENT).write_text(content, encoding="utf-8")

    with pytest.raises(IndexDamaged, match=r"CURRENT .*cari rollback"):
        open_current(index)


def test_current_that_names_what_is_gone_is_damage(index: Path) -> None:
    make_current(index, NAMES[0])

    with pytest.raises(IndexDamaged, match=f"{NAMES[0]}/manifest.json is missing"):
        open_current(index)


def test_rollback_walks_back_one_generation_at_a_time_and_then_says_there_is_none(index: Path) -> None:
    first, second, third = generation_names(index)

    assert [rollback(index), rollback(index)] == [second, first]
    assert current_generation(index) == first
    with pytest.raises(IndexNotFound, match=f"no good generation before {first}.*cari build"):
        rollback(index)
    assert current_generation(index) == first
    assert generation_folder(index, third).is_dir()


@pytest.mark.parametrize("spoil", ["damage", "format"])
def test_rollback_passes_over_generations_that_would_not_open(index: Path, spoil: str) -> None:
    first, second, _ = generation_names(index)
    if spoil == "damage":
        (generation_folder(index, second) / "vectors.faiss").write_bytes(b"")
    else:
        sign_as(generation_folder(index, second), FORMAT + 1)

    assert rollback(index) == first


@pytest.mark.parametrize("content", [None, "../..", NAMES[0]])
def test_rollback_mends_a_current_that_is_lost_or_nonsense(index: Path, content: str | None) -> None:
    (index / CURRENT).unlink()
    if content is not None:
        (index / CURRENT).write_text(content)
    names = generation_names(index)

    if content == NAMES[0]:  # older than all: nothing lies before it
        with pytest.raises(IndexNotFound):
            rollback(index)
    else:
        assert rollback(index) == names[-1]
        open_current(index)


def test_rollback_of_an_empty_folder_says_to_build(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="cari build"):
        rollback(tmp_path)


def test_a_new_name_is_later_than_every_other_when_the_clock_goes_back(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = open_current(index).manifest
    names_only(index, "20990101T235959Z-ffff")

    class Past(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(1999, 1, 1, tzinfo=tz)

    monkeypatch.setattr(publishing, "datetime", Past)

    name = new_name(index, manifest)
    assert name == f"20990102T000000Z-{manifest.sha256[:4]}"
    assert built_at(name) == datetime(2099, 1, 2, tzinfo=UTC)


def test_two_builds_within_a_second_have_names_in_order(index: Path) -> None:
    manifest = open_current(index).manifest
    first = new_name(index, manifest)
    names_only(index, first)

    assert new_name(index, manifest) > first


@pytest.mark.parametrize("keep", [0, 1, 2, 3, 4, 9])
def test_pruning_keeps_the_newest_others(tmp_path: Path, keep: int) -> None:
    names_only(tmp_path, *NAMES)
    make_current(tmp_path, NAMES[3])

    prune(tmp_path, keep=keep)

    assert generation_names(tmp_path) == NAMES[max(0, 3 - keep) :]


def test_pruning_never_removes_the_live_generation_however_old(tmp_path: Path) -> None:
    names_only(tmp_path, *NAMES)
    make_current(tmp_path, NAMES[0])

    prune(tmp_path, keep=1)

    assert generation_names(tmp_path) == [NAMES[0], NAMES[3]]


def test_pruning_leaves_what_is_no_generation_alone(tmp_path: Path) -> None:
    names_only(tmp_path, NAMES[0], "notes", "20260101T000000Z-aaaa.backup")
    make_current(tmp_path, NAMES[0])

    prune(tmp_path, keep=0)

    assert (tmp_path / "generations" / "notes").is_dir()
    assert (tmp_path / "generations" / "20260101T000000Z-aaaa.backup").is_dir()


def test_what_is_open_stays_readable_after_its_files_are_removed(
    index: Path, tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    opened = open_current(index)
    rows = write_rows(tmp_path / "articles.jsonl", [{"id": "b", "text": "Artikel lain sama sekali."}])

    build_quietly(rows, index=index, keep=0)

    assert generation_names(index) == [current_generation(index)] != [opened.name]
    assert opened.store.article(0).text == "Kapal nomor 2 tiba di muara."
    assert opened.vectors.vectors(opened.store.passage_article.astype("int64")).shape == (1, 64)


def test_a_manifest_lists_every_other_file_of_its_folder(index: Path) -> None:
    folder = generation_folder(index, current_generation(index))
    written = json.loads((folder / MANIFEST_FILE).read_bytes())

    assert set(written["files"]) | {MANIFEST_FILE} == {path.name for path in folder.iterdir()}
    assert verify(folder).sha256 == written["sha256"]
