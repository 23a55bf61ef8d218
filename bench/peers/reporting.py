"""The tables: how good, how long to index, how long to answer, and where a peer is ahead."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from statistics import fmean

from measures import Asked, Costs, p50, p95

_OURS = "cari"
_UNITS = {
    "index_s": "s to index",
    "peak_mib": "MiB to index",
    "rss_mib": "MiB asked",
    "disk_mib": "MiB on disk (Cari's hold token vectors for late interaction, and the cache that spares a rebuild)",
    "ready_s": "s until it can be asked",
}
Qrels = dict[str, dict[str, dict[str, int]]]


def heading(command: str, *, versions: dict[str, str], seconds: float) -> str:
    """What ran, where, of which versions."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name")), "")
    lines = [
        f"$ {command}",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {seconds:.0f} s, load {os.getloadavg()[0]:.1f}",
        f"{len(os.sched_getaffinity(0))} cores, {model or platform.machine()}; Python {platform.python_version()}",
        ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        "",
    ]
    return "\n".join(lines) + "\n"


def report(costs: list[Costs], asked: list[Asked], *, qrels: Qrels, absent: dict[str, str]) -> str:
    """All tables, and what did not run."""
    parts = [
        _quality(asked, qrels=qrels),
        _indexing(costs),
        _answering(costs, asked),
        _ahead(costs, asked, qrels=qrels),
    ]
    failed = [f"{name}: {reason}" for name, reason in absent.items()]
    failed += [f"{cost.engine} on {cost.corpus}: {cost.error}" for cost in costs if cost.error is not None]
    if failed:
        parts.append("\n".join(["Did not run", *failed]) + "\n")
    return "\n".join(parts)


def mean_ndcg(asked: list[Asked], *, qrels: Qrels) -> dict[tuple[str, str], float]:
    """By engine and mode, the mean of the sets; only of those that answered every set."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in asked:
        values.setdefault((row.engine, row.mode), []).append(row.ndcg(qrels[row.questions]))
    return {key: fmean(found) for key, found in values.items() if len(found) == len(qrels)}


def _quality(asked: list[Asked], *, qrels: Qrels) -> str:
    table = {(row.engine, row.mode, row.questions): row.ndcg(qrels[row.questions]) for row in asked}
    means = mean_ndcg(asked, qrels=qrels)
    rows = [
        [
            f"{engine} {mode}",
            *(_figure(table.get((engine, mode, name)), 3) for name in qrels),
            _figure(means.get((engine, mode)), 3),
        ]
        for engine, mode in dict.fromkeys((row.engine, row.mode) for row in asked)
    ]
    names = [f"{name.rsplit('/', 1)[-1]} ({len(of_set)})" for name, of_set in qrels.items()]
    return _table("nDCG@10 (questions)", ["", *names, "mean"], rows)


def _indexing(costs: list[Costs]) -> str:
    parts = []
    for corpus in dict.fromkeys(cost.corpus for cost in costs):
        of_corpus = [cost for cost in costs if cost.corpus == corpus]
        ours = next((cost.index_s for cost in of_corpus if cost.engine == _OURS), float("nan"))
        rows = [
            [
                cost.engine,
                _figure(cost.index_s, 1),
                _figure(cost.index_s / ours, 2),
                _figure(cost.index_cpu_s, 1),
                _figure(cost.articles / cost.index_s, 1),
                *(_figure(value, 0) for value in (cost.peak_mib, cost.rss_mib)),
                *(_figure(value, 1) for value in (cost.disk_mib, cost.ready_s)),
            ]
            for cost in of_corpus
        ]
        title = f"Indexing {corpus}, {of_corpus[0].articles} articles, embedding included"
        names = ["", "s", "of Cari's", "cpu s", "articles/s", "peak MiB", "asked MiB", "disk MiB", "ready s"]
        parts.append(_table(title, names, rows))
    return "\n".join(parts)


def _answering(costs: list[Costs], asked: list[Asked]) -> str:
    parts = []
    for corpus in dict.fromkeys(cost.corpus for cost in costs):
        of_corpus = [row for row in asked if row.corpus == corpus]
        embed = {cost.engine: p50(cost.embed_ms) for cost in costs if cost.corpus == corpus}
        times = _times(of_corpus)
        ours = p50(times.get((_OURS, "hybrid"), []))
        rows = []
        for (engine, mode), took in times.items():
            cpu = [value for row in of_corpus if (row.engine, row.mode) == (engine, mode) for value in row.cpu_ms]
            values = (p50(took), p95(took), p50(cpu), embed[engine], p50(took) - embed[engine])
            rows.append([f"{engine} {mode}", *(_figure(value, 1) for value in values), _figure(p50(took) / ours, 2)])
        names = ["", "p50", "p95", "cpu p50", "embedding", "the rest", "of Cari's"]
        parts.append(_table(f"A question over {corpus}, ms", names, rows))
    return "\n".join(parts)


def _times(asked: list[Asked]) -> dict[tuple[str, str], list[float]]:
    times: dict[tuple[str, str], list[float]] = {}
    for row in asked:
        times.setdefault((row.engine, row.mode), []).extend(row.took_ms)
    return times


def _ahead(costs: list[Costs], asked: list[Asked], *, qrels: Qrels) -> str:
    """Each measure in which a peer is better than Cari as it is by default, and what Cari spends there."""
    means = mean_ndcg(asked, qrels=qrels)
    ours = means.get((_OURS, "hybrid"), float("nan"))
    found = [
        f"{engine} {mode} {value:.3f} to {ours:.3f}"
        for (engine, mode), value in means.items()
        if value > ours and engine != _OURS
    ]
    parts = {"nDCG@10": found} if found else {}
    for corpus in dict.fromkeys(cost.corpus for cost in costs):
        times = {key: p50(took) for key, took in _times([row for row in asked if row.corpus == corpus]).items()}
        ours = times.pop((_OURS, "hybrid"), float("nan"))
        times.pop((_OURS, "dense"), None)
        faster = [f"{engine} {mode} {took:.1f} to {ours:.1f}" for (engine, mode), took in times.items() if took < ours]
        if faster:
            parts[f"ms a question, {corpus}"] = faster
        of_corpus = {cost.engine: cost for cost in costs if cost.corpus == corpus}
        cari = of_corpus.pop(_OURS, None)
        for name, unit in _UNITS.items():
            own = getattr(cari, name, float("nan"))
            theirs = {engine: getattr(cost, name) for engine, cost in of_corpus.items()}
            less = [f"{engine} {value:.1f} to {own:.1f}" for engine, value in theirs.items() if value < own]
            if less:
                parts[f"{unit}, {corpus}"] = less
    lines = [f"{measure}: {', '.join(rows)}" for measure, rows in parts.items()]
    return "\n".join(["Where a peer is ahead of Cari (theirs to Cari's)", *(lines or ["nowhere"])]) + "\n"


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124 - nan


def _table(title: str, names: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[at]) for row in [names, *rows]) for at in range(len(names))]
    lines = [title]
    for row in [names, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
