# The bad days: the same tests run small in `make test` and in full in `make torture`.

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from indexer import BuildReport


@pytest.fixture(scope="session")
def rounds() -> Callable[..., int]:
    """How often to try: `rounds(small=10, full=200)` is 10, or 200 where `make torture` asks for all."""

    def choose(*, small: int, full: int) -> int:
        return full if os.environ.get("TORTURE") else small

    return choose


@pytest.fixture(scope="session")
def processes(repository: Path) -> ModuleType:
    """`bench/service/process.py`: real `cari` processes, with the hashing encoder where meaning does not matter."""
    spec = spec_from_file_location("bench_processes", repository / "bench" / "service" / "process.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def whole(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., BuildReport],
) -> Path:
    """A folder with an `index` of two good generations, of what the module's `rows(0)` and `rows(1)` give."""
    folder = tmp_path_factory.mktemp("whole")
    for number in range(2):
        build_quietly(write_rows(folder / "articles.jsonl", request.module.rows(number)), index=folder / "index")
    return folder


@pytest.fixture
def index(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return shutil.copytree(whole / "index", tmp_path / "index")


@pytest.fixture
def two_corpora(tmp_path: Path, write_rows: Callable[..., Path]) -> dict[str, Path]:
    """Two sets of articles by their mark: every title, sentence, id and source of a set carries it."""
    corpora = {}
    for mark in ("alfatanda", "betatanda"):
        rows = [
            {
                "id": f"{mark}/{number}",
                "title": f"{mark} {subject}",
                "text": f"{mark} {subject} nomor {number} tiba. {mark} warga {place} menonton {subject} itu.",
                "source": mark,
                "language": "id",
            }
            for number, (subject, place) in enumerate(zip(_SUBJECTS, reversed(_SUBJECTS), strict=True))
        ]
        corpora[mark] = write_rows(tmp_path / f"{mark}.jsonl", rows)
    return corpora


_SUBJECTS = ("kapal", "banjir", "sekolah", "pasar", "jembatan", "panen", "gempa", "kereta", "hutan", "listrik")
