"""Does the service answer as ever while its index is rebuilt and swapped under it?

python bench/service/swap.py                    (2 minutes; swap.txt here is a run of it)
python bench/service/swap.py --seconds 4 --clients 5 --swaps 2 --hashing

Clients ask without end. First nothing else happens; then two corpora are built in turns into the served folder, by
a `cari build` of low priority (`--niceness`), as an operator would. Every passage, article and facet of a corpus
carries its mark, and every answer names its generation, so an answer of two generations gives itself away. Exit
status 1 when an answer failed, mixed generations, a swap was not served, or p99 during swaps is more than twice
that before.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from clients import Load, ask
from corpora import MARKS, marks_in, questions, write_corpus
from process import command, generation, service

RESULTS = Path(__file__).with_name("swap.txt")


class Answers:
    """What generations answered, and with which marks."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, frozenset[str]]] = Counter()

    def __call__(self, answer: dict[str, Any]) -> None:
        """Notes one answer."""
        self.seen[answer["index"]["generation"], marks_in(answer)] += 1

    def mixed(self, mark_of: dict[str, str]) -> list[str]:
        """What is wrong: answers of a generation with a mark that is not its own."""
        return [
            f"{count} answers of {name} carry {sorted(marks)}, expected {mark_of.get(name)}"
            for (name, marks), count in self.seen.items()
            if marks and marks != {mark_of.get(name)}
        ]


async def build(corpus: Path, *, index: Path, hashing: bool, niceness: int = 0) -> None:
    """Runs `cari build`, at low priority if told so."""
    arguments = ["nice", "-n", str(niceness), *command(hashing=hashing), "build", str(corpus), "--index", str(index)]
    building = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await building.communicate()
    if building.returncode:
        raise RuntimeError(f"the build left with {building.returncode}: {errors.decode()[-2000:]}")


async def measure(options: argparse.Namespace, folder: Path) -> tuple[Load, Load, list[str], int]:
    """Latencies before and during swaps, what was wrong, and how many swaps were served."""
    index = folder / "index"
    corpora = [write_corpus(mark, folder=folder) for mark in MARKS]
    mark_of: dict[str, str] = {}

    async def rebuild(turn: int) -> str:
        await build(corpora[turn % 2], index=index, hashing=options.hashing, niceness=options.niceness)
        name = (index / "CURRENT").read_text(encoding="ascii").strip()
        mark_of[name] = MARKS[turn % 2]
        return name

    for turn in (1, 0):  # what both hold is embedded now, once
        await rebuild(turn)
    answers, served = Answers(), 0
    how = {"clients": options.clients, "pause_s": options.pause_s, "seen": answers}
    with service(index, hashing=options.hashing, log=folder / "service.log") as (url, _):
        await ask(url, questions(), seconds=options.seconds / 10, **how)  # warms connections and caches
        before = await ask(url, questions(), seconds=options.seconds / 2, **how)

        async def swap() -> None:
            nonlocal served
            began = time.perf_counter()
            for turn in range(1, options.swaps + 1):
                name = await rebuild(turn)
                while await asyncio.to_thread(generation, url) != name:  # noqa: ASYNC110 - another process swaps
                    await asyncio.sleep(0.1)
                served += 1
                rest = began + turn * options.seconds / options.swaps - time.perf_counter()
                await asyncio.sleep(max(0.0, rest))

        swapping = asyncio.create_task(swap())
        during = await ask(url, questions(), seconds=options.seconds, **how)
        await swapping
    return before, during, answers.mixed(mark_of), served


def main() -> int:
    """Print what was seen, and whether it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--swaps", type=int, default=5)
    parser.add_argument("--pause-s", type=float, default=1.0, help="how long a client reads an answer")
    parser.add_argument("--niceness", type=int, default=10, help="of builds, 0 to 19")
    parser.add_argument("--most", type=float, default=2, help="how far p99 may rise")
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder instead of the model")
    parser.add_argument(
        "--out", type=Path, help=f"write the figures there too; {RESULTS.name} is a run of the defaults"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before, during, mixed, served = asyncio.run(measure(options, Path(folder)))
    ratio = during.percentile(99) / before.percentile(99)
    lines = [
        (
            f"{options.clients} clients, {options.pause_s:g} s between answers, {len(os.sched_getaffinity(0))} cores, "
            f"{'hashing encoder' if options.hashing else 'the default model'}"
        ),
        f"before   {before}",
        f"swapping {during}",
        f"swaps served {served} of {options.swaps}, answers mixing generations {len(mixed)}",
        f"p99 during swaps / before: {ratio:.2f} (at most {options.most:g})",
        *before.errors[:5],
        *during.errors[:5],
        *mixed[:5],
    ]
    broken = bool(before.errors or during.errors or mixed or served < options.swaps or not ratio <= options.most)
    text = "\n".join([*lines, "BROKEN" if broken else "holds", ""])
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
