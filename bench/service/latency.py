"""What a served answer takes at 1, 8 and 32 clients, next to what the model does alone in the same run.

python bench/service/latency.py --out bench/service/latency.txt --plot bench/service/latency.png     (2 minutes)
python bench/service/latency.py --index DIR                                                 (over another index)
python bench/service/latency.py --hashing --seconds 0.5 --clients 1 4

Clients ask without a pause, first questions that nobody asked before, then the same few over and over. Model and
service are measured in turns, a few seconds each, so that a busy moment of the machine falls on both.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from connection import Connection
from corpora import SAMPLE, questions
from encoder_alone import EncoderAlone, encoder_of, prepared_of
from process import memory, service
from swap import build

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUNDS = 3
_WATCH_S = 0.05
_STAGE = re.compile(r'^cari_search_stage_seconds_(sum|count)\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Measured:
    """Of one number of clients: times in ms, and processor seconds of the service and of who asked."""

    took_ms: list[float] = field(default_factory=list)
    alive_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    service_s: float = 0.0
    clients_s: float = 0.0
    stages: Counter[str] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.took_ms) / self.seconds


@dataclass(frozen=True, slots=True)
class Service:
    """A running one."""

    port: int
    pid: int

    def processor_s(self) -> float:
        """What it has used until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    async def stages(self) -> Counter[str]:
        """Seconds by stage, and as "searches" how many were timed, since it began."""
        async with Connection(self.port) as connection:
            _, metrics = await connection.get("/metrics")
        found: Counter[str] = Counter()
        for kind, stage, value in _STAGE.findall(metrics.decode()):
            if kind == "sum":
                found[stage] = float(value)  # type: ignore[assignment] # seconds
            elif stage == "snippet":  # in which every search takes part once
                found["searches"] = float(value)  # type: ignore[assignment]
        return found


async def load(measured: Measured, asked: Iterator[str], *, at: Service, clients: int, seconds: float) -> None:
    """Has so many clients ask for a while, and somebody look whether the service is alive."""
    began = time.perf_counter()
    stages, service_s, clients_s = await at.stages(), at.processor_s(), time.process_time()

    async def client() -> None:
        async with Connection(at.port) as connection:
            while time.perf_counter() - began < seconds:
                since = time.perf_counter()
                status, body = await connection.get(f"/v1/search?limit=10&q={quote(next(asked))}")
                if status != 200:  # noqa: PLR2004
                    raise RuntimeError(f"an answer was {status}: {body[:300]!r}")
                measured.took_ms.append((time.perf_counter() - since) * 1000)

    async def watch() -> None:
        async with Connection(at.port) as connection:
            while time.perf_counter() - began < seconds:
                since = time.perf_counter()
                await connection.get("/livez")
                measured.alive_ms.append((time.perf_counter() - since) * 1000)
                await asyncio.sleep(_WATCH_S)

    await asyncio.gather(watch(), *(client() for _ in range(clients)))
    measured.seconds += time.perf_counter() - began
    measured.service_s += at.processor_s() - service_s
    measured.clients_s += time.process_time() - clients_s
    measured.stages += await at.stages() - stages


async def warm(at: Service) -> None:
    """Asks every question once: what is loaded at the first use is, and all are remembered."""
    async with Connection(at.port) as connection:
        for text in questions():
            await connection.get(f"/v1/search?q={quote(text)}")


def distinct() -> Iterator[str]:
    """Questions that differ from all before."""
    texts = questions()
    for turn in itertools.count(1):
        yield from (f"{text} {turn}" for text in texts)


def percentiles(took_ms: list[float]) -> str:
    """p50 and p99."""
    return f"{np.percentile(took_ms, 50):8.1f}{np.percentile(took_ms, 99):9.1f}"


def report(title: str, runs: dict[int, Measured], *, alone: EncoderAlone) -> list[str]:
    """Lines of one kind of questions."""
    size, best = alone.best
    lines = [
        "",
        title,
        (
            f"clients  answers/s    p50 ms   p99 ms  p50 / bare  of the model, one by one  in runs of {size:<2}"
            "  processor ms: service  clients   /livez p50  p99"
        ),
    ]
    for clients, run in runs.items():
        answers = len(run.took_ms)
        lines.append(
            f"{clients:>7}{run.per_second:>11.1f}{percentiles(run.took_ms):>19}"
            f"{np.percentile(run.took_ms, 50) / alone.bare_ms:>12.2f}{run.per_second / alone.per_second(1):>26.2f}"
            f"{run.per_second / best:>13.2f}{1000 * run.service_s / answers:>24.1f}"
            f"{1000 * run.clients_s / answers:>9.2f}   {percentiles(run.alive_ms)}"
        )
    return lines + stage_lines(runs)


