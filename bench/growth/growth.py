"""What a search costs as an index grows: 10,000 to 1,000,000 passages.

python bench/growth/growth.py --out bench/growth/growth.txt --plot bench/growth/growth.png      (about 10 minutes)
python bench/growth/growth.py --small                                                           (seconds, of the sample)
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import platformdirs
from material import Material, of_the_sample, of_the_sets
from measure import SHARES

from indexer.vectors import EXACT_ROWS

_STEPS = Path(__file__).with_name("measure.py")
_QUESTIONS = 100
_SMALL_EXACT_ROWS = 400
_STAGES = {"dense": 8, "lexical": 9, "late": 8, "snippet": 9}


def apart(step: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - anything JSON
    """A step in a process of its own."""
    command = [sys.executable, str(_STEPS), step, json.dumps(arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def vectors(sizes: list[int], *, folder: Path, exact_rows: int, real: int) -> dict[int, dict[str, Any]]:
    """Both tables of vectors, line by line."""
    print(
        f"Vectors alone. Milliseconds of a core for the best 1,000, and for all compared; memory of a process's own; "
        f"{real:,} rows are real passages, any more are resampled with noise\n"
        f"{'rows':>10}{'searched':>10}{'ms':>8}{'exact ms':>10}{'build s':>9}{'cpu s':>7}{'build MiB':>11}"
        f"{'disk MiB':>10}"
        f"{'open ms':>9}{'own MiB':>9}",
        flush=True,
    )
    found: dict[int, dict[str, Any]] = {}
    for count in sizes:
        place = {"folder": str(folder), "count": count, "exact_rows": exact_rows}
        built = apart("build_vectors", **place)
        asked = apart("ask_vectors", **place)
        found[count] = built | asked
        for path in (folder / f"vectors-{count}-{exact_rows}").iterdir():
            path.unlink()
        print(
            f"{count:>10,}{'codes' if built['reaches'] else 'all':>10}{asked['none']['ms']:>8.2f}"
            f"{asked['none']['exact_ms']:>10.2f}{built['wall_s']:>9.1f}{built['cpu_s']:>7.1f}{built['peak_mib']:>11.0f}"
            f"{built['disk_mib']:>10.0f}{asked['open_ms']:>9.1f}{asked['own_mib']:>9.0f}",
            flush=True,
        )
    return found


def filters(found: dict[int, dict[str, Any]]) -> None:
    """What filters cost and lose."""
    print(
        "\nWith a filter that lets a share of the rows through, drawn at random: ms of a core (all those allowed "
        f"compared), recall of the best 10, 64 and 1,000 of real questions\n{'rows':>10}"
        + "".join(f"{label:>40}" for label in ("none", *SHARES))
    )
    for count, figures in found.items():
        cells = []
        for label in ("none", *SHARES):
            one = figures[label]
            recalls = " ".join(f"{recall:.4f}" for recall in one["recall"])
            cells.append(f"{one['ms']:.2f} ({one['exact_ms']:.2f})  {recalls}")
        print(f"{count:>10,}" + "".join(f"{cell:>40}" for cell in cells))
    print("\nWhat a build measured (candidates for the best 10, 64 and 1,000; recall of its questions / of real ones)")
    for count, figures in found.items():
        if figures["reaches"]:
            cells = [
                f"{reach['candidates']}: {reach['recall']:.4f} / {real:.4f}"
                for reach, real in zip(figures["reaches"], figures["real"], strict=True)
            ]
            print(f"{count:>10,}   " + "   ".join(cells))


def whole(sizes: list[int], *, folder: Path, exact_rows: int, small: bool) -> dict[int, dict[str, Any]]:
    """The table of whole searches, line by line."""
    print(
        "\nWhole searches without the model: ms of a core, by stage (of the clock), and with a filter by language; "
        "the build without the model; to open, which reads and sums every byte\n"
        f"{'passages':>10}{'articles':>10}{'ms':>8}{'dense':>8}{'lexical':>9}{'late':>8}{'snippet':>9}{'filtered':>10}"
        f"{'build s':>9}{'disk MiB':>10}{'open s':>8}{'own MiB':>9}",
        flush=True,
    )
    found: dict[int, dict[str, Any]] = {}
    for count in sizes:
        built = apart("build_whole", folder=str(folder), count=count, exact_rows=exact_rows, small=small)
        asked = apart("ask_whole", folder=str(folder), count=count)
        found[built["passages"]] = built | asked
        none = asked["none"]
        print(
            f"{built['passages']:>10,}{built['articles']:>10,}{none['cpu']:>8.2f}"
            + "".join(f"{none.get(stage, 0):>{width}.2f}" for stage, width in _STAGES.items())
            + f"{asked['english']['cpu']:>10.2f}{built['build_s']:>9.0f}"
            f"{built['disk_mib']:>10.0f}{asked['open_s']:>8.2f}{asked['own_mib']:>9.0f}",
            flush=True,
        )
    return found


def material_for(*, small: bool, model_cache: Path) -> Material:
    """What to measure on."""
    return of_the_sample() if small else of_the_sets(model_cache=model_cache, questions=_QUESTIONS)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", type=int, nargs="*", default=[10_000, 100_000, 200_000, 1_000_000])
    parser.add_argument("--whole", type=int, nargs="*", default=[10_000, 50_000, 100_000])
    parser.add_argument("--small", action="store_true", help="the sample and the hashing encoder, in seconds")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    if options.small:
        options.vectors, options.whole = [200, 3_000], [100]
    if options.out:
        with options.out.open("w", encoding="utf-8") as out, redirect_stdout(Both(sys.stdout, out)):
            run(options)
    else:
        run(options)


class Both(io.TextIOBase):
    """Writes to two streams: the screen and a file."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        """To both."""
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Both."""
        for stream in self._streams:
            stream.flush()


def run(options: argparse.Namespace) -> None:
    """Measure what was asked for."""
    given = os.environ.get("CARI_MODEL_CACHE")
    exact_rows = _SMALL_EXACT_ROWS if options.small else EXACT_ROWS
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        material = material_for(
            small=options.small, model_cache=Path(given) if given else platformdirs.user_cache_path("cari")
        )
        (folder / "material.pickle").write_bytes(pickle.dumps(material))
        alone = vectors(options.vectors, folder=folder, exact_rows=exact_rows, real=len(material.vectors))
        filters(alone)
        together = whole(options.whole, folder=folder, exact_rows=exact_rows, small=options.small)
    if options.plot:
        from picture import draw  # noqa: PLC0415 - matplotlib is wanted for the picture alone

        draw(alone, together, path=options.plot)


if __name__ == "__main__":
    main()
