from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from indexer import BuildReport, ChunkSettings, HashingEncoder, build, open_current
from indexer.recall import DEPTHS, LEAST_RECALL
from indexer.vectors import CODES_FILE, CodedVectors
from search import Filters, Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = ("kapal", "muara", "pasar", "banjir", "panen", "sekolah", "jembatan", "gempa", "listrik", "pelabuhan", "hutan")
ARTICLES = 400


class Quiet:
    def articles(self, done: int) -> None:
        pass

    def passages(self, done: int, total: int) -> None:
        pass


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("articles") / "many.jsonl"
    rows: list[dict[str, Any]] = []
    for number in range(ARTICLES):
        one, other = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
        text = f"Berita {number} tentang {one} dan {other}. Warga desa {number * 7} melihat {one} pada hari ke{number}."
        rows.append({"id": f"a{number}", "text": text, "source": f"s{number % 20}", "language": "id"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def build_it(articles: Path, *, index: Path, exact_rows: int) -> BuildReport:
    encoder, settings = HashingEncoder(), ChunkSettings(max_tokens=64, max_title_tokens=16)
    return build([articles], index=index, encoder=encoder, settings=settings, progress=Quiet(), exact_rows=exact_rows)


@pytest.fixture(scope="module")
def coded(articles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("coded")
    build_it(articles, index=index, exact_rows=50)
    return index


def test_a_large_index_says_what_its_codes_find(coded: Path) -> None:
    generation = open_current(coded)

    vectors = generation.manifest.vectors
    assert isinstance(generation.vectors, CodedVectors)
    assert CODES_FILE in generation.manifest.files
    assert (vectors.exact_rows, vectors.questions) == (50, 200)
    assert [reach.depth for reach in vectors.reaches] == list(DEPTHS)
    assert all(reach.recall >= LEAST_RECALL for reach in vectors.reaches)


@pytest.mark.parametrize("filters", [Filters(), Filters(sources=frozenset({"s3", "s4", "s5"})), Filters(article="a17")])
def test_answers_are_those_of_an_exact_index(coded: Path, articles: Path, tmp_path: Path, filters: Filters) -> None:
    build_it(articles, index=tmp_path, exact_rows=10_000)
    exact, by_codes = (Searcher(open_current(index), encoder=HashingEncoder()) for index in (tmp_path, coded))

    for word in WORDS:
        query = Query(text=f"{word} di desa", filters=filters, limit=20)
        expected, found = exact.search(query), by_codes.search(query)
        assert [hit.passage.id for hit in found.hits] == [hit.passage.id for hit in expected.hits]
        assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits], abs=1e-4)


def test_another_limit_writes_the_index_anew_and_the_same_one_does_not(articles: Path, tmp_path: Path) -> None:
    first = build_it(articles, index=tmp_path, exact_rows=50)
    same = build_it(articles, index=tmp_path, exact_rows=50)
    other = build_it(articles, index=tmp_path, exact_rows=10_000)

    assert [first.published, same.published, other.published] == [True, False, True]
    assert other.embedded == 0
    assert open_current(tmp_path).manifest.vectors.reaches == ()
    assert CODES_FILE not in open_current(tmp_path).manifest.files


def test_codes_that_find_too_little_are_left_out_and_the_report_says_so(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.vectors.MOST_CANDIDATES", 20)

    report = build_it(articles, index=tmp_path, exact_rows=50)

    assert [note for note in report.notes if "each search compares all 400" in note]
    assert CODES_FILE not in open_current(tmp_path).manifest.files
    assert not build_it(articles, index=tmp_path, exact_rows=50).published


def test_the_command_takes_the_limit_and_info_tells_the_recall(
    cari: Callable[..., Any], articles: Path, tmp_path: Path
) -> None:
    index = str(tmp_path / "index")
    cari("build", str(articles), "--index", index, "--exact", "50")

    told = json.loads(cari("info", "--index", index, "--json").out)
    line = next(line for line in cari("info", "--index", index).out.splitlines() if line.startswith("vectors"))

    assert [reach["depth"] for reach in told["vectors"]["reaches"]] == list(DEPTHS)
    assert told["vectors"]["exact_rows"] == 50
    assert "of the best 10, " in line
    assert "200 questions" in line


def test_info_tells_of_a_small_index_that_it_is_exact(cari: Callable[..., Any], articles: Path, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    cari("build", str(articles), "--index", index)

    assert "vectors     all are compared: exact" in cari("info", "--index", index).out
