"""Cari and its peers: same weights, same articles, same questions, in one run.

python bench/peers/compare.py [--out FOLDER] [--venv FOLDER] [--engines NAME,...] [--questions N] [SET[:N]...]

Makes the peers' environments where they are missing (a network, and about 4 GB, once). SET is a folder of
../shared/eval or a path in BEIR layout; `:N` takes N articles of it, those that answer the questions among them.
Each engine indexes and answers in a process of its own; they take turns, so that all see the same machine.
`--out` keeps the tables and their picture as peers.txt and peers.png.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import environments
import platformdirs
from corpora import read_corpora
from drawing import draw
from engines import CHOICES, Choice
from reporting import heading, report
from turns import Bench, Say, ask_all, index_all

from indexer import DEFAULT_MODEL, prepare_model

if TYPE_CHECKING:
    from measures import Asked, Costs

ENGINES = ("cari", "txtai", "txtai-hybrid", "haystack", "chroma", "lancedb", "semantra")
SETS = (
    *(f"belebele-other/{direction}" for direction in ("id-id", "en-id", "en-en", "id-en", "id-mixed", "en-mixed")),
    "facqa:650",
)


def chosen(names: str, *, venvs: Path, install: bool, say: Say) -> tuple[list[Choice], dict[str, str]]:
    """The engines that are to run, and why the others that were asked for cannot."""
    unknown = [name for name in names.split(",") if name not in CHOICES]
    if unknown:
        sys.exit(f'no engine "{unknown[0]}"; there are {", ".join(CHOICES)}')
    wanted = [CHOICES[name] for name in names.split(",")]
    reasons: dict[str, str | None] = {}
    for name in {choice.environment: None for choice in wanted if choice.environment is not None}:
        if environments.made(name, venvs=venvs):
            reasons[name] = None
        elif install:
            say(f"installing the environment {name} in {venvs}")
            reasons[name] = environments.make(name, venvs=venvs)
        else:
            reasons[name] = "not installed: python bench/peers/environments.py"
    absent = {choice.name: reason for choice in wanted if (reason := reasons.get(choice.environment or ""))}
    return [choice for choice in wanted if choice.name not in absent], absent


def main() -> None:
    """Index, ask, print."""
    parser = argparse.ArgumentParser(description="Cari and its peers: same weights, articles and questions.")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"default: {' '.join(SETS)}")
    parser.add_argument("--engines", default=",".join(ENGINES), help=f"of {', '.join(CHOICES)}")
    parser.add_argument("--questions", type=int, default=60, metavar="N", help="of each set, drawn evenly")
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
    with tempfile.TemporaryDirectory(prefix="cari-peers-") as work:
        bench = Bench(Path(work), given.venv, model, given.limit, say)
        corpora = read_corpora(given.sets or list(SETS), questions=given.questions, work=bench.work)
        for turn, corpus in enumerate(corpora):
            first = turn % max(1, len(choices))
            of_corpus = index_all(corpus, choices[first:] + choices[:first], bench=bench)
            asked += ask_all(corpus, choices, of_corpus, bench=bench)
            costs += [of_corpus[choice.name] for choice in choices]
    qrels = {questions.name: questions.qrels for corpus in corpora for questions in corpus.sets}
    command = shlex.join(["python", "bench/peers/compare.py", *sys.argv[1:]])
    versions = {name: version for cost in costs for name, version in cost.versions.items()}
    text = heading(command, versions=versions, seconds=say.seconds) + report(costs, asked, qrels=qrels, absent=absent)
    print(text, end="")
    if given.out is not None:
        (given.out / "peers.txt").write_text(text, encoding="utf-8")
        draw(costs, asked, qrels=qrels, path=given.out / "peers.png")


if __name__ == "__main__":
    main()
