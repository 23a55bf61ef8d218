"""Cari and its peers: same weights, same articles, same questions, in one run.

python bench/peers/compare.py [--out FOLDER] [--venv FOLDER] [--engines NAME,...] [--questions N] [SET[/DIRECTION][:N]...]

Makes the peers' environments where they are missing (a network, and about 5 GB, once). SET is a folder of
../shared/eval or a path in BEIR layout; `:N` takes N articles of it, those that answer the questions among them.
Each engine indexes and answers in a process of its own; they take turns, so that all see the same machine.
`--out` keeps the tables and their picture as peers.txt and peers.png.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import environments
import platformdirs
from drawing import draw
from engines import CHOICES, Choice
from measures import Asked, Costs
from reporting import heading, report
from running import EngineFailed, Running

from indexer import DEFAULT_MODEL, prepare_model
from search.evaluation import EvaluationSet, read_evaluation_set

EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
ENGINES = ("cari", "txtai", "txtai-hybrid", "haystack", "chroma", "lancedb", "semantra")
SETS = (
    *(f"belebele-other/{direction}" for direction in ("id-id", "en-id", "en-en", "id-en", "id-mixed", "en-mixed")),
    "facqa",
    "tydiqa-id:2000",
)
_WARM_UP = 5
_BLOCK = 10
"""Questions that an engine answers before the next one's turn."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Articles that are indexed once, and the sets of questions over them."""

    name: str
    path: Path
    articles: int
    sets: list[EvaluationSet]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where things are, and how long an engine may take for one command."""

    work: Path
    venvs: Path
    model: Path
    limit_s: float

    def start(self, choice: Choice) -> Running:
        """Start an engine's process; raises EngineFailed."""
        return Running(
            choice,
            python=environments.python_of(choice.environment, venvs=self.venvs),
            model=self.model,
            log=self.work / f"{choice.name}.log",
            limit_s=self.limit_s,
        )


