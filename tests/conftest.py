# What tests of several packages share: where things are, the embedded model, and small indexes without a model.

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest

from api import command
from corpus import read_articles
from indexer import (
    DEFAULT_MODEL,
    EMBEDDED_MODEL,
    BuildReport,
    ChunkSettings,
    Encoder,
    HashingEncoder,
    build,
    open_encoder,
    prepare_model,
    split_sentences,
)
from search import bound_arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPOSITORY = Path(__file__).parents[1]
SMALL_PASSAGES = ChunkSettings(max_tokens=64, max_title_tokens=16)

# Library progress and hub look-ups have no place in a test run.
os.environ["HF_HUB_OFFLINE"] = "1"
# As every command and the service do.
bound_arithmetic()


class Quiet:
    """A `Progress` that nobody watches."""

    def articles(self, done: int) -> None:
        pass

    def passages(self, done: int, total: int) -> None:
        pass


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def model_cache() -> Path:
    given = os.environ.get("CARI_MODEL_CACHE")
    cache = Path(given) if given else platformdirs.user_cache_path("cari")
    prepare_model(DEFAULT_MODEL, cache=cache)
    return cache


@pytest.fixture(scope="session")
def embedded_folder(model_cache: Path) -> Path:
    return prepare_model(DEFAULT_MODEL, cache=model_cache)


@pytest.fixture(scope="session")
def embedded(embedded_folder: Path) -> Encoder:
    return open_encoder(embedded_folder)


@pytest.fixture(scope="session")
def unadapted(model_cache: Path) -> Encoder:
    """The embedded model as its package has it, before training."""
    return open_encoder(prepare_model(EMBEDDED_MODEL, cache=model_cache))


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A folder or file of ../shared; the test is skipped, naming it, where it is absent."""

    def find(name: str) -> Path:
        path = REPOSITORY.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"../shared/{name} is absent")
        return path

    return find


@pytest.fixture(scope="session")
def write_rows() -> Callable[..., Path]:
    """Writes records as JSON lines; a string is written as it is."""

    def write(path: Path, rows: Sequence[dict[str, Any] | str]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def build_quietly() -> Callable[..., BuildReport]:
    """`build` with defaults that suit tests: the hashing encoder, small passages."""

    def run(
        *paths: Path,
        index: Path,
        encoder: Encoder | None = None,
        settings: ChunkSettings = SMALL_PASSAGES,
        late: bool = True,
        keep: int = 2,
    ) -> BuildReport:
        encoder = encoder or HashingEncoder()
        return build(paths, index=index, encoder=encoder, settings=settings, progress=Quiet(), late=late, keep=keep)

    return run


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int | str | None
    out: str
    err: str


@pytest.fixture
def cari(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Ran]:
    """Runs the `cari` command in this process; the embedded model's place is taken by the hashing encoder."""
    cache = tmp_path_factory.mktemp("models")
    # What `serve` sets up writes to this test's stderr, which is closed when the test ends.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setenv("CARI_MODEL_CACHE", str(cache))
    monkeypatch.delenv("CARI_INDEX", raising=False)
    monkeypatch.delenv("CARI_MODEL", raising=False)
    indexing = import_module("indexer.command")
    prepare, open_prepared = indexing.prepare_model, indexing.open_encoder
    stand_in = cache / "stand-in"
    monkeypatch.setattr(
        indexing, "prepare_model", lambda name, **how: stand_in if name == DEFAULT_MODEL else prepare(name, **how)
    )
    monkeypatch.setattr(
        indexing,
        "open_encoder",
        lambda folder, **how: HashingEncoder() if folder == stand_in else open_prepared(folder, **how),
    )

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["cari", *map(str, arguments)])
        status: int | str | None = 0
        try:
            command.main()
        except SystemExit as left:
            status = left.code
        captured = capsys.readouterr()
        return Ran(status or 0, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def sample_sentences() -> dict[str, list[str]]:
    """The sentences of the articles that ship with the project, by language."""
    sentences: dict[str, list[str]] = {}
    for article in read_articles([REPOSITORY / "corpus" / "sample"], quarantine=lambda _: None):
        spans = split_sentences(article.text)
        sentences.setdefault(article.language, []).extend(article.text[start:end] for start, end in spans)
    return sentences
