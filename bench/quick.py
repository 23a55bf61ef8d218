"""Did something become slower? Ratios that hardly depend on the machine, next to those of the last results file.

python bench/quick.py                               (make bench-quick; 2 minutes)
python bench/quick.py --out bench/quick.txt         (and let these be the last results)
python bench/quick.py --hashing --rounds 2 --last FILE

Every ratio is of processor time, both sides measured in turns in one run: on a busy machine times double, ratios stay.
Less is better for all of them. Exit status 1 when one is more than `--tolerance` times what it was.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer import ChunkSettings, build, open_current, prepare_model
from indexer.model import DEFAULT_MODEL
from search import Query, Searcher, bound_arithmetic

sys.path.append(str(Path(__file__).with_name("service")))

from corpora import SAMPLE, questions
from encoder_alone import encoder_of, model_cache
from latency import Measured, Service, distinct, load
from process import service

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer import Encoder

LAST = Path(__file__).with_suffix(".txt")
_LINE = re.compile(r"^(\w+) +(\d+\.\d+)", re.MULTILINE)
_BATCH = 4
# Of multilingual-e5-small: 12 layers of four 384 x 384 and two 384 x 1,536 matrices, which is 36 times the latter.
_WIDTH, _INNER, _PRODUCTS = 384, 1_536, 36
_SERVED_S = 0.3


@dataclass(frozen=True, slots=True)
class Bench:
    """What the ratios are measured on."""

    encoder: Encoder
    searcher: Searcher
    index: Path
    folder: Path
    questions: list[str]
    rounds: int
    hashing: bool


class _Quiet:
    def articles(self, done: int) -> None:
        """Nobody watches."""

    def passages(self, done: int, total: int) -> None:
        """Nobody watches."""


def ratio(work: Callable[[int], object], by: Callable[[int], object], *, rounds: int) -> float:
    """The median processor time of one thing over that of another, done in turns; each is told its turn."""
    took_s: tuple[list[float], list[float]] = ([], [])
    for turn in range(-1, rounds):  # the first one loads what is loaded once
        for one, times in zip((work, by), took_s, strict=True):
            began = time.process_time()
            one(turn)
            times.append(time.process_time() - began)
    above, below = (float(np.median(times[1:])) for times in took_s)
    return above / below


def search(bench: Bench) -> float:
    """A search and its question's embedding."""
    return ratio(
        lambda turn: bench.searcher.search(Query(text=_question(bench, turn))),
        lambda turn: bench.encoder.embed_queries([_question(bench, turn)]),
        rounds=10 * bench.rounds,
    )


def late(bench: Bench) -> float:
    """Ranking an embedded question, late interaction included, and embedding it."""
    embedded = [bench.searcher.embed(Query(text=text)) for text in bench.questions]
    return ratio(
        lambda turn: bench.searcher.rank(Query(text=_question(bench, turn)), embedding=embedded[turn % len(embedded)]),
        lambda turn: bench.encoder.embed_queries([_question(bench, turn)]),
        rounds=10 * bench.rounds,
    )


def opened(bench: Bench) -> float:
    """Opening an index and embedding a question."""
    return ratio(
        lambda _: open_current(bench.index),
        lambda turn: bench.encoder.embed_queries([_question(bench, turn)]),
        rounds=3 * bench.rounds,
    )


def batched(bench: Bench) -> float:
    """Four questions at once and one by one."""

    def four(turn: int) -> list[str]:
        return [_question(bench, _BATCH * turn + place) for place in range(_BATCH)]

    return ratio(
        lambda turn: bench.encoder.embed_queries(four(turn)),
        lambda turn: [bench.encoder.embed_queries([text]) for text in four(turn)],
        rounds=4 * bench.rounds,
    )


def encoder(bench: Bench) -> float:
    """The model, and as many operations in numpy's products of matrices of its shapes."""
    texts = [article.text[:600] for article in bench.searcher.drawn(most=8)]
    tokens = sum(len(bench.encoder.tokenizer.token_starts(text)) for text in texts)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((tokens, _WIDTH)).astype(np.float32)
    matrix = rng.standard_normal((_WIDTH, _INNER)).astype(np.float32)
    return ratio(
        lambda _: bench.encoder.embed_passages(texts),
        lambda _: [rows @ matrix for _ in range(_PRODUCTS)],
        rounds=bench.rounds,
    )


