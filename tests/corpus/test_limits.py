"""What must stay bounded: memory for a huge record, time for a huge paragraph."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from corpus import Rejection, read_articles
from corpus.cleaning import clean
from corpus.paragraphs import normalise, split_paragraphs

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


def test_a_line_of_128_mib_in_a_gzip_is_left_out_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b'{"id": 1, "text": "Satu."}\n{"id": 2, "text": "')
        for _ in range(128):
            stream.write(b"a" * MIB)
        stream.write(b'"}\n{"id": 3, "text": "Tiga."}\n')
    rejections: list[Rejection] = []
    tracemalloc.start()
    try:
        ids = [article.id for article in read_articles([path], quarantine=rejections.append)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ids == ["1", "3"]
    assert rejections[0].place == f"{path}:2"
    assert peak < 100 * MIB


@pytest.mark.parametrize(
    "unit", ["kata ", "Ini. Baca juga: Judul ", "12 3/4 1999. ", "JAKARTA ", "copyright © 2024 ", "(a "]
)
def test_cleaning_takes_time_in_proportion_to_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        clean(split_paragraphs(normalise(text)))
        return time.process_time() - start

    seconds(10_000)
    # Ten times the text; a quadratic rule would take a hundred times as long. The least of three: caches warm up.
    assert min(seconds(500_000) for _ in range(3)) < 30 * max(min(seconds(50_000) for _ in range(3)), 0.005)
