"""Every set and direction of ../shared/eval, all arms side by side; fails where together they lose to one alone.

python bench/relevance/gate.py [--questions N] [--articles N] [--markdown FILE] [SET...]
(default: all sets, and all questions and articles of each; SET is belebele-other/id-en, or facqa)

The first run embeds about 100,000 passages, which takes hours on two cores, and half of that for the news quiz's long
articles: --articles 1500 leaves a larger corpus about that many, those that answer a question asked and others drawn
evenly. Indexes are kept in the user's cache folder, and later runs embed the questions only. A set fails when the whole
95 % interval of (hybrid+late minus the best single arm) in nDCG@10 is below 0. Nothing is written unless --markdown
names a file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from pools import EVAL, eval_folder, open_embedded
from rich.console import Console

from search.comparison import Comparison, compare
from search.eval_command import searcher_of
from search.evaluation import EvaluationSet, read_evaluation_set
from search.tables import comparison_markdown, comparison_table, legend

if TYPE_CHECKING:
    from indexer import Encoder


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


def fewer_articles(questions: EvaluationSet, *, most: int, folder: Path) -> EvaluationSet:
    """The same set over a corpus in `folder` of `most` articles: all that answer, and others drawn evenly."""
    lines = [line for line in questions.corpus.read_text(encoding="utf-8").split("\n") if line.strip()]
    judged = {article for articles in questions.qrels.values() for article in articles}
    answering = [json.loads(line)["_id"] in judged for line in lines]
    others = [row for row, answers in enumerate(answering) if not answers]
    spare = most - sum(answering)
    drawn = set(others[:: max(1, -(-len(others) // spare))]) if spare > 0 else set()
    corpus = folder / "corpus.jsonl"
    kept = (line for row, line in enumerate(lines) if answering[row] or row in drawn)
    corpus.write_text("\n".join(kept), encoding="utf-8")
    return replace(questions, corpus=corpus)


def compared(folder: Path, *, encoder: Encoder, most_questions: int | None, most_articles: int | None) -> Comparison:
    """All arms on one set, or on that much of it."""
    questions = some_of(read_evaluation_set(folder), most=most_questions)
    cache = platformdirs.user_cache_path("cari")
    with tempfile.TemporaryDirectory() as temporary:
        if most_articles is not None:
            questions = fewer_articles(questions, most=most_articles, folder=Path(temporary))
        return compare(searcher_of(questions, encoder=encoder, model_cache=cache), questions)


def main() -> None:
    """Compare set by set, print each as it is done, and exit with 1 where one failed."""
    parser = argparse.ArgumentParser(description="Is hybrid+late at least as good as its best arm, on every set?")
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--questions", type=int, metavar="N", help="ask at most N of each set, drawn evenly")
    parser.add_argument("--articles", type=int, metavar="N", help="search at most about N of each, drawn evenly")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    given = parser.parse_args()
    folders = [eval_folder(name) for name in given.sets] or all_sets()
    if not folders:
        sys.exit("skipped: ../shared/eval is absent")
    encoder = open_embedded()
    console = Console(highlight=False)
    comparisons: list[Comparison] = []
    for folder in folders:
        began = time.perf_counter()
        comparisons.append(
            compared(folder, encoder=encoder, most_questions=given.questions, most_articles=given.articles)
        )
        console.print(comparison_table(comparisons[-1:]))
        console.print(f"{time.perf_counter() - began:.0f} s, {'holds' if comparisons[-1].holds else 'FAILS'}\n")
    console.print(legend(comparisons))
    if given.markdown is not None:
        given.markdown.write_text(comparison_markdown(comparisons), encoding="utf-8")
    failed = [one.name for one in comparisons if not one.holds]
    sys.exit(f"hybrid+late is worse than its best arm on: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
