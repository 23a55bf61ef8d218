# `cari build` on what people really have: each bad input is named, and nothing else is lost.

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from indexer import current_generation, open_current
from indexer.current import generation_names

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."
QUOTED = "Wali kota menyebut “Bus Éclair” – armada baru itu – sebagai jawaban atas kemacetan di jalur timur."
BOILERPLATE = "Baca Juga: Harga beras naik\n\nTonton: Video banjir\n\nADVERTISEMENT\n\nBaca Juga: Kapal kandas"


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


@pytest.fixture
def index(tmp_path: Path, articles: Path, cari: Callable[..., Any]) -> Path:
    """An index of one good article, which no bad input may hurt."""
    (articles / "good.txt").write_text(GOOD, encoding="utf-8")
    assert cari("build", articles, "--index", tmp_path / "index").status == 0
    return tmp_path / "index"


def write_bad_files(folder: Path) -> None:
    (folder / "good.txt").write_text(GOOD, encoding="utf-8")
    (folder / "utf16.txt").write_bytes(QUOTED.encode("utf-16"))
    (folder / "cp1252.txt").write_bytes(QUOTED.replace("timur", "barat").encode("cp1252"))
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "boilerplate.txt").write_text(BOILERPLATE, encoding="utf-8")
    (folder / "nothing.txt").write_text("", encoding="utf-8")
    (folder / "blank.txt").write_text(" \n\n\t\n", encoding="utf-8")
    packed = gzip.compress(f"{GOOD} {QUOTED}".encode() * 50)
    (folder / "corrupt.txt.gz").write_bytes(packed[: len(packed) // 2])
    lines = [
        json.dumps({"id": "satu", "text": f"{GOOD} Satu."}),
        '{"id": "rusak", "text": "tidak ditutup',
        json.dumps({"id": "dua", "text": f"{GOOD} Dua."}),
        json.dumps({"id": "satu", "text": "Nomor yang sama untuk kedua kalinya di berkas ini."}),
        json.dumps({"id": "kosong"}),
    ]
    (folder / "many.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


REASONS = {
    "binary.txt": "not text",
    "blank.txt": 'no "text" field',
    "boilerplate.txt": "boilerplate",
    "corrupt.txt.gz": "damaged gzip",
    "many.jsonl:2": "not valid JSON",
    "many.jsonl:4": "duplicate id 'satu', first seen at .*many.jsonl:1",
    "many.jsonl:5": 'no "text" field',
    "nothing.txt": "empty",
}


def test_bad_records_are_named_with_their_reason_and_the_rest_is_built(
    articles: Path, tmp_path: Path, cari: Callable[..., Any]
) -> None:
    write_bad_files(articles)

    done = cari("build", articles, "--index", tmp_path / "index", "--json")

    report = json.loads(done.out)
    assert (done.status, report["articles"], report["added"]) == (0, 5, 5)
    named = {Path(one["place"]).name: one["reason"] for one in report["quarantined"]}
    assert set(named) == set(REASONS)
    for place, reason in REASONS.items():
        assert re.search(reason, named[place]), place
        assert f"{place}: {named[place]}" in done.err
    texts = [open_current(tmp_path / "index").store.article(row).text for row in range(5)]
    assert texts[:3] == [QUOTED.replace("timur", "barat"), GOOD, f"{GOOD} Satu."]
    assert QUOTED in texts


def test_the_report_for_people_counts_what_was_left_out(
    articles: Path, tmp_path: Path, cari: Callable[..., Any]
) -> None:
    write_bad_files(articles)

    done = cari("build", articles, "--index", tmp_path / "index")

    assert "5: 5 added, 0 changed, 0 unchanged, 0 deleted, 8 quarantined" in done.out
    assert done.err.count("quarantined  ") == 8


def refused(done: Any, *words: str, progress: tuple[str, ...] = ()) -> None:  # noqa: ANN401 - what the fixture returns
    """Exit status 1, nothing on stdout, and on stderr one line that says these words, after those of `progress`."""
    assert (done.status, done.out) == (1, "")
    *before, last = done.err.splitlines()
    assert tuple(before) == progress
    assert last.startswith("error: ")
    for word in words:
        assert word in last


def unhurt(index: Path, name: str) -> None:
    assert (current_generation(index), generation_names(index)) == (name, [name])
    assert open_current(index).store.article(0).text == GOOD
    assert not (index / ".building").exists()


@pytest.mark.parametrize("content", ["empty", "pictures", "absent"])
def test_a_path_without_articles_is_refused(
    tmp_path: Path, index: Path, cari: Callable[..., Any], content: str
) -> None:
    live = current_generation(index)
    folder = tmp_path / "other"
    if content != "absent":
        folder.mkdir()
    if content == "pictures":
        (folder / "photo.jpg").write_bytes(b"\xff\xd8")

    done = cari("build", folder, "--index", index)

    refused(done, str(folder), "does not exist" if content == "absent" else "supported: .txt")
    unhurt(index, live)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (("a.txt", b""), "empty"),
        (("a.txt", b" \n"), "a.txt"),
        (("a.txt", bytes(range(256)) * 9), "not text"),
        (("a.txt", BOILERPLATE.encode()), "boilerplate"),
        (("a.jsonl", b"{\n{\n"), "not valid JSON"),
        (("a.txt.gz", gzip.compress(b"teks " * 999)[:40]), "damaged gzip"),
        (("a.jsonl.gz", b"this is not gzip"), "damaged gzip"),
        (("a.parquet", b"PAR1 no more"), "a.parquet"),
        (("a.csv", b"judul,isi\n1,2\n"), "a.csv"),
    ],
)
def test_when_nothing_can_be_read_the_first_reason_is_told_and_the_index_stays(
    tmp_path: Path, index: Path, cari: Callable[..., Any], file: tuple[str, bytes], reason: str
) -> None:
    live = current_generation(index)
    path = tmp_path / file[0]
    path.write_bytes(file[1])

    done = cari("build", path, "--index", index)

    refused(done, "records could be read", reason, "the index stays as it was")
    unhurt(index, live)


@pytest.mark.parametrize("model", ["no-such-model", "/no/such/folder", "", "owner/name/too-deep"])
def test_a_model_that_does_not_exist_is_refused_with_its_name(
    articles: Path, index: Path, cari: Callable[..., Any], model: str
) -> None:
    live = current_generation(index)

    refused(cari("build", articles, "--index", index, "--model", model), f'no model "{model}"')
    unhurt(index, live)


def test_a_hub_model_that_cannot_be_fetched_is_refused_in_one_line(
    articles: Path, index: Path, cari: Callable[..., Any]
) -> None:
    live = current_generation(index)

    done = cari("build", articles, "--index", index, "--model", "nobody-here/no-such-model")

    refused(
        done,
        '"nobody-here/no-such-model" is not on this machine',
        "--model cari-e5-small",
        progress=("fetching nobody-here/no-such-model",),
    )
    unhurt(index, live)


def test_an_index_folder_that_cannot_be_made_is_refused(articles: Path, index: Path, cari: Callable[..., Any]) -> None:
    live = current_generation(index)

    done = cari("build", articles, "--index", articles / "good.txt" / "index")

    refused(done, "cannot write the index in", "good.txt/index", "run the same command again")
    unhurt(index, live)


@pytest.mark.parametrize("option", [("--max-tokens", "8"), ("--max-tokens", "9999"), ("--overlap", "-1")])
def test_a_setting_out_of_range_is_a_usage_error(
    articles: Path, index: Path, cari: Callable[..., Any], option: tuple[str, str]
) -> None:
    live = current_generation(index)

    done = cari("build", articles, "--index", index, *option)

    assert (done.status, done.out) == (2, "")
    assert option[1] in done.err
    unhurt(index, live)


@pytest.mark.model
def test_the_installed_command_builds_and_searches_around_bad_files(
    articles: Path, tmp_path: Path, model_cache: Path
) -> None:
    write_bad_files(articles)
    program = Path(sys.executable).parent / "cari"
    common = ["--index", tmp_path / "index", "--model-cache", model_cache]

    built = subprocess.run(
        [program, "build", articles, *common], capture_output=True, text=True, timeout=120, check=False
    )
    found = subprocess.run(
        [program, "search", "Apa nama armada baru?", "--limit", "1", *common],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert built.returncode == 0, built.stderr
    assert "8 quarantined" in built.stdout
    assert len(built.stderr.splitlines()) == 8
    assert (found.returncode, found.stderr) == (0, "")
    assert "“Bus Éclair”" in found.stdout
