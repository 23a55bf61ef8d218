from __future__ import annotations

import shutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from corpus import PathError
from indexer import (
    BuildReport,
    ChunkSettings,
    HashingEncoder,
    IndexBusy,
    IndexerError,
    IndexNotWritable,
    current_generation,
    embedding,
    open_current,
)
from indexer.cache import CACHE_FILE
from indexer.current import generation_folder, generation_names
from indexer.lock import build_lock
from indexer.publishing import make_current, rollback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import Generation
    from indexer.encoder import Embedding

Row = dict[str, Any]
SMALL_PASSAGES = ChunkSettings(max_tokens=64, max_title_tokens=16)
# The package exports the function under the same name.
build_module = import_module("indexer.build")

TOPICS = ("bus listrik", "kapal feri", "panen padi", "jalan tol", "bank sampah")
# Each passage holds 64 tokens at most: four such paragraphs are four passages.
WORDS = "yang baru di kota pesisir itu dibahas oleh warga dan pemerintah setempat pada rapat terbuka hari ini"


def paragraph(topic: str, number: int) -> str:
    return f"Bagian {number} tentang {topic}: {topic} {WORDS}. Rapat {number} soal {topic} berjalan sampai sore hari."


def row(number: int, **changes: object) -> Row:
    topic = TOPICS[number]
    text = "\n\n".join(paragraph(topic, place) for place in range(4))
    return {"id": f"a{number}", "title": f"Kabar {topic}", "text": text, "lang": "id", **changes}


class Spy(HashingEncoder):
    """Remembers what it was asked to embed."""

    def __init__(self, *, name: str = "hashing") -> None:
        super().__init__(name=name)
        self.texts: list[str] = []
        self.fails_after: int | None = None

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        if self.fails_after is not None and len(self.texts) + len(texts) > self.fails_after:
            raise KeyboardInterrupt
        self.texts += texts
        return super().embed_passages(texts)


class Site:
    """A folder of articles and the index made of it."""

    def __init__(self, folder: Path, *, write: Callable[..., Path], run: Callable[..., BuildReport]) -> None:
        self.index = folder / "index"
        self.articles = folder / "articles.jsonl"
        self._write = write
        self._run = run

    def build(
        self,
        *rows: Row | str,
        encoder: HashingEncoder | None = None,
        settings: ChunkSettings = SMALL_PASSAGES,
        keep: int = 2,
    ) -> BuildReport:
        self._write(self.articles, rows)
        return self._run(self.articles, index=self.index, encoder=encoder, settings=settings, keep=keep)

    def open(self) -> Generation:
        return open_current(self.index)


@pytest.fixture
def site(tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]) -> Site:
    return Site(tmp_path, write=write_rows, run=build_quietly)


ROWS = tuple(row(number) for number in range(3))


