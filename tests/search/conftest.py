# Searchers: over a few articles without a model, and over the sample articles with the embedded one.

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from indexer import BuildReport, ChunkSettings, Encoder, HashingEncoder, open_current
from search import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make_searcher(
    tmp_path: Path, write_rows: Callable[..., Path], build_quietly: Callable[..., BuildReport]
) -> Callable[..., Searcher]:
    """Builds an index of these records in a fresh folder and opens it."""
    made: list[Path] = []

    def make(*rows: dict[str, Any], encoder: Encoder | None = None) -> Searcher:
        index = tmp_path / f"index{len(made)}"
        made.append(index)
        encoder = encoder or HashingEncoder()
        build_quietly(write_rows(tmp_path / "articles.jsonl", rows), index=index, encoder=encoder)
        return Searcher(open_current(index), encoder=encoder)

    return make


@dataclass(frozen=True)
class Asked:
    """A question over the sample articles, the article that answers it, and words of the passage that does."""

    text: str
    article: str
    must_contain: str


@pytest.fixture(scope="session")
def read_questions() -> Callable[..., list[Asked]]:
    """Reads a table of questions; `article_column` names the one that says which article answers."""

    def read(path: Path, *, article_column: str) -> list[Asked]:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t")
            return [Asked(row["question"], row[article_column], row["must_contain"]) for row in rows]

    return read


@pytest.fixture(scope="session")
def sample_questions(repository: Path, read_questions: Callable[..., list[Asked]]) -> list[Asked]:
    return read_questions(repository / "corpus" / "sample" / "questions.tsv", article_column="article")


@pytest.fixture(scope="session")
def sample_index(
    repository: Path,
    embedded: Encoder,
    build_quietly: Callable[..., BuildReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The sample articles, indexed once for all tests that search them."""
    folder, index = repository / "corpus" / "sample", tmp_path_factory.mktemp("sample")
    report = build_quietly(folder, index=index, encoder=embedded, settings=ChunkSettings())
    assert report.articles == len(list(folder.glob("*.md")))
    assert [one.place for one in report.quarantined if ".tsv" not in one.place] == []
    return index


@pytest.fixture(scope="session")
def sample(sample_index: Path, embedded: Encoder) -> Searcher:
    return Searcher(open_current(sample_index), encoder=embedded)
