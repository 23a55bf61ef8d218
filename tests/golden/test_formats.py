# The index of every format that ever was: the current one opens and answers, others are refused by their versions.

from __future__ import annotations

import json
import re
import shutil
import socket
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from indexer import HashingEncoder, IndexMismatch, current_generation, open_current
from indexer.current import generation_folder
from indexer.manifest import FORMAT, MANIFEST_FILE, read_manifest
from search import Filters, Mode, Query, Searcher

if TYPE_CHECKING:
    from collections.abc import Callable

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

GOLDEN = Path(__file__).parent
CURRENT_FORMAT = GOLDEN / f"format-{FORMAT}"
TEXTS = {row["id"]: row["text"] for row in map(json.loads, (GOLDEN / "articles.jsonl").read_text("utf-8").splitlines())}
PASSAGES, DIM = 7, 64
# Their numbers may differ in the last place from one processor to another.
MEASURED = re.compile(r"vector|token-offsets|tokens\.\d+\.bin|lexical\..*data")


def live_folder(index: Path) -> Path:
    return generation_folder(index, current_generation(index))


def content(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """What a file holds, apart from how its library packed it."""
    if path.suffix == ".arrow":
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        # Digests are of the cleaning rules too, which may change without the format.
        return str(table.schema), table.drop_columns(
            [name for name in table.column_names if name == "digest"]
        ).to_pylist()
    if path.suffix == ".npy":
        array = np.load(path, allow_pickle=False)
        return array.dtype.descr, array.shape, array.tobytes()
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: (array.dtype.descr, array.shape, array.tobytes()) for name, array in arrays.items()}
    return json.loads(path.read_bytes()) if path.suffix == ".json" else path.read_bytes()


def measured(path: Path) -> tuple[Any, Numbers]:
    """How a file of measured numbers is laid out, and the numbers."""
    data = path.read_bytes()
    if path.suffix == ".npy":
        array = np.load(path, allow_pickle=False)
        return (array.dtype.descr, array.shape), array.astype(float)
    if path.suffix == ".json":
        rows = json.loads(data)
        return [(key, len(row)) for key, row in rows.items()], np.array(list(rows.values()), float)
    if path.suffix == ".faiss":
        head = len(data) - PASSAGES * DIM * 4
        return data[:head], np.frombuffer(data, np.float32, offset=head).astype(float)
    if path.name.startswith("vectors."):
        return len(data), np.frombuffer(data, np.float32).astype(float)
    return len(data), np.frombuffer(data, np.uint8) / 255


@pytest.fixture
def golden(tmp_path: Path) -> Callable[[Path], Path]:
    return lambda folder: shutil.copytree(folder, tmp_path / folder.name)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """An index that the next version might have written."""
    index = shutil.copytree(CURRENT_FORMAT, tmp_path / f"format-{FORMAT + 1}")
    manifest = read_manifest(live_folder(index))
    object.__setattr__(manifest, "format", FORMAT + 1)
    (live_folder(index) / MANIFEST_FILE).write_bytes(manifest.to_bytes())
    return index


def test_there_is_a_golden_index_of_every_format() -> None:
    found = {path.name for path in GOLDEN.iterdir() if path.is_dir() and path.name.startswith("format-")}

    assert found == {f"format-{number}" for number in range(1, FORMAT + 1)}
    for path in GOLDEN.glob("format-*"):
        manifest = json.loads((live_folder(path) / MANIFEST_FILE).read_bytes())
        assert path.name == f"format-{manifest['format']}"


def test_the_golden_indexes_are_small() -> None:
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < 200_000


