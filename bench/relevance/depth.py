"""How many passages need all arms to judge them: nDCG@10, and milliseconds of ranking, by depth.

python bench/relevance/depth.py [SET...]        (default: belebele-other and facqa; the first 400 questions of each)
"""

from __future__ import annotations

import sys
import time
from itertools import islice
from statistics import fmean, median

import platformdirs
from pools import EVAL, eval_folder, open_embedded

from indexer import open_current
from search.eval_command import index_of
from search.evaluation import found_articles, measured, read_evaluation_set
from search.query import Mode
from search.ranking import Depth
from search.searcher import Searcher

_DEPTHS = [Depth(nearest=near, sharing=near // 2) for near in (20, 32, 48, 64, 100, 200)]
_QUESTIONS = 400


def main() -> None:
    """Print a line for each set, then the time."""
    encoder, cache = open_embedded(), platformdirs.user_cache_path("cari")
    small = [f"{path.parent.name}/{path.name}" for path in sorted(EVAL.glob("belebele-other/*"))]
    folders = [eval_folder(name) for name in sys.argv[1:] or [*small, "facqa"]]
    print(f"{'nearest + sharing judged':<36}" + "".join(f"{f'{d.nearest} + {d.sharing}':>11}" for d in _DEPTHS))
    times: dict[Depth, list[float]] = {depth: [] for depth in _DEPTHS}
    for folder in folders:
        questions = read_evaluation_set(folder)
        generation = open_current(index_of(questions.corpus, encoder=encoder, model_cache=cache))
        searchers = {depth: Searcher(generation, encoder=encoder, depth=depth) for depth in _DEPTHS}
        found: dict[Depth, dict[str, list[str]]] = {depth: {} for depth in _DEPTHS}
        some = dict(islice(questions.queries.items(), _QUESTIONS))
        for key, text in some.items():
            embedding = encoder.embed_queries([text])
            for depth, searcher in searchers.items():
                began = time.perf_counter()
                found[depth][key] = found_articles(searcher, text, mode=Mode.HYBRID, embedding=embedding)
                times[depth].append(1e3 * (time.perf_counter() - began))
        qrels = {key: questions.qrels[key] for key in some}
        quality = [fmean(measured(found[depth], qrels)["ndcg@10"].values()) for depth in _DEPTHS]
        name = f"{folder.relative_to(EVAL)} ({generation.manifest.passages:,} passages)"
        print(f"{name:<36}" + "".join(f"{value:11.4f}" for value in quality), flush=True)
    print(f"{'ms, median':<36}" + "".join(f"{median(times[depth]):11.1f}" for depth in _DEPTHS))


if __name__ == "__main__":
    main()
