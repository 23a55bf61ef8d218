"""Draws a comparison. The only file that knows matplotlib, which is loaded when a plot is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .comparison import COMPARED, Arm
from .errors import PlotUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from .comparison import Comparison

# Colours that stay apart in grey and for colour-blind eyes (Okabe & Ito 2008).
_COLOURS = {Arm.DENSE: "#56b4e9", Arm.LEXICAL: "#e69f00", Arm.HYBRID: "#009e73", Arm.LATE: "#0072b2"}
_BAR = 0.2
_WIDTH_A_SET = 1.5
_LEAST_WIDTH = 6.0
_HEIGHT = 4.5
_DPI = 150


def require_matplotlib() -> None:
    """See that a plot can be drawn, before minutes are spent on what it shows.

    Raises:
        PlotUnavailable: matplotlib is not installed.
    """
    _figure(1)


def draw(comparisons: Sequence[Comparison], *, path: Path) -> None:
    """Write a picture of nDCG@10: a group of bars a set, one an arm, with 95 % intervals.

    Raises:
        PlotUnavailable: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    figure = _figure(len(comparisons))
    axes = figure.add_subplot()
    for number, arm in enumerate(Arm):
        results = [next(result for result in one.arms if result.arm is arm) for one in comparisons]
        means = [result.measures[COMPARED[0]] for result in results]
        below = [max(0.0, mean - result.low) for mean, result in zip(means, results, strict=True)]
        above = [max(0.0, result.high - mean) for mean, result in zip(means, results, strict=True)]
        places = [place + (number - (len(Arm) - 1) / 2) * _BAR for place in range(len(comparisons))]
        axes.bar(
            places, means, _BAR, yerr=[below, above], color=_COLOURS[arm], label=arm.value, capsize=2,
            error_kw={"elinewidth": 0.8},
        )  # fmt: skip
    axes.set_xticks(range(len(comparisons)), [one.name.replace("/", "\n") for one in comparisons])
    axes.set_ylim(0, 1)
    axes.set_ylabel("nDCG@10, 95 % interval")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=len(Arm), frameon=False)
    figure.savefig(path, dpi=_DPI, format="png")


def _figure(groups: int) -> Figure:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - only who asks for a plot needs it installed
    except ModuleNotFoundError as error:
        raise PlotUnavailable(
            f"a plot needs matplotlib, which is not installed ({error}); run: pip install 'cari[plot]'"
        ) from error
    return Figure(figsize=(max(_LEAST_WIDTH, _WIDTH_A_SET * groups), _HEIGHT), layout="constrained")
