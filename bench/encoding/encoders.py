"""Tokens a second of Cari's encoder and of others with the same weights, beside what this processor could do.

python bench/encoding/encoders.py --out bench/encoding/encoders.txt --plot bench/encoding/encoders.png
python bench/encoding/encoders.py --passages 200 --questions 100      (a short one)

Texts are real passages; tokens are real ones, padding does not count. The engines take turns at every block of 100
passages, and figures are medians over blocks, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from engines import CORES, Candidate, Engine, SentenceTransformers, candidates
from limit import gemm_rate, instruction_sets, operations
from passages import Pools, mixed_passages, read_pools
from ranking import Figures, nothing, relevance

from indexer import DEFAULT_MODEL, open_encoder, prepare_model

if TYPE_CHECKING:
    from indexer import Encoder

BLOCK = 100


@dataclass(slots=True)
class Course:
    """What an engine did: by block, tokens in a second of wall time and of processor time; and its vectors."""

    name: str
    wall: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)
    figures: Figures = field(default_factory=nothing)


def main() -> None:
    """Print the table, and write and draw it where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=2_000, help="for torch and Cari; the others get a third")
    parser.add_argument("--questions", type=int, default=549, help="of each language, for nDCG@10; 0 leaves that out")
    parser.add_argument("--out", type=Path, help="write the table there too")
    parser.add_argument("--plot", type=Path, help="draw it there, with matplotlib")
    options = parser.parse_args()
    cache = Path(os.environ.get("CARI_MODEL_CACHE") or platformdirs.user_cache_path("cari"))
    prepared = prepare_model(DEFAULT_MODEL, cache=cache)
    encoder = open_encoder(prepared, bulk=True)
    texts = mixed_passages(encoder, most=options.passages)
    pools = read_pools(most_questions=options.questions) if options.questions else None
    with tempfile.TemporaryDirectory() as work:
        found = list(candidates(prepared, encoder=encoder, work=Path(work)))
        present = [one for one in found if one.engine is not None]
        courses, limits, mean_tokens = race(present, texts=texts, encoder=encoder)
        if pools is not None:
            for candidate, course in zip(present, courses, strict=True):
                course.figures = judge(candidate.engine, pools=pools, encoder=encoder)
    absent = [f"{one.name}: left out, {one.absent}" for one in found if one.engine is None]
    report = "\n".join([*table(courses, limits, texts=len(texts), mean_tokens=mean_tokens), *absent, ""])
    print(report, end="")
    if options.out:
        options.out.write_text(report, encoding="utf-8")
    if options.plot:
        draw(courses, limits, mean_tokens=mean_tokens, path=options.plot)


def race(
    present: list[Candidate], *, texts: list[str], encoder: Encoder
) -> tuple[list[Course], list[tuple[float, float]], float]:
    """All engines over all blocks in turn, and the rate of products of matrices beside each block."""
    prompt = encoder.card.passage_prompt
    courses = [Course(one.name) for one in present]
    for one in present:
        _engine(one)(texts[:8], prompt=prompt)  # what the first call sets up is not counted
    limits, tokens = [], 0
    for number, at in enumerate(range(0, len(texts), BLOCK)):
        block = texts[at : at + BLOCK]
        count = sum(len(read.ids) for read in _read(encoder, [prompt + text for text in block]))
        tokens += count
        limits.append(gemm_rate(seconds=0.5))
        for place, (one, course) in enumerate(zip(present, courses, strict=True)):
            if place > 1 and number % 3:  # but torch and Cari
                continue
            start, busy = time.perf_counter(), time.process_time()
            vectors = _engine(one)(block, prompt=prompt).pooled
            course.wall.append(count / (time.perf_counter() - start))
            course.busy.append(count / (time.process_time() - busy))
            course.vectors.append(vectors)
    return courses, limits, tokens / len(texts)


def judge(engine: Engine | None, *, pools: Pools, encoder: Encoder) -> Figures:
    """Its nDCG@10 in the six directions."""
    if engine is None:
        return nothing()
    card = encoder.card
    embed = engine.with_tokens if isinstance(engine, SentenceTransformers) else engine
    questions = embed(pools.questions, prompt=card.query_prompt)
    return relevance(questions, embed(pools.passages, prompt=card.passage_prompt), pools=pools)