def counts(report: BuildReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.deleted


def test_the_first_build_embeds_each_passage_with_its_title_once(site: Site) -> None:
    spy = Spy()

    report = site.build(*ROWS, encoder=spy)

    assert counts(report) == (3, 0, 0, 0)
    assert report.passages == report.embedded == len(spy.texts) == len(set(spy.texts)) == 12
    assert (report.articles, report.reused, report.published) == (3, 0, True)
    assert f"Kabar {TOPICS[0]}\n{paragraph(TOPICS[0], 0)}" in spy.texts
    assert [len(text) for text in spy.texts] == sorted(len(text) for text in spy.texts)
    assert report.generation == site.open().name


def test_building_the_same_articles_again_embeds_and_writes_nothing(site: Site) -> None:
    first = site.build(*ROWS)
    spy = Spy()

    again = site.build(*ROWS, encoder=spy)

    assert (spy.texts, again.embedded, again.published) == ([], 0, False)
    assert (again.generation, again.passages, again.reused) == (first.generation, 12, 12)
    assert counts(again) == (0, 0, 3, 0)
    assert generation_names(site.index) == [first.generation]


def test_changing_one_article_embeds_only_its_changed_passages(site: Site) -> None:
    site.build(*ROWS)
    changed = row(1, text=ROWS[1]["text"].replace("Bagian 2", "Bagian dua"))
    spy = Spy()

    report = site.build(ROWS[0], changed, ROWS[2], encoder=spy)

    assert counts(report) == (0, 1, 2, 0)
    assert [text.partition("\n")[2][:10] for text in spy.texts] == ["Bagian dua"]
    assert (report.embedded, report.reused) == (1, 11)


def test_deleting_an_article_embeds_nothing_and_removes_it(site: Site) -> None:
    site.build(*ROWS)
    spy = Spy()

    report = site.build(ROWS[0], ROWS[2], encoder=spy)

    assert (counts(report), spy.texts) == ((0, 0, 2, 1), [])
    assert site.open().store.article_row("a1") is None
    assert [key for key, _ in site.open().store.digests()] == ["a0", "a2"]


def test_adding_an_article_embeds_only_its_passages(site: Site) -> None:
    site.build(*ROWS)
    spy = Spy()

    report = site.build(*ROWS, row(3), encoder=spy)

    assert counts(report) == (1, 0, 3, 0)
    assert len(spy.texts) == 4
    assert all(TOPICS[3] in text for text in spy.texts)


def test_a_new_title_embeds_all_passages_of_its_article_again(site: Site) -> None:
    site.build(*ROWS)
    spy = Spy()

    report = site.build(ROWS[0], row(1, title="Judul baru"), ROWS[2], encoder=spy)

    assert counts(report) == (0, 1, 2, 0)
    assert len(spy.texts) == 4
    assert all(text.startswith("Judul baru\n") for text in spy.texts)


def test_a_changed_field_that_is_not_embedded_embeds_nothing_but_is_stored(site: Site) -> None:
    site.build(*ROWS)
    spy = Spy()

    report = site.build(ROWS[0], row(1, source="Harian Muara"), ROWS[2], encoder=spy)

    assert (counts(report), spy.texts) == ((0, 1, 2, 0), [])
    assert site.open().store.article(1).source == "Harian Muara"


def test_the_same_articles_in_another_order_embed_nothing_and_keep_their_vectors(site: Site) -> None:
    site.build(*ROWS)
    before = site.open()
    spy = Spy()

    report = site.build(*reversed(ROWS), encoder=spy)

    assert (counts(report), spy.texts) == ((0, 0, 3, 0), [])
    after = site.open()
    np.testing.assert_array_equal(after.vectors.vectors(np.arange(4)), before.vectors.vectors(np.arange(8, 12)))
    assert [key for key, _ in after.store.digests()] == ["a2", "a1", "a0"]


def test_files_of_other_names_in_another_order_embed_nothing(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    folder, index, spy = tmp_path / "articles", tmp_path / "index", Spy()
    for name, article in zip(("a.jsonl", "b.jsonl"), ROWS, strict=False):
        write_rows(folder / name, [article])
    build_quietly(folder, index=index)
    (folder / "a.jsonl").rename(folder / "z.jsonl")

    report = build_quietly(folder, index=index, encoder=spy)

    assert (counts(report), spy.texts) == ((0, 0, 2, 0), [])


def test_a_removed_article_that_returns_comes_from_the_cache(site: Site) -> None:
    site.build(*ROWS)
    site.build(*ROWS[:2])
    spy = Spy()

    assert counts(site.build(*ROWS, encoder=spy)) == (1, 0, 2, 0)
    assert spy.texts == []


def test_equal_passages_are_embedded_once(site: Site) -> None:
    spy = Spy()

    report = site.build(row(0), row(0, id="twin"), encoder=spy)

    assert (report.articles, report.passages, len(spy.texts)) == (2, 8, 4)


def test_the_same_corpus_and_settings_give_the_same_manifest_in_two_folders(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    rows = write_rows(tmp_path / "articles.jsonl", ROWS)

    for name in ("one", "two"):
        build_quietly(rows, index=tmp_path / name)

    one, two = (open_current(tmp_path / name) for name in ("one", "two"))
    assert one.manifest == two.manifest
    assert one.name[-4:] == two.name[-4:] == one.manifest.sha256[:4]


def test_an_index_that_came_to_a_corpus_by_steps_equals_one_built_at_once(
    tmp_path: Path, site: Site, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    site.build(row(4), row(1, title="Lama"))
    site.build(*ROWS)
    build_quietly(write_rows(tmp_path / "articles.jsonl", ROWS), index=tmp_path / "fresh")

    assert site.open().manifest == open_current(tmp_path / "fresh").manifest


@pytest.mark.parametrize(
    "settings", [ChunkSettings(max_tokens=96, max_title_tokens=16), ChunkSettings(max_tokens=64, max_title_tokens=0)]
)
def test_other_settings_make_another_generation_of_unchanged_articles(site: Site, settings: ChunkSettings) -> None:
    first = site.build(*ROWS)

    report = site.build(*ROWS, settings=settings)

    assert counts(report) == (0, 0, 3, 0)
    assert report.published
    assert report.generation != first.generation
    assert site.open().manifest.chunking == settings


def test_another_model_embeds_everything_anew(site: Site) -> None:
    site.build(*ROWS)
    spy = Spy(name="another")

    report = site.build(*ROWS, encoder=spy)

    assert (counts(report), len(spy.texts)) == ((0, 0, 3, 0), 12)
    assert site.open().manifest.model == spy.card


def test_articles_are_counted_by_language(site: Site) -> None:
    site.build(row(0), row(1, lang="en"), row(2))

    assert site.open().manifest.languages == {"en": 1, "id": 2}


def test_bad_records_are_named_and_the_others_are_built(site: Site) -> None:
    report = site.build(ROWS[0], "{broken", {"id": "empty"}, ROWS[1], row(2, id="a0"))

    assert (report.articles, counts(report)) == (2, (2, 0, 0, 0))
    assert [rejection.place.rpartition(":")[2] for rejection in report.quarantined] == ["2", "3", "5"]


def test_when_no_record_can_be_read_the_live_generation_stays(site: Site) -> None:
    live = site.build(*ROWS).generation

    with pytest.raises(IndexerError, match=r"none of 2 records could be read, first .*articles.jsonl:1: not valid"):
        site.build("{broken", {"id": "empty"})

    assert (current_generation(site.index), generation_names(site.index)) == (live, [live])
    site.open()


def test_a_missing_path_leaves_the_live_generation_as_it_was(
    site: Site, tmp_path: Path, build_quietly: Callable[..., BuildReport]
) -> None:
    live = site.build(*ROWS).generation

    with pytest.raises(PathError, match="absent does not exist"):
        build_quietly(tmp_path / "absent", index=site.index)

    assert current_generation(site.index) == live


def test_an_interrupted_build_leaves_the_live_generation_and_the_next_goes_on_where_it_stopped(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_COMMIT_PASSAGES", 4)
    live = site.build(row(4)).generation
    killed, spy = Spy(), Spy()
    killed.fails_after = 8

    with pytest.raises(KeyboardInterrupt):
        site.build(*ROWS, encoder=killed)

    assert (current_generation(site.index), generation_names(site.index)) == (live, [live])
    assert not (site.index / ".building").exists()
    assert len(killed.texts) == 8
    report = site.build(*ROWS, encoder=spy)
    assert (report.reused, report.embedded) == (8, 4)
    assert not set(spy.texts) & set(killed.texts)


def test_what_a_killed_build_left_behind_is_swept_away(site: Site) -> None:
    (site.index / ".building").mkdir(parents=True)
    (site.index / ".building" / "articles.arrow").write_bytes(b"half")

    site.build(*ROWS)

    assert not (site.index / ".building").exists()
    assert site.open().store.n_articles == 3


def test_a_lost_cache_costs_nothing_but_time(site: Site) -> None:
    first = site.build(*ROWS)
    shutil.rmtree(site.index / "cache")
    spy = Spy()

    report = site.build(*ROWS, row(3), encoder=spy)

    assert (len(spy.texts), report.passages) == (4, 16)  # the others are in the live generation
    assert counts(report) == (1, 0, 3, 0)
    assert report.generation > first.generation


def test_a_lost_cache_and_a_lost_generation_cost_nothing_but_time(site: Site) -> None:
    site.build(*ROWS)
    shutil.rmtree(site.index / "cache")
    shutil.rmtree(site.index / "generations")

    assert site.build(*ROWS).embedded == 12


def test_a_garbage_cache_is_made_anew(site: Site) -> None:
    site.build(*ROWS)
    (site.index / "cache" / CACHE_FILE).write_bytes(b"garbage" * 1_000)

    assert site.build(*ROWS, row(3)).embedded == 4
    assert site.build(*ROWS, row(3), settings=ChunkSettings(max_tokens=96, max_title_tokens=16)).embedded > 0


def test_a_damaged_live_generation_is_replaced_and_the_report_says_so(site: Site) -> None:
    first = site.build(*ROWS)
    (generation_folder(site.index, first.generation) / "vectors.faiss").write_bytes(b"damaged")

    report = site.build(*ROWS)

    assert report.published
    assert report.embedded == 0
    assert len(report.notes) == 1
    assert "vectors.faiss" in report.notes[0]
    assert site.open().store.n_articles == 3


@pytest.mark.parametrize("content", ["../../..", "nonsense", "20200101T000000Z-0000"])
def test_a_build_mends_a_current_that_names_nothing(site: Site, content: str) -> None:
    site.build(*ROWS)
    (site.index / "CURRENT").write_text(content)

    report = site.build(*ROWS)

    assert (report.published, report.embedded, len(report.notes)) == (True, 0, 1)
    assert site.open().name == report.generation


def test_earlier_generations_stay_for_rollback_and_a_build_after_it_is_the_newest(site: Site) -> None:
    names = [site.build(row(0, title=f"Judul {number}")).generation for number in range(4)]
    assert generation_names(site.index) == names[1:]

    assert rollback(site.index) == names[2]
    after = site.build(row(0, title="Judul 9"), keep=1).generation

    assert generation_names(site.index) == [names[3], after]
    assert site.open().store.article(0).title == "Judul 9"


def test_a_build_over_a_rolled_back_index_reuses_what_is_live_then(site: Site) -> None:
    first = site.build(row(0)).generation
    site.build(row(0, title="Judul baru"))
    make_current(site.index, first)

    assert site.build(row(0)).generation == first


def test_a_build_while_another_is_at_work_is_refused(site: Site) -> None:
    live = site.build(*ROWS).generation

    with build_lock(site.index), pytest.raises(IndexBusy, match="another build is at work"):
        site.build(row(3))

    assert current_generation(site.index) == live


def test_an_index_under_a_file_is_not_writable(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> None:
    rows = write_rows(tmp_path / "articles.jsonl", ROWS)

    with pytest.raises(IndexNotWritable, match=r"cannot write the index in .*articles.jsonl/index"):
        build_quietly(rows, index=rows / "index")


@pytest.mark.parametrize("step", ["publish", "write_embeddings", "StoreWriter"])
def test_a_disk_that_refuses_leaves_the_live_generation_as_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    live = site.build(*ROWS).generation

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_module, step, full)

    with pytest.raises(IndexNotWritable, match=r"No space left on device.*free space there.*same command"):
        site.build(row(3))

    assert (current_generation(site.index), generation_names(site.index)) == (live, [live])
    assert not (site.index / ".building").exists()


def test_progress_reaches_the_totals(tmp_path: Path, write_rows: Callable[..., Path]) -> None:
    class Told:
        seen: tuple[int, int] = (0, 0)
        read = 0

        def articles(self, done: int) -> None:
            self.read = done

        def passages(self, done: int, total: int) -> None:
            self.seen = (done, total)

    told = Told()
    rows = write_rows(tmp_path / "articles.jsonl", ROWS)
    build_module.build(
        [rows], index=tmp_path / "index", encoder=HashingEncoder(), settings=SMALL_PASSAGES, progress=told
    )

    assert (told.read, told.seen) == (3, (12, 12))