def rebuild(bench: Bench) -> float:
    """A build with nothing changed and the first one."""

    def run(index: Path) -> None:
        build([SAMPLE], index=index, encoder=bench.encoder, settings=ChunkSettings(), progress=_Quiet())

    return ratio(lambda _: run(bench.index), lambda turn: run(bench.folder / f"first{turn}"), rounds=1)


def served(bench: Bench) -> float:
    """What the service takes for an answer, all its threads together, and an embedding."""
    texts = distinct()
    embedded_s: list[float] = []
    run = Measured()
    with service(bench.index, hashing=bench.hashing, log=bench.folder / "service.log") as (url, pid):
        at = Service(int(url.rpartition(":")[2]), pid)
        asyncio.run(load(Measured(), texts, at=at, clients=4, seconds=1))
        for _ in range(4 * bench.rounds):
            asyncio.run(load(run, texts, at=at, clients=4, seconds=_SERVED_S))
            for text in itertools.islice(texts, 4):
                began = time.process_time()
                bench.encoder.embed_queries([text])
                embedded_s.append(time.process_time() - began)
    return run.service_s / len(run.took_ms) / float(np.median(embedded_s))


RATIOS: dict[str, tuple[Callable[[Bench], float], str]] = {
    "search": (search, "a search / the embedding of its question alone"),
    "late": (late, "the ranking of an embedded question / its embedding"),
    "opened": (opened, "opening and verifying an index / the embedding of a question"),
    "batched": (batched, "four questions in one run / four alone"),
    "encoder": (encoder, "the embedding of passages / numpy's products of the same matrices"),
    "rebuild": (rebuild, "a build with nothing changed / the first build"),
    "served": (served, "the service's time an answer, 4 clients / the embedding of a question alone"),
}


def _question(bench: Bench, turn: int) -> str:
    return bench.questions[turn % len(bench.questions)]


def compared(measured: dict[str, float], *, last: dict[str, float], tolerance: float) -> tuple[list[str], bool]:
    """A line for each ratio, and whether any is past the tolerance."""
    lines, worse = [], False
    for name, (_, what) in RATIOS.items():
        before = last.get(name)
        line = f"{name:<10}{measured[name]:>9.3f}"
        slower = before is not None and measured[name] > before * tolerance
        worse |= slower
        told = "" if before is None else f"{before:.3f}"
        lines.append(f"{line}{told:>9}  {what}{'   SLOWER' if slower else ''}")
    return lines, worse


def measure(*, hashing: bool, rounds: int) -> dict[str, float]:
    """Every ratio, over the sample."""
    bound_arithmetic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = None if hashing else prepare_model(DEFAULT_MODEL, cache=model_cache())
        encoder = encoder_of(model)
        index = folder / "index"
        build([SAMPLE], index=index, encoder=encoder, settings=ChunkSettings(), progress=_Quiet())
        searcher = Searcher(open_current(index), encoder=encoder)
        bench = Bench(encoder, searcher, index, folder, questions(), rounds, hashing)
        return {name: measured(bench) for name, (measured, _) in RATIOS.items()}


def main() -> int:
    """Print every ratio, now and before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="more take longer and vary less")
    parser.add_argument("--tolerance", type=float, default=1.3, help="how many times what it was a ratio may be")
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder instead of the model")
    parser.add_argument("--last", type=Path, default=LAST, help="what to compare with")
    parser.add_argument("--out", type=Path, help="write the figures there")
    options = parser.parse_args()
    last = {}
    if options.last.is_file():
        last = {name: float(value) for name, value in _LINE.findall(options.last.read_text(encoding="utf-8"))}
    measured = measure(hashing=options.hashing, rounds=options.rounds)
    lines, worse = compared(measured, last=last, tolerance=options.tolerance)
    verdict = f"slower than {options.tolerance:g} times what it was" if worse else "holds"
    text = "\n".join(
        [f"{'ratio':<10}{'now':>9}{'last':>9}", *lines, verdict if last else "nothing to compare with", ""]
    )
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
