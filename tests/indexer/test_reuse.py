# What a build takes over from the live generation, shown by counts: of words read, texts embedded, files written.

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder, current_generation, embedding, open_current, reuse, segments, stories
from indexer.current import generation_folder
from indexer.generation import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import BuildReport, Embedding

N_ARTICLES = 24
WORDS = "warga kota pesisir membahas rencana angkutan baru pada rapat terbuka yang berlangsung sampai sore hari ini"


def row(number: int, *, mark: str = "lama") -> dict[str, str]:
    body = " ".join(f"{word}{chr(97 + number % 26)}{chr(97 + number // 26)}" for word in WORDS.split())
    paragraphs = [f"Bagian {part} {mark if part == 1 else 'tetap'}: {body} {body}." for part in range(3)]
    return {"id": f"a{number}", "title": f"Kabar {number}", "text": "\n\n".join(paragraphs), "lang": "id"}


ROWS = [row(number) for number in range(N_ARTICLES)]


class Counts(HashingEncoder):
    """Counts the texts whose words are read and which are embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []
        self.analysed: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        self.embedded += texts
        return super().embed_passages(texts)


class Site:
    def __init__(
        self, folder: Path, counts: Counts, *, write: Callable[..., Path], run: Callable[..., BuildReport]
    ) -> None:
        self.index = folder / "index"
        self.articles = folder / "articles.jsonl"
        self.counts = counts
        self._write = write
        self._run = run

    def build(self, rows: list[dict[str, str]], **how: Any) -> BuildReport:  # noqa: ANN401 - as `build`
        self.counts.embedded.clear()
        self.counts.analysed.clear()
        return self._run(self._write(self.articles, rows), index=self.index, encoder=self.counts, **how)

    def files(self) -> dict[str, tuple[int, int]]:
        """The segments' files of the live generation: names, and what the file system knows them by."""
        folder = generation_folder(self.index, current_generation(self.index))
        names = [path for path in folder.iterdir() if segments.is_of_segment(path.name)]
        return {path.name: (path.stat().st_dev, path.stat().st_ino) for path in names}


