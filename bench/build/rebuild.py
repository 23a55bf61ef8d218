"""What a build of an index that is there costs, when nothing or one article of thousands has changed.

python bench/build/rebuild.py --out bench/build/rebuild.txt --plot bench/build/rebuild.png (6,000 articles; 5 minutes)
python bench/build/rebuild.py --model real --articles 200                                       (the model; 4 minutes)
python bench/build/rebuild.py --model real --index DIR      (over an index that the model made of all 6,000)
python bench/build/rebuild.py --articles 40 --repeats 1                                         (seconds)

Whole `cari build` commands, each a process of its own. `whole` is the clock from its start to its end, `build` what its
report says it took, without starting Python and opening the model; `processor` is of all its threads together.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from commands import build, news, write

from indexer import current_generation

if TYPE_CHECKING:
    from commands import Run

ALL = 6_000
AIM_S = 2.0
AIM_RATIO = 100


def main() -> None:
    """Print a line for each kind of change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=ALL)
    parser.add_argument("--model", choices=("hashing", "real"), default="hashing")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--index", type=Path, help="an index of these articles, kept; otherwise one is made and removed"
    )
    parser.add_argument("--out", type=Path, help="write the figures there too")
    parser.add_argument("--plot", type=Path, help="draw them there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        index = options.index or Path(temporary) / "index"
        lines, medians = measure(
            news(options.articles), index=index, folder=Path(temporary), model=options.model, repeats=options.repeats
        )
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    if options.plot:
        draw(medians, path=options.plot)


def measure(
    rows: list[dict[str, Any]], *, index: Path, folder: Path, model: str, repeats: int
) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """The lines, and of each kind of change the medians of `build` and `whole`."""
    articles = folder / "articles.jsonl"
    first = build(write(rows, path=articles), index=index, model=model)
    kind_of_vectors = "hashed words of 384 dimensions" if model == "hashing" else "the model"
    size = f"{len(rows):,} articles, {first.report['passages']:,} passages, {size_of(index) / 1e6:,.0f} MB a generation"
    lines = [
        f"{size}, {kind_of_vectors}; medians of {repeats}, seconds",
        f"{'':16}{'whole':>8}{'build':>8}{'processor':>11}{'embedded':>10}{'MB written':>12}{'times faster':>14}",
        _line("first", [first], written=size_of(index), first=first),
    ]
    medians: dict[str, tuple[float, float]] = {}
    middle = len(rows) // 2
    for kind in ("nothing changed", "one changed", "one added", "one deleted"):
        runs, written = [], 0
        for repeat in range(repeats):
            changed = list(rows)
            if kind == "one changed":
                changed[middle] = rows[middle] | {
                    "text": f"{rows[middle]['text']}\n\nA sentence more, number {repeat}."
                }
            elif kind == "one added":
                changed.insert(
                    middle, rows[middle] | {"_id": f"added-{repeat}", "text": f"{rows[0]['text']} {repeat}."}
                )
            elif kind == "one deleted":
                del changed[middle + repeat]
            before = set(files_of(index).values())
            runs.append(build(write(changed, path=articles), index=index, model=model))
            fresh = [path for path, inode in files_of(index).items() if inode not in before]
            written = sum(path.stat().st_size for path in fresh)
            if kind != "nothing changed" and repeat + 1 < repeats:  # each starts from the same
                build(write(rows, path=articles), index=index, model=model)
        lines.append(_line(kind, runs, written=written, first=first))
        medians[kind] = median(run.took_s for run in runs), median(run.wall_s for run in runs)
        if kind != "nothing changed":
            build(write(rows, path=articles), index=index, model=model)
    lines += ["", *_judged(medians, first=first, articles=len(rows))]
    return lines, medians


def _line(kind: str, runs: list[Run], *, written: int, first: Run) -> str:
    whole, took, cpu = (median(getattr(run, name) for run in runs) for name in ("wall_s", "took_s", "cpu_s"))
    embedded = median(run.report["embedded"] for run in runs)
    faster = f"{first.took_s / took:14,.0f}" if runs != [first] else ""
    return f"{kind:16}{whole:8.2f}{took:8.2f}{cpu:11.2f}{embedded:10,.0f}{written / 1e6:12,.1f}{faster}"


def _judged(medians: dict[str, tuple[float, float]], *, first: Run, articles: int) -> list[str]:
    ratio = first.took_s / medians["nothing changed"][0]
    took, whole = medians["one changed"]
    seconds = f"{took:.2f} s of building, {whole:.2f} s of the whole command"
    return [
        f"nothing changed: {ratio:,.0f} times faster than the first; aim with the model over {ALL:,}: {AIM_RATIO}",
        f"one of {articles:,} changed: {seconds}; aim over {ALL:,}: {AIM_S:g} s",
    ]


def files_of(index: Path) -> dict[Path, int]:
    """The files of the live generation and what the file system knows each by: a shared one by the same."""
    folder = index / "generations" / current_generation(index)
    return {path: path.stat().st_ino for path in folder.iterdir()}


def size_of(index: Path) -> int:
    """The bytes of the live generation."""
    return sum(path.stat().st_size for path in files_of(index))


def draw(medians: dict[str, tuple[float, float]], *, path: Path) -> None:
    """Bars: what building takes, and on top what starting takes."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for who draws

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    names = list(medians)
    took = [medians[name][0] for name in names]
    starting = [medians[name][1] - medians[name][0] for name in names]
    axes.barh(names, took, color="#0072b2", label="building")
    axes.barh(names, starting, left=took, color="#bbbbbb", label="starting Python, opening the model")
    axes.axvline(AIM_S, color="#d55e00", linestyle="--", linewidth=1, label=f"aim: {AIM_S:g} s")
    axes.invert_yaxis()
    axes.set_xlabel("seconds, median")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150, format="png")


if __name__ == "__main__":
    main()
