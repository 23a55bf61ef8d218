"""What FAISS's kinds of index take to find 99 % of the best for real questions: why codes of all rows are scanned.

python bench/growth/kinds.py --out bench/growth/kinds.txt      (about a minute)
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np
import platformdirs
from material import of_the_sample, of_the_sets, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer import Rows

_QUESTIONS = 100
_TRAINED = 32_768
_DEPTHS = (10, 64)
_ENOUGH = 0.99
_LISTS = 512


def tried(kind: str) -> Iterator[tuple[str, Callable[[faiss.Index], None], int]]:
    """Each setting of a kind, the quickest first: its name, how to set it, how many candidates to compare exactly."""
    if kind.startswith("IVF"):
        for lists in (4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512):
            yield f"{lists} of {_LISTS} lists", _set("nprobe", lists), 486 if kind.endswith("fs") else 128
    elif kind.startswith("HNSW"):
        for width in (64, 128, 256, 512, 1024, 2048):
            yield f"width {width}", _set("efSearch", width), 128
    else:
        for candidates in (64, 96, 144, 216, 324, 486, 729, 1093, 1639):
            yield f"{candidates} candidates", lambda _index: None, candidates


def _set(name: str, value: int) -> Callable[[faiss.Index], None]:
    def apply(index: faiss.Index) -> None:
        part = index.hnsw if name == "efSearch" else index
        setattr(part, name, value)

    return apply


def measured(kind: str, rows: Rows, questions: Rows) -> str:
    """One line: what it takes to build and hold, and the first setting whose recall is enough at both depths."""
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(rows)
    best, _ = flat.search(questions, _DEPTHS[-1])
    began = time.process_time()
    index = faiss.index_factory(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.train(rows[:: max(1, len(rows) // _TRAINED)])
    index.add(rows)
    built = time.process_time() - began
    held = len(faiss.serialize_index(index)) / len(rows)
    line = ""
    faiss.omp_set_num_threads(1)
    for name, apply, candidates in tried(kind):
        apply(index)
        took, recalls = [], []
        for question, scores in zip(questions, best, strict=True):
            began = time.thread_time()
            _, found = index.search(question[np.newaxis], candidates)
            again = np.sort(flat.reconstruct_batch(found[0][found[0] >= 0]) @ question)[::-1]
            took.append((time.thread_time() - began) * 1000)
            recalls.append([np.count_nonzero(again[:depth] >= scores[depth - 1] - 1e-6) / depth for depth in _DEPTHS])
        ten, all_judged = np.mean(recalls, axis=0)
        line = (
            f"{kind:<18}{built:>8.1f}{held:>12.0f}{np.median(took):>8.2f}{ten:>8.4f}{all_judged:>8.4f}  {name}"
            f"{'' if min(ten, all_judged) >= _ENOUGH else ': not enough'}"
        )
        if min(ten, all_judged) >= _ENOUGH:
            break
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    return line


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, help="all real passages, unless told", default=0)
    parser.add_argument("--small", action="store_true", help="the sample and the hashing encoder, in seconds")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    given = os.environ.get("CARI_MODEL_CACHE")
    cache = Path(given) if given else platformdirs.user_cache_path("cari")
    material = of_the_sample() if options.small else of_the_sets(model_cache=cache, questions=_QUESTIONS)
    rows = np.concatenate(
        list(resampled(material.vectors, 2_000 if options.small else options.rows or len(material.vectors)))
    )
    half = rows.shape[1] // 2
    kinds = ("Flat", f"PQ{half}x4fs", f"PQ{half // 2}x4fs", "RaBitQ", "SQ8", f"IVF{_LISTS},Flat", f"IVF{_LISTS},SQ8")
    lines = [
        f"{len(rows):,} rows, {min(len(material.vectors), len(rows)):,} real; {len(material.questions)} real questions",
        f"{'kind':<18}{'build s':>8}{'bytes a row':>12}{'ms':>8}{'at 10':>8}{'at 64':>8}  the first that finds 99 %",
    ]
    print(*lines, sep="\n", flush=True)
    for kind in (*kinds, f"IVF{_LISTS},PQ{half}x4fs", "HNSW16,SQ8"):
        lines.append(measured(kind, rows, material.asked.vectors))
        print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
