from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer import IndexDamaged, StorySettings
from indexer.stories import (
    STORIES_FILE,
    Comparisons,
    Stories,
    find_stories,
    read_sketches,
    read_stories,
    sketch,
    write_stories,
)
from indexer.wording import wording_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import BuildReport

SETTINGS = StorySettings()


def paragraph(topic: int) -> str:
    """Forty words that no other topic has."""
    return " ".join(f"kata{topic}x{''.join(chr(97 + int(digit)) for digit in str(place))}" for place in range(40))


def text(*topics: int) -> str:
    return "\n\n".join(paragraph(topic) for topic in topics)


def stories(texts: dict[str, str]) -> set[frozenset[str]]:
    """The ids of each story's articles, the articles read in the order given."""
    ids = list(texts)
    wordings = [wording_of("", one, settings=SETTINGS) for one in texts.values()]
    sketches = np.stack([sketch(one, settings=SETTINGS) for one in wordings])
    rank = np.argsort(np.argsort(ids))
    story = find_stories(
        sketches, id_rank=rank, same=Comparisons(wordings.__getitem__, settings=SETTINGS).same, settings=SETTINGS
    )
    return {frozenset(key for key, of in zip(ids, story, strict=True) if of == name) for name in story}


def partition(*groups: str) -> set[frozenset[str]]:
    return {frozenset(group) for group in groups}


def test_copies_and_shortened_copies_are_one_story_and_others_are_not() -> None:
    texts = {"a": text(1, 2, 3), "b": text(1, 2, 3), "c": text(1, 2), "d": text(4, 5, 6), "e": "", "f": "Lain."}

    assert stories(texts) == partition("abc", "d", "e", "f")


def test_a_chain_whose_ends_have_nothing_in_common_is_not_one_story() -> None:
    # Each shares half of all its words with the next one, the first and the last share none.
    texts = {"a": text(1, 2, 3), "b": text(2, 3, 4), "c": text(3, 4, 5), "d": text(4, 5, 6)}

    found = stories(texts)

    assert not any({"a", "d"} <= story for story in found)
    assert not any({"a", "c"} <= story for story in found)


def test_every_article_of_a_story_resembles_its_longest_text() -> None:
    texts = {"a": text(1, 2, 3, 4), "b": text(1, 2, 3), "c": text(1, 2), "d": text(1)}

    assert stories(texts) == partition("abc", "d")


@pytest.mark.parametrize("turn", range(5))
def test_the_order_of_reading_does_not_matter(turn: int) -> None:
    keys = "qwertyuiop"
    texts = {key: text(*range(place // 3 * 10, place // 3 * 10 + 6 - place % 3)) for place, key in enumerate(keys)}
    expected = stories(texts)
    turned = keys[turn * 2 :] + keys[: turn * 2]

    assert stories({key: texts[key] for key in reversed(turned)}) == expected
    assert len(expected) == 4


def test_equal_texts_are_one_story_under_the_smallest_id() -> None:
    wordings = [wording_of("", text(1, 2), settings=SETTINGS)] * 3
    sketches = np.stack([sketch(one, settings=SETTINGS) for one in wordings])

    story = find_stories(
        sketches,
        id_rank=np.array([2, 0, 1]),
        same=Comparisons(wordings.__getitem__, settings=SETTINGS).same,
        settings=SETTINGS,
    )

    assert story.tolist() == [1, 1, 1]


def test_the_articles_of_a_story_are_found_from_any_of_them() -> None:
    known = Stories(np.array([3, 1, 3, 3, 4], np.int32))

    assert len(known) == 5
    assert [known.articles(row).tolist() for row in range(5)] == [[0, 2, 3], [1], [0, 2, 3], [0, 2, 3], [4]]


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    sketches = np.stack([sketch(wording_of("", text(1), settings=SETTINGS), settings=SETTINGS)])
    write_stories(sketches, np.array([0], np.int32), comparisons=np.empty((0, 3), np.int32), folder=tmp_path)

    assert read_stories(tmp_path).of.tolist() == [0]
    assert (read_sketches(tmp_path) == sketches).all()


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_file_that_is_no_list_of_stories_is_damage(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / STORIES_FILE).write_bytes(content)

    with pytest.raises(IndexDamaged, match=STORIES_FILE):
        read_stories(tmp_path)


def test_a_list_of_other_numbers_is_damage(tmp_path: Path) -> None:
    np.save(tmp_path / STORIES_FILE, np.zeros((2, 2)))

    with pytest.raises(IndexDamaged, match=r"holds float64 \(2, 2\), expected int32"):
        read_stories(tmp_path)


def test_a_build_counts_stories_and_sketches_only_what_is_new(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> None:
    rows: list[dict[str, Any]] = [{"id": key, "text": text(1, 2)} for key in "ab"] + [{"id": "c", "text": text(7, 8)}]
    first = build_quietly(write_rows(tmp_path / "a.jsonl", rows), index=tmp_path / "index")
    sketched: list[str] = []

    def spy(wording: Any, **how: Any) -> Any:  # noqa: ANN401
        sketched.append("once")
        return sketch(wording, **how)

    # The package exports the function under the name of the module.
    monkeypatch.setattr(import_module("indexer.build"), "sketch", spy)
    rows[2]["text"] = text(1, 2) + " tambahan"
    second = build_quietly(write_rows(tmp_path / "a.jsonl", rows), index=tmp_path / "index")

    assert (first.stories, second.stories) == (2, 1)
    assert sketched == ["once"]
