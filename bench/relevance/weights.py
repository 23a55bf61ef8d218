"""How the ranking depends on the weights of `search/fusion.py`: nDCG@10 by set, dense weight and lexical weight.

python bench/relevance/weights.py               (about three minutes, once `cari eval` has made the indexes)
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from pools import eval_folder, ndcg10, open_embedded

from search import fusion
from search.eval_command import searcher_of
from search.evaluation import EvaluationSet, read_evaluation_set

if TYPE_CHECKING:
    from indexer import Encoder
    from search.ranking import Ranker

_SETS = ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")
_WEIGHTS = tuple(product((0.0, 0.25, 0.5, 0.75), (0.0, 0.1, 0.2, 0.3, 0.4)))
_MOST_QUESTIONS = 200


def by_weights(ranker: Ranker, questions: EvaluationSet, *, encoder: Encoder) -> list[float]:
    """Mean nDCG@10 of each pair of weights, over what the engine judges by all arms."""
    store = ranker.generation.store
    gains = []
    keys = list(questions.queries)
    for key in keys[:: -(-len(keys) // _MOST_QUESTIONS)]:
        embedding = encoder.embed_queries([questions.queries[key]])
        shares = ranker.shares(questions.queries[key], allowed=None)
        rows = np.union1d(ranker.nearest(embedding, k=200, allowed=None), ranker.sharing(shares, k=50))
        evidence = {
            "dense": ranker.cosines(rows, embedding),
            "late": ranker.matches(embedding.tokens[0], rows).scores(),
            "lexical": shares[rows],
            "languages": ranker.generation.languages[rows],
        }
        articles = [store.article_id(int(store.passage_article[row])) for row in rows]
        relevant = np.array([article in questions.qrels[key] for article in articles])
        if not relevant.any():  # what is not judged cannot be ranked, by any weights
            gains.append([0.0] * len(_WEIGHTS))
            continue
        gains.append([])
        for fusion._DENSE_WEIGHT, fusion._LEXICAL_WEIGHT in _WEIGHTS:  # noqa: SLF001 - what is measured
            gains[-1].append(ndcg10(fusion.fused(**evidence)[None], relevant[None]))
    return [float(mean) for mean in np.mean(gains, axis=0)]


def main() -> None:
    """Print the table: a line a pair of weights."""
    encoder = open_embedded()
    names = [*(f"belebele-other/{direction}" for direction in _SETS), "facqa"]
    columns = []
    for name in names:
        questions = read_evaluation_set(eval_folder(name))
        searcher = searcher_of(questions, encoder=encoder, model_cache=platformdirs.user_cache_path("cari"))
        columns.append(by_weights(searcher._ranker, questions, encoder=encoder))  # noqa: SLF001 - what is measured
    print(f"{'dense, lexical':<16}" + "".join(f"{name.rpartition('/')[2]:>10}" for name in names) + f"{'mean':>10}")
    for (dense, lexical), figures in zip(_WEIGHTS, zip(*columns, strict=True), strict=True):
        line = "".join(f"{figure:10.4f}" for figure in (*figures, np.mean(figures)))
        print(f"{dense:<8}{lexical:<8}{line}", flush=True)


if __name__ == "__main__":
    main()