def table(courses: list[Course], limits: list[tuple[float, float]], *, texts: int, mean_tokens: float) -> list[str]:
    """The lines of the report."""
    wall, busy = (median(limit[which] for limit in limits) for which in (0, 1))
    each = operations(round(mean_tokens))
    reference = courses[0]
    lines = [
        instruction_sets(),
        f"{texts} passages of {mean_tokens:.0f} tokens on average, {each / 1e6:.1f} MFLOP a token; medians of blocks",
        (
            f"products of matrices alone: {wall / 1e9:.0f} GFLOP/s with {CORES} threads, {busy / 1e9:.0f} a core: "
            f"{wall / each:,.0f} tokens/s, {busy / each:,.0f} in a second of one core"
        ),
        "",
        (
            f"{'':<36}{'tokens/s':>9}{'x torch':>9}{'a core s':>10}{'of GEMM':>9}{'cosine to fp32':>19}"
            f"{'nDCG@10 dense':>15}{'late':>8}"
        ),
        f"{'':<36}{'wall':>9}{'':>9}{'':>10}{'':>9}{'mean     least':>19}{'mean of 6':>15}{'':>8}",
    ]
    for place, course in enumerate(courses):
        step = 1 if place < 2 else 3  # noqa: PLR2004 - torch and Cari ran every block
        ratio = median(mine / theirs for mine, theirs in zip(course.wall, reference.wall[::step], strict=True))
        cosines = np.concatenate(
            [(a * b).sum(axis=1) for a, b in zip(course.vectors, reference.vectors[::step], strict=True)]
        )
        share = median(course.busy) * each / busy
        lines.append(
            f"{course.name:<36}{median(course.wall):>9,.0f}{ratio:>9.2f}{median(course.busy):>10,.0f}{share:>9.0%}"
            f"{cosines.mean():>10.5f}{cosines.min():>9.5f}{_mean(course.figures.dense):>15}"
            f"{_mean(course.figures.late):>8}"
        )
    directions = list(reference.figures.dense)
    if directions:
        lines += ["", f"{'nDCG@10, dense':<36}" + "".join(f"{name:>10}" for name in directions)]
        lines += [_row(course.name, course.figures.dense) for course in courses]
        lines += ["", f"{'nDCG@10, late':<36}" + "".join(f"{name:>10}" for name in directions)]
        lines += [_row(course.name, course.figures.late) for course in courses if course.figures.late]
    return lines


def draw(courses: list[Course], limits: list[tuple[float, float]], *, mean_tokens: float, path: Path) -> None:
    """A bar for each engine, and a line where products of matrices alone would be."""
    import matplotlib as mpl  # noqa: PLC0415 - only where a plot is wanted

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 0.45 * len(courses) + 1.4), layout="constrained")
    names = [course.name for course in courses][::-1]
    rates = [median(course.wall) for course in courses][::-1]
    axes.barh(names, rates, color=["#1f6f8b" if name.startswith("Cari") else "#b8c4cc" for name in names])
    most = median(limit[0] for limit in limits) / operations(round(mean_tokens))
    axes.axvline(most, color="#aa3333", linestyle="--")
    axes.annotate("products of matrices alone", (most, len(names) - 0.6), ha="right", color="#aa3333", fontsize=8)
    axes.set_xlabel("real tokens a second, wall time")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def _engine(candidate: Candidate) -> Engine:
    assert candidate.engine is not None  # noqa: S101 - only those that are present take part
    return candidate.engine


def _read(encoder: Encoder, texts: list[str]) -> list:  # type: ignore[type-arg]
    return encoder.tokenizer.read(texts)  # type: ignore[attr-defined]


def _mean(figures: dict[str, float]) -> str:
    return f"{sum(figures.values()) / len(figures):.4f}" if figures else "-"


def _row(name: str, figures: dict[str, float]) -> str:
    return f"{name:<36}" + "".join(f"{figure:>10.4f}" for figure in figures.values())


if __name__ == "__main__":
    main()
