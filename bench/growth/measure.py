"""The steps of `growth.py`, each in a process of its own, so that its memory is its own; told and telling in JSON."""

from __future__ import annotations

import json
import pickle
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from material import Material, StandIn, resampled, write_articles

from indexer import ChunkSettings, build, open_current
from indexer.vectors import FlatVectors, bound_threads, open_vectors, write_vectors
from search import Filters, Query, Searcher, bound_arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from indexer.recall import VectorSearch

SHARES = {"50 %": 0.5, "5 %": 0.05, "0.1 %": 0.001}
DEPTHS = (10, 64)
_PAGES = 1_000
"""As many are asked for as a search asks for."""
_TIE = 1e-6
_CHARACTERS = 240
_SETTINGS = ChunkSettings(max_tokens=80, max_title_tokens=16)


class Unwatched:
    """Tells nobody."""

    def articles(self, done: int) -> None:
        """Nothing."""

    def passages(self, done: int, total: int) -> None:
        """Nothing."""


class Peak:
    """The most memory of this process's own, in MiB, while it runs. A context manager."""

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self.mib = own_mib()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.mib = max(self.mib, own_mib())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def own_mib() -> float:
    """Memory of this process that is of no file, in MiB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


def build_vectors(folder: str, count: int, exact_rows: int) -> dict[str, Any]:
    """Write the vector index of so many rows."""
    vectors = load(folder).vectors
    target = Path(folder) / f"vectors-{count}-{exact_rows}"
    target.mkdir()
    began, cpu, before = time.perf_counter(), time.process_time(), own_mib()
    with Peak() as peak:
        search = write_vectors(resampled(vectors, count), dim=vectors.shape[1], folder=target, exact_rows=exact_rows)
    figures = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "peak_mib": peak.mib - before}
    (target / "search.pickle").write_bytes(pickle.dumps(search))
    disk = sum(path.stat().st_size for path in target.iterdir()) / 2**20
    reaches = [vars_of(reach) for reach in search.reaches]
    return figures | {"disk_mib": disk, "reaches": reaches}


def ask_vectors(folder: str, count: int, exact_rows: int) -> dict[str, Any]:
    """Ask the real questions: as stored and exactly, in turns; without a filter and with each."""
    questions = load(folder).asked.vectors
    target = Path(folder) / f"vectors-{count}-{exact_rows}"
    search: VectorSearch = pickle.loads((target / "search.pickle").read_bytes())  # noqa: S301 - written above
    before, cpu = own_mib(), time.process_time()
    index = open_vectors(target, search=search)
    figures: dict[str, Any] = {"open_ms": (time.process_time() - cpu) * 1000, "own_mib": own_mib() - before}
    flat = FlatVectors.open(target)
    random = np.random.default_rng(2)
    bound_threads(1)
    flat.search(questions[:1], k=1)  # maps the file in
    for label, share in {"none": None, **SHARES}.items():
        allowed = None if share is None else random.random(count) < share
        took: dict[str, list[float]] = {"stored": [], "exact": []}
        recalls: list[list[float]] = []
        for question in questions if share is None else questions[: len(questions) // 2]:
            cpu = time.thread_time()
            _, exact = flat.search(question[np.newaxis], k=_PAGES, allowed=allowed)[0]
            took["exact"].append((time.thread_time() - cpu) * 1000)
            cpu = time.thread_time()
            _, found = index.search(question[np.newaxis], k=_PAGES, allowed=allowed)[0]
            took["stored"].append((time.thread_time() - cpu) * 1000)
            recalls.append([recall(found, exact, depth) for depth in (*DEPTHS, _PAGES)])
        figures[label] = {
            "ms": float(np.median(took["stored"])),
            "exact_ms": float(np.median(took["exact"])),
            "recall": np.mean(recalls, axis=0).tolist(),
        }
    # Fewer candidates are looked at where fewer are asked for: what was measured at the build, of real questions.
    figures["real"] = []
    for reach in search.reaches:
        shares = []
        for question in questions:
            _, exact = flat.search(question[np.newaxis], k=reach.depth)[0]
            _, found = index.search(question[np.newaxis], k=reach.depth)[0]
            shares.append(recall(found, exact, reach.depth))
        figures["real"].append(float(np.mean(shares)))
    return figures


def recall(found: np.ndarray, exact: np.ndarray, depth: int) -> float:
    """The share of the best that were found; as many as there are, where a filter leaves fewer."""
    depth = min(depth, len(exact))
    return 1.0 if not depth else min(depth, np.count_nonzero(found >= exact[depth - 1] - _TIE)) / depth


def build_whole(folder: str, count: int, exact_rows: int, small: bool) -> dict[str, Any]:  # noqa: FBT001 - from JSON
    """Build an index of about so many passages of real text, as `cari build` does, but for the model."""
    index = Path(folder) / f"whole-{count}"
    index.mkdir()
    articles = index / "articles.jsonl"
    write_articles(None if small else count * _CHARACTERS, path=articles, small=small)
    began = time.perf_counter()
    report = build(
        [articles],
        index=index,
        encoder=StandIn(load(folder)),
        settings=_SETTINGS,
        progress=Unwatched(),
        exact_rows=exact_rows,
    )
    disk = sum(path.stat().st_size for path in index.glob("generations/*/*")) / 2**20
    figures = {"passages": report.passages, "articles": report.articles}
    return figures | {"build_s": time.perf_counter() - began, "disk_mib": disk}


def ask_whole(folder: str, count: int) -> dict[str, Any]:
    """Open it, and ask the questions without a filter and with one of each kind."""
    material = load(folder)
    encoder = StandIn(material)
    index = Path(folder) / f"whole-{count}"
    before, began, cpu = own_mib(), time.perf_counter(), time.process_time()
    searcher = Searcher(open_current(index), encoder=encoder)
    figures: dict[str, Any] = {
        "open_s": time.perf_counter() - began,
        "open_cpu_s": time.process_time() - cpu,
        "open_mib": own_mib() - before,
    }
    for text in material.questions[:4]:
        searcher.search(Query(text=text))  # maps the files in
    figures["none"] = asked(lambda text: Query(text=text), material.questions, searcher)
    english = Filters(languages=frozenset({"en"}))
    figures["english"] = asked(lambda text: Query(text=text, filters=english), material.questions, searcher)
    return figures | {"own_mib": own_mib() - before}


def asked(query: Callable[[str], Query], questions: list[str], searcher: Searcher) -> dict[str, float]:
    """Medians: milliseconds of a core, and of the clock by stage."""
    cpu, stages = [], []
    for text in questions:
        began = time.thread_time()
        answer = searcher.search(query(text))
        cpu.append((time.thread_time() - began) * 1000)
        stages.append({stage.value: ms for stage, ms in answer.timings.ms.items()})
    names = sorted({name for one in stages for name in one})
    return {
        "cpu": float(np.median(cpu)),
        **{name: float(np.median([one.get(name, 0) for one in stages])) for name in names},
    }


def vars_of(reach: Any) -> dict[str, Any]:  # noqa: ANN401 - a frozen dataclass with slots
    """Its fields."""
    return {name: getattr(reach, name) for name in ("depth", "candidates", "recall")}


def load(folder: str) -> Material:
    """What `growth.py` wrote."""
    found: Material = pickle.loads((Path(folder) / "material.pickle").read_bytes())  # noqa: S301 - written by growth.py
    return found


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (build_vectors, ask_vectors, build_whole, ask_whole)
}

if __name__ == "__main__":
    bound_arithmetic()
    print(json.dumps(STEPS[sys.argv[1]](**json.loads(sys.argv[2]))))
