# Builds that come to a bad end, and what is to be found after each.

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from indexer import HashingEncoder, current_generation, open_current
from indexer.current import generation_folder, generation_names
from indexer.generation import verify
from search import Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEEP = 1
FAILED_ITSELF = 70
# A passage holds 96 tokens at most: three of these sentences are one.
SENTENCE = (
    "Nomor {number} edisi {edition} memuat kabar pesisir {place} tentang kapal, panen, pasar dan jalan baru di kota"
)
TOPICS = 6
PLACES = 4


def _rows(edition: str) -> list[dict[str, Any]]:
    """The same ids in every edition; every passage says which edition it is of."""
    return [
        {
            "id": f"a{number}",
            "title": f"Kabar {number} edisi {edition}",
            "text": "\n\n".join(
                ". ".join([SENTENCE.format(number=number, edition=edition, place=place)] * 3) + "."
                for place in range(PLACES)
            ),
            "lang": "id",
        }
        for number in range(TOPICS)
    ]


@dataclass(frozen=True)
class Built:
    """How a build ended."""

    status: int
    out: str
    err: str
    stage: str
    embedded: int
    took_s: float
    calls: list[list[str]]


class Builder:
    """Asks `building.py` for builds; starts it once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, articles: Path, *, index: Path, keep: int = KEEP, **how: object) -> Built:
        request = {"articles": str(articles), "index": str(index), "keep": keep, **how}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        built = Built(**json.loads(self._process.stdout.readline()))
        if built.status == FAILED_ITSELF and "seccomp" in built.err:
            pytest.skip("this system does not let a process supervise another's calls (seccomp user notification)")
        return built


@pytest.fixture(scope="session")
def builder(repository: Path) -> Iterator[Builder]:
    environment = {**os.environ, "PYTHONPATH": str(repository), "CARI_MODEL_CACHE": "unused"}
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("building.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        yield Builder(process)


@dataclass(frozen=True)
class Site:
    """An index with a live generation of the edition `lama` and one more to be pruned; articles of both editions."""

    index: Path
    old: Path
    new: Path
    name: str
    passages: int


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, write_rows: Callable[..., Path], builder: Builder) -> Site:
    folder = tmp_path_factory.mktemp("template")
    editions = {name: write_rows(folder / f"{name}.jsonl", _rows(name)) for name in ("purba", "silam", "lama", "baru")}
    index = folder / "index"
    for name in ("purba", "silam", "lama"):
        built = builder(editions[name], index=index)
        assert (built.status, built.err) == (0, ""), built
    assert len(generation_names(index)) == 1 + KEEP
    passages = json.loads(built.out)["passages"]
    return Site(index, editions["lama"], editions["baru"], current_generation(index), passages)


@pytest.fixture
def site(template: Site, tmp_path: Path) -> Callable[[], Site]:
    """A fresh copy of the template each time it is called, in place of the last one."""

    def make() -> Site:
        index = tmp_path / "index"
        shutil.rmtree(index, ignore_errors=True)
        shutil.copytree(template.index, index)
        return Site(index, template.old, template.new, template.name, template.passages)

    return make


@pytest.fixture(scope="session")
def edition() -> Callable[[Path], str]:
    """Which edition an index serves, by what its articles and its hits say; a mixture fails."""

    def find(index: Path) -> str:
        opened = open_current(index)
        texts = [opened.store.article(row).text for row in range(opened.store.n_articles)]
        assert len(texts) == TOPICS
        answer = Searcher(opened, encoder=HashingEncoder()).search(Query(text="kabar pesisir tentang kapal", limit=20))
        hits = [hit.passage.text for hit in answer.hits]
        assert len(hits) >= 1
        found = {
            name for name in ("purba", "silam", "lama", "baru") for text in texts + hits if f"edisi {name} " in text
        }
        assert len(found) == 1, found
        return found.pop()

    return find


@pytest.fixture(scope="session")
def assert_whole() -> Callable[[Path], None]:
    """Every generation there verifies."""

    def check(index: Path) -> None:
        for name in generation_names(index):
            verify(generation_folder(index, name))

    return check


@pytest.fixture(scope="session")
def assert_tidy() -> Callable[[Path], None]:
    """After a build that succeeded, nothing is left of those that did not."""

    def check(index: Path) -> None:
        assert {path.name for path in index.iterdir()} - {"build.lock"} == {"CURRENT", "cache", "generations"}
        names = generation_names(index)
        assert len(names) <= 1 + KEEP
        assert {path.name for path in (index / "generations").iterdir()} == set(names)

    return check
