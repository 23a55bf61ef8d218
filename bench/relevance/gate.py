"""Every set and direction of ../shared/eval, all arms side by side; fails where together they lose to one alone.

python bench/relevance/gate.py [--questions N] [--markdown FILE] [SET...]
(default: all sets, and all questions of each; SET is belebele-other/id-en, or facqa)

The first run embeds about 100,000 passages, which takes hours on two cores; their indexes are kept in the user's
cache folder, and later runs embed the questions only. A set fails when the whole 95 % interval of (hybrid+late
minus the best single arm) in nDCG@10 is below 0. Nothing is written unless --markdown names a file.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import platformdirs
from pools import EVAL, eval_folder, open_embedded
from rich.console import Console

from search.comparison import Comparison, compare
from search.eval_command import searcher_of
from search.evaluation import EvaluationSet, read_evaluation_set
from search.tables import comparison_markdown, comparison_table, legend


def all_sets() -> list[Path]:
    """Every folder of ../shared/eval that holds judged questions, small corpora first."""
    folders = [path.parents[1] for path in EVAL.glob("**/qrels/test.tsv")]
    return sorted(folders, key=lambda folder: ((folder / "corpus.jsonl").stat().st_size, folder))


def some_of(questions: EvaluationSet, *, most: int | None) -> EvaluationSet:
    """The same set with every n-th question only, so that `most` are left."""
    keys = list(questions.queries)
    kept = keys[:: max(1, -(-len(keys) // (most or len(keys))))]
    return replace(
        questions,
        queries={key: questions.queries[key] for key in kept},
        qrels={key: questions.qrels[key] for key in kept},
    )


def main() -> None:
    """Compare set by set, print each as it is done, and exit with 1 where one failed."""
    parser = argparse.ArgumentParser(description="Is hybrid+late at least as good as its best arm, on every set?")
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--questions", type=int, metavar="N", help="ask at most N of each set, drawn evenly")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    given = parser.parse_args()
    folders = [eval_folder(name) for name in given.sets] or all_sets()
    if not folders:
        sys.exit("skipped: ../shared/eval is absent")
    model_cache = platformdirs.user_cache_path("cari")
    encoder = open_embedded()
    console = Console(highlight=False)
    comparisons: list[Comparison] = []
    for folder in folders:
        began = time.perf_counter()
        questions = some_of(read_evaluation_set(folder), most=given.questions)
        comparisons.append(compare(searcher_of(questions, encoder=encoder, model_cache=model_cache), questions))
        console.print(comparison_table(comparisons[-1:]))
        console.print(f"{time.perf_counter() - began:.0f} s, {'holds' if comparisons[-1].holds else 'FAILS'}\n")
    console.print(legend(comparisons))
    if given.markdown is not None:
        given.markdown.write_text(comparison_markdown(comparisons), encoding="utf-8")
    failed = [one.name for one in comparisons if not one.holds]
    sys.exit(f"hybrid+late is worse than its best arm on: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