@pytest.fixture
def site(
    tmp_path: Path,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    monkeypatch.setattr(segments, "_MEAN_PASSAGES", 12)
    counts = Counts()
    words_of = embedding.words_of

    def counted(text: str, *, language: str) -> Any:  # noqa: ANN401 - as `words_of`
        counts.analysed.append(text)
        return words_of(text, language=language)

    monkeypatch.setattr(embedding, "words_of", counted)
    return Site(tmp_path, counts, write=write_rows, run=build_quietly)


def assert_equals_a_fresh_index(site: Site, rows: list[dict[str, str]], folder: Path, **how: Any) -> None:  # noqa: ANN401
    fresh = Site(folder / "fresh", Counts(), write=site._write, run=site._run)
    fresh.build(rows, **how)
    assert open_current(site.index).manifest == open_current(fresh.index).manifest


def test_a_first_build_reads_and_embeds_every_passage_in_several_segments(site: Site) -> None:
    report = site.build(ROWS)

    assert report.passages == len(site.counts.analysed) == len(site.counts.embedded)
    assert len(site.files()) > 3 * 3


def test_one_changed_article_reads_its_own_words_embeds_its_own_text_and_rewrites_one_segment(
    site: Site, tmp_path: Path
) -> None:
    first = site.build(ROWS)
    before = set(site.files().values())
    rows = [*ROWS[:12], row(12, mark="baru"), *ROWS[13:]]

    report = site.build(rows)

    of_one = first.passages // N_ARTICLES
    assert (report.changed, report.unchanged) == (1, N_ARTICLES - 1)
    assert len(site.counts.analysed) == of_one
    assert [text.split()[4] for text in site.counts.embedded] == ["baru:"]
    assert (report.embedded, report.reused) == (1, first.passages - 1)
    # Vectors, words and tokens of the one segment, and of one beside it where that article ended a segment.
    assert 3 <= len(set(site.files().values()) - before) <= 6
    assert_equals_a_fresh_index(site, rows, tmp_path)


@pytest.mark.parametrize("place", [0, 17, N_ARTICLES - 1])
def test_one_deleted_article_reads_and_embeds_nothing(site: Site, tmp_path: Path, place: int) -> None:
    site.build(ROWS)
    before = set(site.files().values())
    rows = ROWS[:place] + ROWS[place + 1 :]

    site.build(rows)

    assert (site.counts.analysed, site.counts.embedded) == ([], [])
    assert len(set(site.files().values()) - before) <= 6
    assert_equals_a_fresh_index(site, rows, tmp_path)


@pytest.mark.parametrize("place", [0, 17, N_ARTICLES])
def test_one_added_article_reads_and_embeds_itself(site: Site, tmp_path: Path, place: int) -> None:
    first = site.build(ROWS)
    before = set(site.files().values())
    rows = [*ROWS[:place], row(N_ARTICLES), *ROWS[place:]]

    site.build(rows)

    assert len(site.counts.analysed) == len(site.counts.embedded) == first.passages // N_ARTICLES
    assert len(set(site.files().values()) - before) <= 6
    assert_equals_a_fresh_index(site, rows, tmp_path)


def test_articles_in_another_order_read_and_embed_nothing(site: Site, tmp_path: Path) -> None:
    site.build(ROWS)

    site.build(ROWS[::-1])

    assert (site.counts.analysed, site.counts.embedded) == ([], [])
    assert_equals_a_fresh_index(site, ROWS[::-1], tmp_path)


def test_other_languages_keep_their_own_words(site: Site, tmp_path: Path) -> None:
    rows = [one | {"lang": ("id", "en", "fr")[number % 3]} for number, one in enumerate(ROWS)]
    site.build(rows)

    site.build(rows[1:])

    assert site.counts.analysed == []
    assert_equals_a_fresh_index(site, rows[1:], tmp_path)


def test_tokens_may_be_left_out_and_come_back_from_the_cache(site: Site, tmp_path: Path) -> None:
    site.build(ROWS)

    site.build(ROWS, late=False)
    assert (site.counts.analysed, site.counts.embedded) == ([], [])
    assert not any(name.startswith("tokens") for name in site.files())
    assert_equals_a_fresh_index(site, ROWS, tmp_path, late=False)
    site.build(ROWS)
    assert site.counts.embedded == []
    assert len(site.files()) % 3 == 0


def test_without_the_cache_only_what_is_new_is_embedded(site: Site) -> None:
    first = site.build(ROWS)
    (site.index / "cache" / "vectors.sqlite").unlink()

    site.build([*ROWS[:12], row(12, mark="baru"), *ROWS[13:]])

    assert len(site.counts.embedded) == first.passages // N_ARTICLES


@pytest.mark.parametrize("code", [errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP])
def test_where_links_are_refused_segments_are_copied(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    site.build(ROWS)
    before = set(site.files().values())
    monkeypatch.setattr(reuse.os, "link", refuse)

    site.build(ROWS[:-1])

    assert (site.counts.analysed, site.counts.embedded) == ([], [])
    assert not set(site.files().values()) & before
    assert_equals_a_fresh_index(site, ROWS[:-1], tmp_path)


def test_a_generation_outlives_those_it_shares_files_with(site: Site) -> None:
    for count in range(N_ARTICLES, N_ARTICLES - 4, -1):
        site.build(ROWS[:count], keep=0)

    folder = generation_folder(site.index, current_generation(site.index))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert verify(folder).articles == N_ARTICLES - 3


@pytest.mark.parametrize("kind", ["tokens", "vectors", "passages"])
def test_a_damaged_segment_is_not_taken_over(site: Site, tmp_path: Path, kind: str) -> None:
    site.build(ROWS)
    folder = generation_folder(site.index, current_generation(site.index))
    damaged = next(path for path in sorted(folder.iterdir()) if path.name.startswith(f"{kind}.00001"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)

    report = site.build(ROWS[:-1])

    assert damaged.name in report.notes[0]
    assert site.counts.embedded == []
    assert_equals_a_fresh_index(site, ROWS[:-1], tmp_path)


def test_articles_that_were_compared_are_not_compared_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"{word} {other}" for word in WORDS.split() for other in WORDS.split())
    rows = [{"id": f"b{number}", "text": f"{text} {WORDS.split()[number]}", "lang": "id"} for number in range(4)]
    compared = []
    same_story = stories.same_story

    def counted(*wordings: Any, **how: Any) -> bool:  # noqa: ANN401 - as `same_story`
        compared.append(wordings)
        return same_story(*wordings, **how)

    monkeypatch.setattr(stories, "same_story", counted)
    first = site.build(rows)
    assert (first.stories, len(compared) > 0) == (1, True)
    compared.clear()

    assert site.build([*rows, ROWS[0]]).stories == 2
    assert compared == []


def test_equal_passages_of_neighbouring_segments_are_embedded_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_MEAN_PASSAGES", 1)
    rows = [ROWS[0] | {"id": f"copy {number}"} for number in range(10)]

    report = site.build(rows)

    assert len(site.counts.embedded) == len(set(site.counts.embedded)) == report.passages // 10
