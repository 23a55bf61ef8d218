"""Where the time of a first build goes, and what memory it takes at two sizes.

python bench/build/stages.py --out bench/build/stages.txt --plot bench/build/stages.png     (120 articles; 5 minutes)
python bench/build/stages.py --articles 20                                                   (a minute)
python bench/build/stages.py --model hashing --articles 3000                                 (memory; 2 minutes)

Each size is built by a process of its own: half of `--articles` first, then all. Stages of the thread that embeds add
up to the whole; those of the thread beside it run meanwhile, and cost time only where the other had to wait.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from commands import news, write
from hashing import Stored

from indexer import DEFAULT_MODEL, ChunkSettings, embedding, open_encoder, prepare_model

if TYPE_CHECKING:
    from collections.abc import Iterator

build_module = import_module("indexer.build")

ENCODING = "encoding"
AIM = 0.9
STAGES = {
    "reading, dividing": [(build_module, "_divide")],
    "stories": [(build_module, "_group")],
    ENCODING: [],
    "offsets, vectors": [(embedding, "offsets_of"), (embedding, "write_vectors"), (embedding, "token_offsets")],
    "sums": [(build_module, "each_file")],
    "publishing": [(build_module, "publish")],
}
BESIDE = {
    "taking over, looking up, words": [(embedding._Desk, "prepare")],  # noqa: SLF001 - its stages are what is measured
    "packing, keeping": [(embedding._Desk, "keep")],  # noqa: SLF001
    "writing segments": [(embedding._Desk, "write")],  # noqa: SLF001
    "lexical index": [(embedding, "write_lexical")],
}


class Clock:
    """Seconds by stage, of the clock and of processors."""

    def __init__(self) -> None:
        self.wall_s: Counter[str] = Counter()
        self.cpu_s: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens meanwhile: of the whole process for encoding, which has threads of its own."""
        cpu = time.process_time if name == ENCODING else time.thread_time
        wall_s, cpu_s = time.perf_counter(), cpu()
        yield
        self.wall_s[name] += time.perf_counter() - wall_s
        self.cpu_s[name] += cpu() - cpu_s

    def watch(self, owner: Any, name: str, *, stage: str) -> None:  # noqa: ANN401 - a module or an object
        """Count calls of this function."""
        inner = getattr(owner, name)

        def counted(*arguments: object, **named: object) -> object:
            with self.stage(stage):
                return inner(*arguments, **named)

        setattr(owner, name, counted)


class Quiet:
    """A `Progress` that nobody watches."""

    def articles(self, done: int) -> None:
        """So many are read."""

    def passages(self, done: int, total: int) -> None:
        """So many have their vectors."""


def build_once(articles: Path, *, index: Path, model: str, cache: Path) -> dict[str, Any]:
    """Build in this process, which is then of no use for another measurement."""
    if model == "hashing":
        encoder: Any = Stored()
    else:
        encoder = open_encoder(prepare_model(DEFAULT_MODEL, cache=cache))
    encoder.embed_passages(["once, so that what is made at the first call is there"])
    clock = Clock()
    for stage, functions in (STAGES | BESIDE).items():
        for owner, name in functions:
            clock.watch(owner, name, stage=stage)
    clock.watch(encoder, "embed_passages", stage=ENCODING)
    idle_mb, cpu_s = _peak_mb(), time.process_time()
    report = build_module.build([articles], index=index, encoder=encoder, settings=ChunkSettings(), progress=Quiet())
    return {
        "articles": report.articles,
        "passages": report.passages,
        "took_s": report.took_s,
        "cpu_s": time.process_time() - cpu_s,
        "idle_mb": idle_mb,
        "peak_mb": _peak_mb(),
        "wall_s": clock.wall_s,
        "stage_cpu_s": clock.cpu_s,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Print the stages of the larger build, and the memory of both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=120)
    parser.add_argument("--model", choices=("hashing", "real"), default="real")
    parser.add_argument(
        "--model-cache",
        type=Path,
        default=os.environ.get("CARI_MODEL_CACHE", platformdirs.user_cache_path("cari")),
        help="folder of prepared models",
    )
    parser.add_argument("--out", type=Path, help="write the figures there too")
    parser.add_argument("--plot", type=Path, help="draw them there")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.once:
            how = {"model": options.model, "cache": options.model_cache}
            print(json.dumps(build_once(options.once, index=folder / "index", **how)))
            return
        rows = news(options.articles)
        built = [_apart(write(rows[:n], path=folder / f"{n}.jsonl")) for n in (len(rows) // 2, len(rows))]
    text = "\n".join(_lines(*built, model=options.model)) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    if options.plot:
        draw(built[-1], path=options.plot)


def _apart(articles: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--once", articles], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _lines(half: dict[str, Any], whole: dict[str, Any], *, model: str) -> list[str]:
    took, wall = whole["took_s"], whole["wall_s"]
    rest = took - sum(wall.get(stage, 0) for stage in STAGES)
    share = wall[ENCODING] / took
    more = whole["passages"] - half["passages"]
    growth = (whole["peak_mb"] - half["peak_mb"]) * 1e3 / max(1, more)
    head = f"{whole['articles']:,} articles, {whole['passages']:,} passages, {model}: {took:.1f} s, "
    return [
        head + f"{whole['cpu_s']:.1f} s of processors, {whole['cpu_s'] / took:.2f} of them busy",
        f"{'':34}{'seconds':>9}{'share':>8}{'processor':>11}",
        *(_row(stage, stage, built=whole) for stage in STAGES),
        f"{'all else, waiting included':34}{rest:9.2f}{rest / took:8.1%}",
        "beside the encoding",
        *(_row(f"  {stage}", stage, built=whole) for stage in BESIDE),
        "",
        f"encoding is {share:.1%} of the time; aim: {AIM:.0%}",
        *(
            f"{one['articles']:,} articles, {one['passages']:,} passages: peak of resident memory "
            f"{one['peak_mb']:,.0f} MB, {one['idle_mb']:,.0f} before building"
            for one in (half, whole)
        ),
        f"a passage more: {growth:.1f} kB more",
    ]


def _row(name: str, stage: str, *, built: dict[str, Any]) -> str:
    wall_s, cpu_s = built["wall_s"].get(stage, 0), built["stage_cpu_s"].get(stage, 0)
    return f"{name:34}{wall_s:9.2f}{wall_s / built['took_s']:8.1%}{cpu_s:11.2f}"


def draw(built: dict[str, Any], *, path: Path) -> None:
    """One bar a stage, those of the thread beside in grey."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for who draws

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for stages, colour, label in ((STAGES, "#0072b2", "one after the other"), (BESIDE, "#bbbbbb", "beside them")):
        axes.barh(list(stages), [built["wall_s"].get(stage, 0) for stage in stages], color=colour, label=label)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(f"seconds of {built['took_s']:.0f}, {built['passages']:,} passages")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150, format="png")


if __name__ == "__main__":
    main()