def test_the_golden_index_opens_and_holds_its_articles() -> None:
    generation = open_current(CURRENT_FORMAT)
    articles = {one.id: one for one in map(generation.store.article, range(generation.store.n_articles))}

    assert {key: article.text for key, article in articles.items()} == TEXTS
    feri = articles["feri"]
    assert (feri.title, feri.source, feri.author, str(feri.published), feri.url) == (
        "Feri tiba",
        "Harian Muara",
        "Sari",
        "2026-01-08",
        "https://example.org/feri",
    )
    assert (articles["untitled"].title, articles["untitled"].published) == ("", None)
    assert generation.manifest.languages == {"en": 2, "id": 3}
    assert (generation.manifest.passages, generation.manifest.stories, len(generation.tokens or ())) == (7, 4, 7)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    ("question", "filters", "article", "words", "similar_count"),
    [
        ("panen durian Sanggau", Filters(), "durian", "Petani memanen durian", 0),
        ("bridge repairs on Friday", Filters(), "bridge", "closes for repairs", 0),
        ("whale near the lighthouse", Filters(), "untitled", "A whale was seen", 0),
        ("tiketnya tidak naik sampai akhir tahun, kata Sari, kepala pelabuhan", Filters(), "feri", "kata Sari", 1),
        ("kapal feri muara", Filters(sources=frozenset({"Kabar Pontianak"})), "feri/salinan", "Kapal feri baru", 0),
    ],
)
def test_the_golden_index_answers(
    *, question: str, filters: Filters, article: str, words: str, similar_count: int, mode: Mode
) -> None:
    searcher = Searcher(open_current(CURRENT_FORMAT), encoder=HashingEncoder())

    hit = searcher.search(Query(text=question, filters=filters, mode=mode)).hits[0]

    assert (hit.article.id, hit.similar_count) == (article, similar_count)
    assert words in hit.passage.text
    assert hit.passage.text == TEXTS[article][hit.passage.start : hit.passage.end]


def test_what_is_written_now_is_laid_out_as_in_the_golden_index(tmp_path: Path) -> None:
    spec = spec_from_file_location("make", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = module_from_spec(spec)
    spec.loader.exec_module(make)
    make.write_index(tmp_path)
    kept, fresh = live_folder(CURRENT_FORMAT), live_folder(tmp_path)

    names = {path.name for path in fresh.iterdir()}
    assert names == {path.name for path in kept.iterdir()}
    for name in sorted(names - {MANIFEST_FILE}):
        if MEASURED.match(name):
            (layout, found), (expected_layout, expected) = measured(fresh / name), measured(kept / name)
            assert layout == expected_layout, f"{name} changed: see README.md here"
            assert np.abs(found - expected).mean() < 1e-4, f"{name} changed: see README.md here"
        else:
            assert content(fresh / name) == content(kept / name), f"{name} changed: see README.md here"
    was, now = (json.loads((folder / MANIFEST_FILE).read_bytes()) for folder in (kept, fresh))
    for changing in ("files", "sha256"):
        del was[changing], now[changing]
    # Other settings make no other format; other names of settings do.
    for settings in ("chunking", "grouping"):
        was[settings], now[settings] = sorted(was[settings]), sorted(now[settings])
    assert now == was, "the manifest changed: see README.md here"


@pytest.mark.parametrize("number", range(1, FORMAT))
def test_an_older_format_is_refused_with_both_versions_and_the_command(number: int) -> None:
    index = GOLDEN / f"format-{number}"

    with pytest.raises(IndexMismatch) as refused:
        open_current(index)
    assert f"has index format {number}, this version of Cari reads format {FORMAT}" in str(refused.value)
    assert str(refused.value).endswith(f"cari build PATH... --index {index}")


@pytest.mark.parametrize("command", [("search", "feri"), ("similar", "feri"), ("info",), ("verify",), ("serve",)])
@pytest.mark.parametrize("which", ["older", "newer"])
def test_every_command_refuses_another_format_with_both_versions_and_the_command(
    which: str, command: tuple[str, ...], golden: Callable[[Path], Path], newer: Path, cari: Callable[..., Any]
) -> None:
    index, number = (golden(GOLDEN / "format-1"), 1) if which == "older" else (newer, FORMAT + 1)
    with socket.create_server(("127.0.0.1", 0)) as held:
        free = held.getsockname()[1]
    port = ("--port", free) if command == ("serve",) else ()

    done = cari(*command, "--index", index, *port)

    assert done.status == 1
    told = done.out if command == ("verify",) else done.err
    assert f"has index format {number}, this version of Cari reads format {FORMAT}" in told
    assert f"cari build PATH... --index {index}" in told
    assert "Traceback" not in done.err


@pytest.mark.parametrize("which", ["older", "newer"])
def test_a_build_replaces_an_index_of_another_format(
    which: str, golden: Callable[[Path], Path], newer: Path, cari: Callable[..., Any]
) -> None:
    index = golden(GOLDEN / "format-1") if which == "older" else newer

    done = cari("build", GOLDEN / "articles.jsonl", "--index", index)

    assert done.status == 0
    assert f"this version of Cari reads format {FORMAT}" in done.err
    assert open_current(index).manifest.format == FORMAT