def stage_lines(runs: dict[int, Measured]) -> list[str]:
    """The mean time of each stage; of the model's, waiting for it is a part."""
    names = ("encode", "dense", "lexical", "late", "snippet")
    lines = ["mean ms by stage  " + "".join(f"{name:>9}" for name in (*names, "rest"))]
    for clients, run in runs.items():
        each = {name: 1000 * run.stages[name] / max(run.stages["searches"], 1) for name in names}
        rest = float(np.mean(run.took_ms)) - sum(each.values())
        lines.append(f"{clients:>7} clients   " + "".join(f"{ms:9.1f}" for ms in (*each.values(), rest)))
    return lines


def draw(kinds: dict[str, dict[int, Measured]], *, alone: EncoderAlone, path: Path) -> None:
    """Answers a second and latencies by number of clients."""
    import matplotlib as mpl  # noqa: PLC0415 - for --plot alone

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (rates, times) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for place, (kind, runs) in enumerate(kinds.items()):
        at = np.arange(len(runs)) + (place - 0.5) * 0.4
        rates.bar(at, [run.per_second for run in runs.values()], width=0.4, label=kind)
        for share, style in ((50, "o-"), (99, "o:")):
            latencies = [np.percentile(run.took_ms, share) for run in runs.values()]
            times.plot(range(len(runs)), latencies, style, color=f"C{place}", label=f"{kind}, p{share}")
    rates.axhline(alone.per_second(1), color="gray", linestyle=":", label="the model alone, one by one")
    rates.axhline(alone.best[1], color="gray", label=f"the model alone, {alone.best[0]} at once")
    rates.set_ylabel("answers a second")
    times.set_ylabel("ms")
    times.set_yscale("log")
    for axes in (rates, times):
        axes.set_xticks(range(len(runs)), [f"{clients}" for clients in runs])
        axes.set_xlabel("clients")
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="an index that is there; otherwise the sample is indexed")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=12, help="of each number of clients, of each kind")
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder instead of the model")
    parser.add_argument("--out", type=Path, help="write the figures there too")
    parser.add_argument("--plot", type=Path, help="draw them there; needs matplotlib")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        index = options.index or Path(temporary) / "index"
        if options.index is None:
            asyncio.run(build(SAMPLE, index=index, hashing=options.hashing))
        alone = EncoderAlone(encoder_of(None if options.hashing else prepared_of(index)))
        asked = {"asked for the first time": distinct(), "asked before": itertools.cycle(questions())}
        kinds = {kind: {clients: Measured() for clients in options.clients} for kind in asked}
        started = time.perf_counter()
        with service(index, hashing=options.hashing, log=Path(temporary) / "service.log") as (url, pid):
            ready_s = time.perf_counter() - started
            at = Service(int(url.rpartition(":")[2]), pid)
            asyncio.run(warm(at))
            for _ in range(_ROUNDS):
                alone.measure(distinct(), seconds=options.seconds / _ROUNDS)
                for kind, runs in kinds.items():
                    for clients, run in runs.items():
                        how = {"clients": clients, "seconds": options.seconds / _ROUNDS}
                        asyncio.run(load(run, asked[kind], at=at, **how))
            process = memory(pid)[0]
    size, best = alone.best
    lines = [
        (
            f"{len(os.sched_getaffinity(0))} cores, {'hashing encoder' if options.hashing else 'the default model'}, "
            f"{'the sample' if options.index is None else options.index.name}; {options.seconds:g} s of each"
        ),
        (
            f"the model alone: one question p50 {alone.bare_ms:.1f} ms, {alone.per_second(1):.0f} a second one by one, "
            f"{best:.0f} in runs of {size}"
        ),
        f"the service: ready after {ready_s:.1f} s, RSS {process.rss:.0f} MiB, of files {process.file:.0f}",
    ]
    for kind, runs in kinds.items():
        lines += report(kind, runs, alone=alone)
    text = "\n".join([*lines, ""])
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    if options.plot:
        draw(kinds, alone=alone, path=options.plot)


if __name__ == "__main__":
    main()
