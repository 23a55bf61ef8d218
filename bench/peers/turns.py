"""Engines take turns: each indexes a corpus, then all are asked the same questions, a few at a time."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import environments
from measures import Asked, Costs
from running import EngineFailed, Running

if TYPE_CHECKING:
    from pathlib import Path

    from corpora import Corpus
    from engines import Choice

    from search.evaluation import EvaluationSet

_WARM_UP = 5
_BLOCK = 10
"""Questions that an engine answers before the next one's turn."""


class Say:
    """Progress on stderr, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self, text: str) -> None:
        """Say it."""
        print(f"{self.seconds:5.0f} s  {text}", file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self._began


@dataclass(frozen=True, slots=True)
class Bench:
    """Where things are, and how long an engine may take for one command."""

    work: Path
    venvs: Path
    model: Path
    limit_s: float
    say: Say

    def start(self, choice: Choice) -> Running:
        """Start an engine's process; raises EngineFailed."""
        return Running(
            choice,
            python=environments.python_of(choice.environment, venvs=self.venvs),
            model=self.model,
            log=self.work / f"{choice.name}.log",
            limit_s=self.limit_s,
        )

    def folder(self, corpus: Corpus, engine: str) -> Path:
        """Where an engine keeps its index of a corpus."""
        return self.work / corpus.path.stem / engine


class Panel(ExitStack):
    """Engines that have opened their index of one corpus. One that fails is named in its costs, and asked no more."""

    def __init__(self, costs: dict[str, Costs], *, bench: Bench) -> None:
        super().__init__()
        self.running: dict[str, Running] = {}
        self.costs = costs
        self._bench = bench

    def admit(self, choice: Choice, *, index: Path) -> None:
        """Start an engine and open its index, unless it failed to make one."""
        cost = self.costs[choice.name]
        if cost.error is None:
            try:
                self.running[choice.name] = engine = self.enter_context(self._bench.start(choice))
                cost.ready_s = engine.start_s + engine("open", folder=str(index))["open_s"]
            except EngineFailed as error:
                self._lose(choice.name, error)

    def have(self, name: str, do: str, **command: object) -> dict[str, Any] | None:
        """What an engine answers; None where it failed, now or before."""
        try:
            return self.running[name](do, **command) if name in self.running else None
        except EngineFailed as error:
            return self._lose(name, error)

    def _lose(self, name: str, error: EngineFailed) -> None:
        self.costs[name].error = str(error)
        self.running.pop(name, None)
        self._bench.say(f"{self.costs[name].corpus}: {name} failed: {error}")


def index_all(corpus: Corpus, choices: list[Choice], *, bench: Bench) -> dict[str, Costs]:
    """Have each engine index the corpus from nothing, one after the other, each in a fresh process."""
    costs = {choice.name: Costs(choice.name, corpus.name, corpus.articles) for choice in choices}
    for choice in choices:
        folder = bench.folder(corpus, choice.name)
        folder.mkdir(parents=True)
        cost = costs[choice.name]
        try:
            with bench.start(choice) as engine:
                cost.versions = engine.versions
                for name, value in engine("index", corpus=str(corpus.path), folder=str(folder)).items():
                    setattr(cost, name, value)
        except EngineFailed as error:
            cost.error = str(error)
        bench.say(f"{corpus.name}: {choice.name}: {cost.error or f'indexed in {cost.index_s:.1f} s'}")
    return costs


def ask_all(corpus: Corpus, choices: list[Choice], costs: dict[str, Costs], *, bench: Bench) -> list[Asked]:
    """Ask each engine that has an index every question of every set over it."""
    with Panel(costs, bench=bench) as panel:
        for choice in choices:
            panel.admit(choice, index=bench.folder(corpus, choice.name))
        asked: list[Asked] = []
        for questions in corpus.sets:
            asked += _asked(questions, panel, corpus=corpus.name)
            bench.say(f"{questions.name}: {len(questions.queries)} questions asked")
        few = list(corpus.sets[0].queries.values())[: 2 * _BLOCK]
        for name in list(panel.running):
            said = panel.have(name, "embed", questions=few)
            costs[name].embed_ms = said["took_ms"] if said else []
        return [row for row in asked if row.engine in panel.running]


def _asked(questions: EvaluationSet, panel: Panel, *, corpus: str) -> list[Asked]:
    rows = [
        Asked(name, mode, corpus, questions.name) for name, engine in panel.running.items() for mode in engine.modes
    ]
    keys = list(questions.queries)
    # The first questions find everything cold: they are asked again, and counted then.
    blocks = [keys[:_WARM_UP], *(keys[at : at + _BLOCK] for at in range(0, len(keys), _BLOCK))]
    for turn, block in enumerate(blocks):
        first = turn % max(1, len(rows))
        for row in rows[first:] + rows[:first]:
            texts = [questions.queries[key] for key in block]
            said = panel.have(row.engine, "ask", mode=row.mode, questions=texts)
            if said is None:
                continue
            panel.costs[row.engine].rss_mib = said["rss_mib"]
            if turn:
                row.found |= dict(zip(block, said["found"], strict=True))
                row.took_ms += said["took_ms"]
                row.cpu_ms += said["cpu_ms"]
    return rows
