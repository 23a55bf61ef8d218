"""What was measured of an engine, over a corpus and in answering a set of questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean, median

import numpy as np

from search.evaluation import measured


@dataclass(slots=True)
class Costs:
    """Of one engine over one corpus. Seconds, MiB; `error` is why the rest is missing.

    `ready_s` is from starting a process to an index that can be asked. `peak_mib` is the most that
    indexing took, `rss_mib` what the asked one holds after its questions.
    """

    engine: str
    corpus: str
    articles: int
    index_s: float = float("nan")
    index_cpu_s: float = float("nan")
    peak_mib: float = float("nan")
    disk_mib: float = float("nan")
    ready_s: float = float("nan")
    rss_mib: float = float("nan")
    embed_ms: list[float] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(slots=True)
class Asked:
    """Of one engine in one mode over one set of questions: what it found by question, and each one's time."""

    engine: str
    mode: str
    corpus: str
    questions: str
    found: dict[str, list[str]] = field(default_factory=dict)
    took_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def ndcg(self, qrels: dict[str, dict[str, int]]) -> float:
        """Mean nDCG@10 over the judged questions, by the measure that `cari eval` has."""
        return fmean(measured(self.found, qrels)["ndcg@10"].values())


def p50(values: list[float]) -> float:
    """The median; nan of nothing."""
    return median(values) if values else float("nan")


def p95(values: list[float]) -> float:
    """The 95th percentile; nan of nothing."""
    return float(np.percentile(values, 95)) if values else float("nan")
