"""bm25s, as Cari uses it and by itself, against tantivy: time, memory, room, filters, ties and quality.

Times are of the processor, not of the clock, so that what else the machine does counts little.

python bench/lexical/compare.py [PASSAGES]      (default 200,000: about six minutes; needs: pip install tantivy)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from engines import BUILDERS, OPENERS, Engine, languages_of
from passages import Window, judged, questions, records, windows

from indexer.terms import terms

_K = 50
_EACH = 250
_ANALYSED = 10
_REBUILT = 3_000
_FILTERS = {"none": None, "50 %": 500, "5 %": 50, "0.1 %": 1}


def memory() -> dict[str, float]:
    """Resident memory of this process in MiB: its own, of files mapped into it, both, and both at their peak."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {kind: int(lines[kind].split()[0]) / 1024 for kind in ("RssAnon", "RssFile", "VmRSS", "VmHWM")}


def build(engine: str, folder: Path, count: int) -> dict[str, float]:
    """Build in this process; CPU seconds, analysis included, and the most memory that it took beyond the texts."""
    passages = windows(count)
    before = memory()["VmRSS"]
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    began = time.process_time()
    BUILDERS[engine](passages, folder)
    took = time.process_time() - began
    return {"s": took, "MiB": memory()["VmHWM"] - before}


def analyse(_engine: str, _folder: Path, count: int) -> dict[str, float]:
    """The part of every build that is not the engine's, estimated from every tenth passage; CPU seconds."""
    passages = windows(count)[::_ANALYSED]
    began = time.process_time()
    for passage in passages:
        terms(passage.text, language=passage.language)
    return {"s": (time.process_time() - began) * _ANALYSED}


def open_and_ask(engine: str, folder: Path, _count: int) -> dict[str, float]:
    """Open in this process, ask all questions; CPU milliseconds to open, and memory that each took."""
    languages = np.load(folder.parent / "languages.npy")
    asked = questions(_EACH)
    before = memory()
    began = time.process_time()
    opened = OPENERS[engine](folder, languages)
    took = time.process_time() - began
    after_open = memory()
    for question in asked:
        opened.best(question, _K)
    after = memory()
    return {
        "open ms": took * 1000,
        "own MiB": after_open["RssAnon"] - before["RssAnon"],
        "own MiB, asked": after["RssAnon"] - before["RssAnon"],
        "mapped MiB, asked": after["RssFile"] - before["RssFile"],
    }


STEPS = {"analyse": analyse, "build": build, "open": open_and_ask}


def apart(step: str, engine: str, folder: Path, count: int) -> dict[str, float]:
    """A step in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, step, engine, str(folder), str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def times(engines: dict[str, Engine], asked: list[str], *, below: int | None) -> dict[str, np.ndarray]:
    """CPU milliseconds of each question with each engine, which take turns question by question."""
    took: dict[str, list[float]] = {name: [] for name in engines}
    for question in asked:
        for name, engine in engines.items():
            began = time.process_time()
            engine.best(question, _K, below=below)
            took[name].append((time.process_time() - began) * 1000)
    return {name: np.array(values) for name, values in took.items()}


def ndcg10(engine: Engine, name: str, keys: list[str]) -> float:
    """Mean nDCG@10 of a set, binary gains."""
    relevant = judged(name)
    discounts = 1 / np.log2(np.arange(2, 12))
    gains = []
    for record in records(name, "queries.jsonl"):
        wanted = relevant.get(record["_id"])
        if wanted:
            hits = np.array([keys[row] in wanted for row, _ in engine.best(record["text"], 10)], float)
            gains.append(float(hits @ discounts[: len(hits)]) / discounts[: len(wanted)].sum())
    return float(np.mean(gains))


def agreement(engines: dict[str, Engine], asked: list[str]) -> None:
    """How far tantivy's scores are from ours, and how many questions have a tie among their best."""
    gaps, tied, same = [], 0, 0
    for question in asked:
        ours, theirs = engines["bm25s"].best(question, _K), dict(engines["tantivy"].best(question, _K))
        gaps += [abs(theirs[row] / score - 1) for row, score in ours if row in theirs]
        tied += len({score for _, score in ours}) < len(ours)
        same += {row for row, _ in ours} == set(theirs)
    print(
        f"\nscores of tantivy differ by {np.mean(gaps):.2%} on average, {np.max(gaps):.1%} at most (lengths in 1 byte)"
    )
    print(
        f"the same {_K} passages a language for {same / len(asked):.0%} of questions, "
        f"with a tie among them for {tied / len(asked):.0%}"
    )


