"""The same figures as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measures import Asked, Costs, p50
from reporting import Qrels, mean_ndcg

if TYPE_CHECKING:
    from pathlib import Path

_OURS, _THEIRS = "#0b6e4f", "#9aa5b1"


def draw(costs: list[Costs], asked: list[Asked], *, qrels: Qrels, path: Path) -> None:
    """Four panels of bars: nDCG@10 over all sets; the rest over the largest corpus, where what failed has no bar."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and needed here only
    from matplotlib import pyplot as plt  # noqa: PLC0415

    mpl.use("agg")
    largest = max(costs, key=lambda cost: cost.articles)
    of_corpus = [cost for cost in costs if cost.corpus == largest.corpus and cost.error is None]
    over = f"{largest.corpus}, {largest.articles} articles"
    panels = {
        "nDCG@10, mean of the sets": {
            f"{engine} {mode}": value for (engine, mode), value in mean_ndcg(asked, qrels=qrels).items()
        },
        f"a question, p50 in ms ({over})": {
            f"{row.engine} {row.mode}": p50(row.took_ms) for row in asked if row.corpus == largest.corpus
        },
        f"indexing, s ({over})": {cost.engine: cost.index_s for cost in of_corpus},
        f"memory when asked, MiB ({over})": {cost.engine: cost.rss_mib for cost in of_corpus},
    }
    figure, axes = plt.subplots(2, 2, figsize=(12, 7), layout="constrained")
    for axis, (title, bars) in zip(axes.flat, panels.items(), strict=True):
        names = list(bars)[::-1]
        values = [bars[name] for name in names]
        colours = [_OURS if name.split()[0] == "cari" else _THEIRS for name in names]
        drawn = axis.barh(names, values, color=colours)
        axis.bar_label(
            drawn,
            [f"{value:.3f}" if value < 1 else f"{value:,.1f}" for value in values],
            padding=3,
        )
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.set_xticks([])
        axis.margins(x=0.15)
    figure.savefig(path, dpi=110)
    plt.close(figure)
