"""Where the time of a search goes, by the size of the index, beside the bare embedding of the same questions.

python bench/search/stages.py --out bench/search/stages.txt        (10, 30 and 100 thousand passages; minutes)

Searches, bare embeddings and the two clocks take turns, question by question, so that what else a machine does falls on
all of them alike. Wall time is what one question waits for; processor time counts what every thread of the process
spends, the model's among them.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from archive import build_archive, questions

from indexer import DEFAULT_MODEL, HashingEncoder, open_current, open_encoder, prepare_model
from indexer.vectors import bound_threads
from search import Filters, Query, Searcher, Stage, bound_arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer import Encoder

_SIZES = (10_000, 30_000, 100_000)
_REST = "rest"
_BARE = "bare embedding"
_SEARCH = "search"
_AFTER = "search - encode"
_FILTERED = "filtered - encode"
_ROWS = (*(stage.value for stage in Stage), _REST, _AFTER, _FILTERED, _SEARCH, _BARE)
_CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}
_ENGLISH = Filters(languages=frozenset({"en"}))
# Of a search the module measures itself by this clock.
_TIMINGS = importlib.import_module("search.timings")


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each row, one a question and round, by a clock."""

    passages: int
    ms: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, clock: str, row: str, ms: float) -> None:
        """Keep one."""
        self.ms.setdefault((clock, row), []).append(ms)

    def median(self, clock: str, row: str) -> float:
        """Of one row."""
        return float(np.median(self.ms[clock, row]))

    def ratio(self, clock: str) -> float:
        """The median search in median bare embeddings."""
        return self.median(clock, _SEARCH) / self.median(clock, _BARE)


def main() -> None:
    """Print a table of all sizes, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_SIZES), help="passages")
    parser.add_argument("--questions", type=int, default=20, help="of each language")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder in the model's place")
    parser.add_argument("--index", type=Path, help="an index to measure in the place of archives")
    parser.add_argument("--out", type=Path, help="a text file for the table; a picture goes beside it")
    given = parser.parse_args()
    bound_arithmetic()
    bound_threads(1)
    encoder = _encoder(hashing=given.hashing)
    asked = questions(given.questions)
    measured = []
    for size in given.sizes if given.index is None else [0]:
        with tempfile.TemporaryDirectory() as folder:
            if given.index is None:
                build_archive(size, folder=Path(folder), card=encoder.card)
            searcher = Searcher(open_current(given.index or Path(folder)), encoder=encoder)
            measured.append(_measure(searcher, encoder, asked=asked, rounds=given.rounds))
    table = _table(measured)
    print(table)
    if given.out is not None:
        given.out.write_text(table + "\n", encoding="utf-8")
        _draw(measured, path=given.out.with_suffix(".png"))


def _encoder(*, hashing: bool) -> Encoder:
    if hashing:
        return HashingEncoder()
    return open_encoder(prepare_model(DEFAULT_MODEL, cache=platformdirs.user_cache_path("cari")))


def _measure(searcher: Searcher, encoder: Encoder, *, asked: list[str], rounds: int) -> Measured:
    measured = Measured(searcher.info.passages)
    for text in asked:  # what is read, counted or mapped once is not a question's cost
        searcher.search(Query(text=text))
        searcher.search(Query(text=text, filters=_ENGLISH))
    for _ in range(rounds):
        for text in asked:
            for name, clock in _CLOCKS.items():
                vars(_TIMINGS)["time"] = SimpleNamespace(time_ns=time.time_ns, perf_counter=clock)
                began = clock()
                encoder.embed_queries([text])
                bare = clock()
                stages = searcher.search(Query(text=text)).timings.ms
                ended = clock()
                filtered = searcher.search(Query(text=text, filters=_ENGLISH)).timings.ms
                last = clock()
                took = 1e3 * (ended - bare)
                measured.add(name, _BARE, 1e3 * (bare - began))
                measured.add(name, _SEARCH, took)
                measured.add(name, _AFTER, took - stages[Stage.ENCODE])
                measured.add(name, _FILTERED, 1e3 * (last - ended) - filtered[Stage.ENCODE])
                measured.add(name, _REST, took - sum(stages.values()))
                for stage in Stage:
                    measured.add(name, stage.value, stages.get(stage, 0.0))
    return measured


def _table(measured: list[Measured]) -> str:
    lines = [
        "median ms, wall / processor",
        "",
        f"{'passages':18}" + "".join(f"{one.passages:>18,}" for one in measured),
    ]
    for row in _ROWS:
        cells = (f"{one.median('wall', row):.2f} / {one.median('processor', row):.2f}" for one in measured)
        lines.append(f"{row:18}" + "".join(f"{cell:>18}" for cell in cells))
    cells = (f"{one.ratio('wall'):.2f} / {one.ratio('processor'):.2f}" for one in measured)
    lines.append(f"{'search : bare':18}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def _draw(measured: list[Measured], *, path: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - short runs draw nothing

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{one.passages:,}" for one in measured]
    bottom = np.zeros(len(measured))
    for row in (*(stage.value for stage in Stage), _REST):
        heights = np.array([one.median("wall", row) for one in measured])
        axes.bar(names, heights, 0.5, bottom=bottom, label=row)
        bottom += heights
    axes.plot(names, [one.median("wall", _BARE) for one in measured], "k_", markersize=60, label=_BARE)
    axes.set_xlabel("passages")
    axes.set_ylabel("ms a search, median")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
