"""Draws growth.png."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

# Okabe & Ito: apart in grey and for colour-blind eyes.
_COLOURS = ("#000000", "#0072b2", "#56b4e9", "#e69f00", "#009e73")


def draw(alone: dict[int, dict[str, Any]], together: dict[int, dict[str, Any]], *, path: Path) -> None:
    """Milliseconds against passages, both by powers of ten."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    sizes = list(alone)
    lines = {
        "all vectors compared": (sizes, [one["none"]["exact_ms"] for one in alone.values()], "--"),
        "vectors, as stored": (sizes, [one["none"]["ms"] for one in alone.values()], "-"),
        "vectors, a filter of 5 %": (sizes, [one["5 %"]["ms"] for one in alone.values()], "-"),
        "words": (list(together), [one["none"].get("lexical", 0) for one in together.values()], "-"),
        "whole search without the model": (list(together), [one["none"]["cpu"] for one in together.values()], "-"),
    }
    for (label, (across, up, style)), colour in zip(lines.items(), _COLOURS, strict=True):
        axes.plot(across, up, style, marker="o", markersize=4, color=colour, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("passages")
    axes.set_ylabel("milliseconds of a core")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150, format="png")
