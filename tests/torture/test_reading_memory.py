# Whatever a file holds, reading it takes memory for its largest record and no more.

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured by Linux")

MIB = 1024 * 1024
READER = Path(__file__).with_name("read_articles_alone.py")
GOOD = b'{"id": "good", "text": "Pemerintah kota menambah dua ratus bus listrik bulan depan."}\n'
CONSTANT_MIB = 64
"""What reading may take beside the records: buffers, pages of parquet, the set of ids."""
PER_RECORD = 32
"""What a record may take, in its own size: as objects of Python, and in copies while it is cleaned."""


def read(path: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, READER, path], capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    print(f"{path.name}: {path.stat().st_size:,} bytes, grew {result['grew_mib']:.0f} MiB, {result['cpu_s']:.1f} s")  # noqa: T201
    return result


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {Path(place).name: reason for place, reason in result["rejections"]}


def write_line(stream: IO[bytes], size_mib: int) -> None:
    stream.write(GOOD + b'{"id": "long", "text": "')
    for _ in range(size_mib):
        stream.write(b"a" * MIB)
    stream.write(b'"}\n' + GOOD.replace(b"good", b"after"))


def test_a_line_of_100_mb_is_left_out_and_never_held(tmp_path: Path, rounds: Callable[..., int]) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as stream:
        write_line(stream, rounds(small=40, full=100))

    result = read(path)

    assert result["articles"] == 2
    assert list(reasons(result)) == ["a.jsonl:2"]
    assert result["grew_mib"] < CONSTANT_MIB


def test_a_gzip_bomb_ends_with_its_reason(tmp_path: Path, rounds: Callable[..., int]) -> None:
    path = tmp_path / "a.jsonl.gz"
    member = gzip.compress(b"a" * (16 * MIB), 1)
    members = rounds(small=4, full=80)
    path.write_bytes(gzip.compress(GOOD) + member * members)

    result = read(path)

    assert result["articles"] == 1
    # A gigabyte is what a file of some kilobytes may unpack to.
    assert ("unpacks to more than 1,073,741,824 bytes" in str(reasons(result))) == (members > 64)
    assert result["grew_mib"] < CONSTANT_MIB


def test_a_packed_parquet_file_cannot_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: Callable[..., int]
) -> None:
    from corpus import Rejection, read_articles  # noqa: PLC0415 - the program imports it elsewhere

    path = tmp_path / "a.parquet.gz"
    members = rounds(small=3, full=80)
    path.write_bytes(gzip.compress(bytes(16 * MIB), 1) * members)
    if members < 64:
        monkeypatch.setattr("corpus.files.MAX_UNPACKED_BYTES", 32 * MIB)
    rejections: list[Rejection] = []

    assert list(read_articles([path], quarantine=rejections.append)) == []

    assert "unpacks to more than" in rejections[0].reason


def test_a_hundred_thousand_records_take_no_memory_that_stays_and_the_bad_one_is_named(
    tmp_path: Path, rounds: Callable[..., int]
) -> None:
    count = rounds(small=2_000, full=100_000)
    bad = count * 2 // 3
    path = tmp_path / "a.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for number in range(1, count + 1):
            text = f"Pemerintah kota menambah bus nomor {number} hari ini."
            stream.write('{"id": 1, "text": \n' if number == bad else f'{{"id": {number}, "text": "{text}"}}\n')

    result = read(path)

    assert result["articles"] == count - 1
    assert list(reasons(result)) == [f"a.jsonl:{bad}"]
    assert result["grew_mib"] < CONSTANT_MIB


def write_parquet(path: Path, size_bytes: int, *, rows: int) -> None:
    text = pa.array(["kata " * (size_bytes // 5), "Baik sekali."])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * (rows - 1) + [1]), text)
    table = pa.table({"id": [str(row) for row in range(rows)], "text": column})
    pq.write_table(table, path, compression="zstd", store_schema=False)


def test_a_small_parquet_file_of_huge_equal_rows_is_left_out_row_by_row(
    tmp_path: Path, rounds: Callable[..., int]
) -> None:
    path = tmp_path / "a.parquet"
    size_mib, rows = rounds(small=20, full=64), rounds(small=24, full=400)
    write_parquet(path, size_mib * MIB, rows=rows)

    result = read(path)

    assert (result["articles"], len(result["rejections"])) == (1, rows - 1)
    assert "row longer than 16,777,216 bytes" in result["rejections"][0][1]
    # The dictionary's page, packed and not, and one row: the rows together are a hundred times that.
    assert result["grew_mib"] < 6 * size_mib + CONSTANT_MIB


LARGEST = {
    "prose.txt": ("Sore 🌊 itu. ".encode(), b"kata baik. ", b""),
    "lines.txt": (b"", b"satu\ndua\n", b"tiga"),
    "objects.jsonl": (b'{"text": "Baik sekali.", "more": [', b'{"a":0},', b"0]}"),
    "quote.csv": (b'id,text\n1,"', b"\n", b"\n2,Baik sekali."),
    "cells.csv": (b"id,text\n3,", b"ab,", b"\n4,Baik sekali."),
    "quotes.csv": (b"id,text\n", b'",z","\n', b"\n5,Baik sekali."),
    "marks.txt": (b"Baik", "\u0316\u0300".encode(), b" sekali."),
    "wrapped.txt": (b"", b"kata " * 15 + b"katakata\n", b"akhir."),
}
"""What each file begins with, holds again and again, and ends with."""


def test_records_of_the_largest_size_take_a_multiple_of_that(tmp_path: Path, rounds: Callable[..., int]) -> None:
    size_bytes = rounds(small=MIB // 16, full=16 * MIB - 4096)
    for name, (head, unit, tail) in LARGEST.items():
        count = (size_bytes - len(head) - len(tail)) // len(unit)
        (tmp_path / name).write_bytes(head + unit * count + tail)

    result = read(tmp_path)

    # A quote in every line may take the end of its file with it.
    assert result["articles"] in (len(LARGEST) - 1, len(LARGEST))
    assert result["grew_mib"] < CONSTANT_MIB + PER_RECORD * size_bytes / MIB
    assert result["cpu_s"] < 5 * len(LARGEST) * max(1, size_bytes / MIB)
