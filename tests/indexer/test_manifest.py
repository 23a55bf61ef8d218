from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer import ChunkSettings, HashingEncoder, IndexDamaged, IndexMismatch, StorySettings
from indexer.manifest import FORMAT, MANIFEST_FILE, FileSum, Manifest, read_manifest, sum_file
from indexer.recall import Reach, VectorSearch

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = Manifest(
    format=FORMAT,
    model=HashingEncoder(name="péngurai").card,
    chunking=ChunkSettings(),
    late=True,
    vectors=VectorSearch(exact_rows=2, questions=200, reaches=(Reach(depth=10, candidates=32, recall=0.9935),)),
    grouping=StorySettings(),
    articles=2,
    passages=3,
    stories=2,
    languages={"id": 1, "en": 1},
    files={"a.bin": FileSum(3, "ab" * 32)},
)


def signed(content: dict[str, Any]) -> bytes:
    """A manifest with these contents and the right checksum, as another version might have written it."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    content = content | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def unsigned() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(MANIFEST.to_bytes())
    del content["sha256"]
    return content


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(MANIFEST.to_bytes())

    assert read_manifest(tmp_path) == MANIFEST


def test_equal_contents_give_an_equal_name_and_other_contents_another() -> None:
    same = replace(MANIFEST, languages={"en": 1, "id": 1})

    assert same.sha256 == MANIFEST.sha256
    assert replace(MANIFEST, passages=4).sha256 != MANIFEST.sha256


def test_no_byte_can_change_unnoticed(tmp_path: Path) -> None:
    whole = MANIFEST.to_bytes()
    file = tmp_path / MANIFEST_FILE
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(IndexDamaged):
            read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"null", b"{}", b'{"sha256": 5}', b"\xff\xfe", b'{"format": 1}', b"[" * 100_000]
)
def test_what_is_no_manifest_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / MANIFEST_FILE).write_bytes(content)

    with pytest.raises(IndexDamaged, match=MANIFEST_FILE):
        read_manifest(tmp_path)


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1])
def test_another_format_says_to_build_again(tmp_path: Path, other: int) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(signed(unsigned() | {"format": other, "unheard_of": {}}))

    with pytest.raises(IndexMismatch, match=f"has index format {other}.*reads format {FORMAT}.*cari build"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"unheard_of": 1}, {"model": {}}, {"files": {"a": {}}}, {"files": 3}, {"chunking": {"max_tokens": 1}}],
)
def test_a_manifest_of_this_format_with_other_fields_is_damaged(tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(signed(unsigned() | changes))

    with pytest.raises(IndexDamaged, match=MANIFEST_FILE):
        read_manifest(tmp_path)


def test_a_checksum_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    assert sum_file(tmp_path / "a") == FileSum(3, hashlib.sha256(b"abc").hexdigest())
