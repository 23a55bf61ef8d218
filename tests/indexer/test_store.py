from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from corpus import Article
from indexer import IndexDamaged, Passage
from indexer.store import ARTICLES_FILE, PASSAGES_FILE, Store, StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

FULL = Article(
    id="b",
    title="Judul “dua” 🌊",
    text="Kapal 🚢 kandas.\n\n𝔘 adalah satu code point.",
    url="https://example.org/b",
    source="Harian Muara",
    author="Sari",
    published=date(2026, 1, 8),
    language="id",
    digest="d" * 64,
)
BARE = replace(FULL, id="a", title="", url=None, source=None, author=None, published=None, language="und", digest="e")


def passages_of(article: Article, *spans: tuple[int, int]) -> list[Passage]:
    return [
        Passage(f"{article.id}#{place}", article.id, article.text[start:end], start, end)
        for place, (start, end) in enumerate(spans)
    ]


def write(folder: Path, *articles: Article) -> Store:
    with StoreWriter(folder) as writer:
        for article in articles:
            writer.add(article, passages_of(article, (0, 15), (17, len(article.text))))
    return Store(folder)


def test_articles_come_back_as_they_went_in(tmp_path: Path) -> None:
    store = write(tmp_path, FULL, BARE)

    assert [store.article(0), store.article(1)] == [FULL, BARE]
    assert (store.n_articles, store.n_passages) == (2, 4)
    assert store.article_id(1) == "a"


def test_passages_are_slices_in_code_points_beyond_the_basic_plane(tmp_path: Path) -> None:
    store = write(tmp_path, FULL, BARE)

    assert store.passages(0, FULL) == passages_of(FULL, (0, 15), (17, len(FULL.text)))
    assert store.passages(0, FULL)[1].text == "𝔘 adalah satu code point."
    assert store.passage(3, BARE).id == "a#1"
    assert store.passage_article.tolist() == [0, 0, 1, 1]
    assert store.first_passage.tolist() == [0, 2, 4]


def test_an_article_is_found_by_its_id(tmp_path: Path) -> None:
    store = write(tmp_path, FULL, BARE)

    assert (store.article_row("a"), store.article_row("b")) == (1, 0)
    assert store.article_row("c") is None
    assert store.article_row("") is None


def test_ids_rank_by_code_point_whatever_order_they_were_written_in(tmp_path: Path) -> None:
    ids = ["z", "a10", "a2", "Z", "é", "𝔘", "ｚ"]
    store = write(tmp_path, *(replace(FULL, id=name) for name in ids))

    assert [ids[row] for row in np.argsort(store.id_rank())] == sorted(ids)


def test_columns_tell_missing_values_from_empty_ones(tmp_path: Path) -> None:
    store = write(tmp_path, FULL, BARE, replace(FULL, id="c"))

    codes, values = store.column("source")

    assert [values[code] for code in codes] == ["Harian Muara", None, "Harian Muara"]
    assert store.languages() == ["id", "und", "id"]
    assert np.isnat(store.published).tolist() == [False, True, False]
    assert store.published[0] == np.datetime64("2026-01-08")
    assert list(store.digests()) == [("b", "d" * 64), ("a", "e"), ("c", "d" * 64)]


def test_more_articles_than_one_batch_keep_their_passages(tmp_path: Path) -> None:
    articles = [replace(FULL, id=f"{number:04}") for number in range(700)]
    store = write(tmp_path, *articles)

    for row in (0, 255, 256, 511, 512, 699):
        assert store.article(row) == articles[row]
        assert store.passages(row, articles[row])[1].id == f"{row:04}#1"


def test_an_article_without_passages_takes_none_from_its_neighbours(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        writer.add(FULL, [])
        writer.add(BARE, passages_of(BARE, (0, 5)))
    store = Store(tmp_path)

    assert store.passages(0, FULL) == []
    assert [passage.id for passage in store.passages(1, BARE)] == ["a#0"]


@pytest.mark.parametrize("name", [ARTICLES_FILE, PASSAGES_FILE])
@pytest.mark.parametrize("content", [None, b"", b"ARROW1 but nothing after it"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    write(tmp_path, FULL)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(IndexDamaged, match=name):
        Store(tmp_path)


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    write(tmp_path, FULL)
    (tmp_path / PASSAGES_FILE).write_bytes((tmp_path / ARTICLES_FILE).read_bytes())

    with pytest.raises(IndexDamaged, match="other columns"):
        Store(tmp_path)


def test_a_writer_that_is_left_by_an_error_leaves_no_table_behind(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path)
    writer.add(FULL, [])
    writer.__exit__(RuntimeError, RuntimeError("stopped"), None)

    with pytest.raises(IndexDamaged):
        Store(tmp_path)
