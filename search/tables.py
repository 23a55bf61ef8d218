"""Comparisons and inspections as people read them: in a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .comparison import COMPARED, SINGLE, Arm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .comparison import Comparison, Gain
    from .explanation import Explanation, Placed
    from .inspection import Inspection

_SHOWN_PAIRS = 6
_SHOWN_WORDS = 8
_MARKDOWN_HEAD = ("set", "questions", "articles", "arm", *COMPARED, "95 % of nDCG@10", "hybrid+late better by")


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Four lines a set, one an arm."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("set", no_wrap=True)
    table.add_column("arm", no_wrap=True)
    for name in COMPARED:
        table.add_column(name.replace("@", "\n@"), justify="right", no_wrap=True, min_width=6)
    table.add_column("hybrid+late is better by\n(95 % interval)", no_wrap=True)
    for one in comparisons:
        family, _, direction = one.name.rpartition("/")
        sizes = (f"  {one.queries} questions", f"  {one.articles} articles")
        firsts = (family, f"  {direction}", *sizes) if family else (direction, *sizes, "")
        for first, arm in zip(firsts, Arm, strict=True):
            table.add_row(first, _arm(arm, one), *_measures(one, arm), _gain(one, arm))
    return table


def legend(comparisons: Sequence[Comparison]) -> str:
    """What the table's marks and intervals are."""
    first = comparisons[0]
    return (
        f"* the better of {' and '.join(SINGLE)}. Gains are in nDCG@10, with paired bootstrap intervals over "
        f"questions ({first.resamples:,} resamples, seed {first.seed})."
    )


def comparison_markdown(comparisons: Sequence[Comparison]) -> str:
    """The same as a Markdown table, with the intervals of the means, and the legend under it."""
    lines = [f"| {' | '.join(_MARKDOWN_HEAD)} |", f"|{' --- |' * len(_MARKDOWN_HEAD)}"]
    for one in comparisons:
        for result in one.arms:
            cells = (
                one.name,
                str(one.queries),
                str(one.articles),
                _arm(result.arm, one).replace("*", r"\*"),
                *_measures(one, result.arm),
                f"{result.low:.3f} to {result.high:.3f}",
                _gain(one, result.arm),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", legend(comparisons).replace("*", r"\*"), ""])


def inspection_text(inspection: Inspection, *, width: int) -> Text:
    """The question, then each article: how it ranks, and what it shares in words and in meaning.

    `width` is in columns.
    """
    text = Text()
    text.append(f"{inspection.text}\n", style="bold")
    text.append(
        f"{inspection.name} {inspection.id} · {inspection.language} {inspection.language_confidence:.2f} · "
        f"{inspection.mode.value} · relevant: {', '.join(inspection.qrels)}\n",
        style="dim",
    )
    for key in inspection.absent:
        text.append(f"{key} is relevant, and not in the corpus\n", style="red")
    text.append(f"\n{'rank':>5}  {'score':>5}  {'cosine':<14} {'shared words':<13} {'late':<6} {'moved':>5}  article\n")
    for one in inspection.placed:
        _append(text, one, relevant=one.article.id in inspection.qrels, width=width)
    text.append(
        "\n* relevant. # is the passage's place by that evidence alone, moved the places that shared words gave it."
    )
    return text


def _append(text: Text, one: Placed, *, relevant: bool, width: int) -> None:
    why = one.explanation
    rank = "-" if one.rank is None else str(one.rank)
    score = "-" if one.score is None else f"{one.score:.3f}"
    share = why.lexical
    cosine = "-" if why.dense is None else _cell(why.dense.cosine, why.dense.rank)
    late = "-" if why.late is None else f"{why.late.score:.3f}"
    text.append(
        f"{'*' if relevant else ' '}{rank:>4}  {score:>5}  {cosine:<14} "
        f"{_cell(share.share, share.rank):<13} {late:<6} {why.lifted:>+5}  ",
        style="bold green" if relevant else "",
    )
    text.append(f"{one.article.id} ({why.language})\n", style="bold green" if relevant else "")
    for label, line in (("title", one.article.title), ("words", _words(why)), ("meaning", _pairs(why))):
        if line:
            lines = textwrap.wrap(f"{label:<7} {line}", width - 7, subsequent_indent=" " * 8)
            text.append(textwrap.indent("\n".join(lines), " " * 7) + "\n", style="dim")


def _words(why: Explanation) -> str:
    return ", ".join(
        f"{word.text} {word.weight:.1f}{f' x{word.count}' if word.count > 1 else ''}"
        for word in why.lexical.words[:_SHOWN_WORDS]
    )


def _pairs(why: Explanation) -> str:
    pairs = why.late.pairs if why.late else ()
    shown = sorted(pairs, key=lambda pair: -pair.weight * pair.cosine)[:_SHOWN_PAIRS]
    told = ", ".join(f"{pair.question}>{pair.passage} {pair.cosine:.2f}x{pair.weight:.2f}" for pair in shown)
    return told if not told or (why.late and why.late.counted) else f"{told} (not counted)"


def _cell(value: float, rank: int | None) -> str:
    return f"{value:.3f} {'' if rank is None else f'#{rank}'}"


def _arm(arm: Arm, one: Comparison) -> str:
    return f"{arm.value} *" if arm is one.best else arm.value


def _measures(one: Comparison, arm: Arm) -> list[str]:
    result = next(result for result in one.arms if result.arm is arm)
    return [f"{result.measures[name]:.3f}" for name in COMPARED]


def _gain(one: Comparison, arm: Arm) -> str:
    gain: Gain | None = next((gain for gain in one.gains if gain.over is arm), None)
    return "" if gain is None else f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