def rebuilt_alike(passages: list[Window], asked: list[str], folder: Path) -> None:
    """Whether a second build of the same passages gives the same rows in the same order."""
    languages = languages_of(passages)
    for name, builder in BUILDERS.items():
        answers = []
        for number in range(2):
            target = folder / f"again-{name}-{number}"
            target.mkdir()
            builder(passages, target)
            opened = OPENERS[name](target, languages)
            answers.append([[row for row, _ in opened.best(question, _K)] for question in asked])
        print(
            f"{name}: {np.mean([a == b for a, b in zip(*answers, strict=True)]):.0%} of questions alike after a rebuild"
        )


def main(count: int) -> None:
    """Print every table."""
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        passages = windows(count)
        languages = languages_of(passages)
        np.save(root / "languages.npy", languages)
        found = {str(name): int((languages == name).sum()) for name in np.unique(languages)}
        print(f"{len(passages):,} passages: {found}", flush=True)
        print(f"analysis alone {apart('analyse', 'none', root, count)['s']:.1f} s", flush=True)
        figures: dict[str, dict[str, float]] = {}
        for name in BUILDERS:
            (root / name).mkdir()
            figures[name] = {f"build {unit}": value for unit, value in apart("build", name, root / name, count).items()}
            size = sum(path.stat().st_size for path in (root / name).rglob("*") if path.is_file())
            figures[name] |= {"disk MiB": size / 2**20} | apart("open", name, root / name, count)
        print(f"{'':<20}" + "".join(f"{name:>10}" for name in figures) + "  tantivy / cari")
        for figure in figures["cari"]:
            ours, theirs = figures["cari"][figure], figures["tantivy"][figure]
            print(f"{figure:<20}{ours:10.1f}{theirs:10.1f}{theirs / ours if ours else np.nan:16.2f}", flush=True)
        folders = {"cari": root / "cari", "bm25s": root / "cari", "tantivy": root / "tantivy"}
        engines = {name: OPENERS[name](folder, languages) for name, folder in folders.items()}
        asked = questions(_EACH)
        times(engines, asked, below=None)  # maps the files in
        print(f"\nCPU ms a question ({len(asked)} questions, best {_K} of each language)")
        print(
            f"{'filter':<10}" + "".join(f"{name + ' p50':>13}{'p99':>8}" for name in engines) + "   ratios to cari, p50"
        )
        for label, below in _FILTERS.items():
            took = times(engines, asked, below=below)
            cells = "".join(f"{np.median(t):13.2f}{np.percentile(t, 99):8.2f}" for t in took.values())
            ratios = "  ".join(f"{np.median(t) / np.median(took['cari']):.2f}" for t in took.values())
            print(f"{label:<10}{cells}   {ratios}", flush=True)
        agreement(engines, asked)
        rebuilt_alike(passages[:: max(1, len(passages) // _REBUILT)], asked[:100], root)
        for name in ("belebele-other/id-id", "belebele-other/en-en"):
            corpus = records(name, "corpus.jsonl")
            small = [Window(f"{record['title']}\n{record['text']}", record["lang"]) for record in corpus]
            cells = []
            for engine, builder in BUILDERS.items():
                target = root / f"{name.replace('/', '-')}-{engine}"
                target.mkdir()
                builder(small, target)
                opened = OPENERS[engine](target, languages_of(small))
                cells.append(f"{engine} {ndcg10(opened, name, [record['_id'] for record in corpus]):.4f}")
            print(f"nDCG@10 {name}: {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in STEPS:
        step, engine, folder, count = sys.argv[1:]
        print(json.dumps(STEPS[step](engine, Path(folder), int(count))))
    else:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        main(int(sys.argv[1]) if sys.argv[1:] else 200_000)