def some_of(questions: EvaluationSet, *, most: int) -> EvaluationSet:
    """The same set with at most that many questions, drawn evenly."""
    keys = list(questions.queries)
    kept = keys[:: -(-len(keys) // most)]
    return replace(
        questions,
        queries={key: questions.queries[key] for key in kept},
        qrels={key: questions.qrels[key] for key in kept},
    )


def read_corpora(names: list[str], *, questions: int, work: Path) -> list[Corpus]:
    """The sets that are to be asked, those over the same articles together."""
    corpora: dict[str, Corpus] = {}
    for name in names:
        place, _, most = name.partition(":")
        folder = EVAL / place if (EVAL / place).is_dir() else Path(place)
        if not folder.is_dir():
            sys.exit(f"skipped: neither ../shared/eval/{place} nor {place} is a folder")
        read = some_of(read_evaluation_set(folder), most=questions)
        lines = [line for line in read.corpus.read_text(encoding="utf-8").split("\n") if line.strip()]
        if most:
            wanted = {article for grades in read.qrels.values() for article in grades}
            answering = [line for line in lines if json.loads(line)["_id"] in wanted]
            others = [line for line in lines if json.loads(line)["_id"] not in wanted]
            lines = answering + others[: max(0, int(most) - len(answering))]
        content = "\n".join(lines) + "\n"
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
        if key not in corpora:
            path = work / f"{key}.jsonl"
            path.write_text(content, encoding="utf-8")
            corpora[key] = Corpus(read.name, path, len(lines), [])
        corpora[key].sets.append(read)
    return list(corpora.values())


def index_all(corpus: Corpus, choices: list[Choice], *, bench: Bench, say: Say) -> dict[str, Costs]:
    """Have each engine index the corpus, one after the other."""
    costs = {}
    for choice in choices:
        costs[choice.name] = cost = Costs(choice.name, corpus.name, corpus.articles)
        folder = bench.work / corpus.path.stem / choice.name
        folder.mkdir(parents=True)
        try:
            with bench.start(choice) as engine:
                for name, value in engine("index", corpus=str(corpus.path), folder=str(folder)).items():
                    setattr(cost, name, value)
        except EngineFailed as error:
            cost.error = str(error)
        say(f"{corpus.name}: {choice.name} indexed in {cost.index_s:.1f} s {cost.error or ''}")
    return costs


def ask_all(corpus: Corpus, choices: list[Choice], costs: dict[str, Costs], *, bench: Bench, say: Say) -> list[Asked]:
    """Ask each engine that has an index every question, in turns of a few questions."""
    asked: list[Asked] = []
    with ExitStack() as stack:
        running: dict[str, Running] = {}

        def lost(name: str, error: EngineFailed) -> None:
            costs[name].error = str(error)
            running.pop(name, None)
            say(f"{corpus.name}: {name} failed: {error}")

        for choice in choices:
            if costs[choice.name].error is None:
                try:
                    engine = stack.enter_context(bench.start(choice))
                    costs[choice.name].start_s = engine.start_s
                    costs[choice.name].open_s = engine("open", folder=str(bench.work / corpus.path.stem / choice.name))[
                        "open_s"
                    ]
                    running[choice.name] = engine
                except EngineFailed as error:
                    lost(choice.name, error)
        for questions in corpus.sets:
            keys = list(questions.queries)
            rows = {
                (name, mode): Asked(name, mode, corpus.name, questions.name)
                for name, engine in running.items()
                for mode in engine.modes
            }
            blocks = [keys[:_WARM_UP], *(keys[at : at + _BLOCK] for at in range(0, len(keys), _BLOCK))]
            for turn, block in enumerate(blocks):
                order = list(rows)
                first = turn % len(order) if order else 0
                for name, mode in order[first:] + order[:first]:
                    if name not in running:
                        continue
                    try:
                        said = running[name]("ask", mode=mode, questions=[questions.queries[key] for key in block])
                    except EngineFailed as error:
                        lost(name, error)
                        continue
                    costs[name].rss_mib = said["rss_mib"]
                    if turn:
                        row = rows[name, mode]
                        row.found |= dict(zip(block, said["found"], strict=True))
                        row.took_ms += said["took_ms"]
                        row.cpu_ms += said["cpu_ms"]
            asked += [row for (name, _), row in rows.items() if name in running]
            say(f"{questions.name}: {len(keys)} questions asked")
        few = list(corpus.sets[0].queries.values())[: 2 * _BLOCK]
        for name, engine in list(running.items()):
            try:
                costs[name].embed_ms = engine("embed", questions=few)["took_ms"]
            except EngineFailed as error:
                lost(name, error)
    return asked


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


def chosen(names: str, *, venvs: Path, install: bool, say: Say) -> tuple[list[Choice], dict[str, str]]:
    """The engines that are to run, and why the others that were asked for cannot."""
    unknown = [name for name in names.split(",") if name not in CHOICES]
    if unknown:
        sys.exit(f'no engine "{unknown[0]}"; there are {", ".join(CHOICES)}')
    choices, absent, reasons = [], {}, {}
    for choice in (CHOICES[name] for name in names.split(",")):
        name = choice.environment
        if name is not None and name not in reasons:
            if install and not environments.made(name, venvs=venvs):
                say(f"installing the environment {name} in {venvs}")
                reasons[name] = environments.make(name, venvs=venvs)
            else:
                there = environments.made(name, venvs=venvs)
                reasons[name] = None if there else "not installed: python bench/peers/environments.py"
        if name is None or reasons[name] is None:
            choices.append(choice)
        else:
            absent[choice.name] = reasons[name]
    return choices, absent


def main() -> None:
    """Index, ask, print."""
    parser = argparse.ArgumentParser(description="Cari and its peers: same weights, articles and questions.")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"default: {' '.join(SETS)}")
    parser.add_argument("--engines", default=",".join(ENGINES), help=f"of {', '.join(CHOICES)}")
    parser.add_argument("--questions", type=int, default=100, metavar="N", help="of each set, drawn evenly")
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="the longest one step may take")
    parser.add_argument("--venv", type=Path, default=environments.DEFAULT, metavar="FOLDER")
    parser.add_argument("--no-install", action="store_true", help="leave out what is not installed")
    parser.add_argument("--hashing", action="store_true", help="no model at all: how the harness itself is tried")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    say = Say()
    choices, absent = chosen(given.engines, venvs=given.venv, install=not given.no_install, say=say)
    cache = Path(os.environ.get("CARI_MODEL_CACHE") or platformdirs.user_cache_path("cari"))
    model = Path("hashing") if given.hashing else prepare_model(DEFAULT_MODEL, cache=cache) / "source"
    costs: list[Costs] = []
    asked: list[Asked] = []
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="cari-peers-") as work:
        bench = Bench(Path(work), given.venv, model, given.limit)
        for choice in choices:
            try:
                with bench.start(choice) as engine:  # the first start reads everything from the disk
                    versions |= engine.versions
            except EngineFailed as error:
                absent[choice.name] = str(error)
        choices = [choice for choice in choices if choice.name not in absent]
        corpora = read_corpora(given.sets or list(SETS), questions=given.questions, work=Path(work))
        for turn, corpus in enumerate(corpora):
            first = turn % max(1, len(choices))
            of_corpus = index_all(corpus, choices[first:] + choices[:first], bench=bench, say=say)
            asked += ask_all(corpus, choices, of_corpus, bench=bench, say=say)
            costs += [of_corpus[choice.name] for choice in choices]
    qrels = {questions.name: questions.qrels for corpus in corpora for questions in corpus.sets}
    command = shlex.join(["python", "bench/peers/compare.py", *sys.argv[1:]])
    text = heading(command, versions=versions, seconds=say.seconds) + report(costs, asked, qrels=qrels, absent=absent)
    print(text, end="")
    if given.out is not None:
        (given.out / "peers.txt").write_text(text, encoding="utf-8")
        draw(costs, asked, qrels=qrels, path=given.out / "peers.png")


if __name__ == "__main__":
    main()
