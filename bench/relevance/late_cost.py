"""What late interaction costs a question: milliseconds by the number of passages judged.

python bench/relevance/late_cost.py             (seconds; random tokens, 75 a passage as in Belebele, 15 a question)
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from indexer import TokenStore, TokenVectors
from indexer.encoder import unit_rows
from indexer.token_store import pack, write_tokens
from search.late import match

_DIM = 384
_PASSAGES = 1_000
_TOKENS, _QUESTION_TOKENS = 75, 15
_ROUNDS = 200


def main() -> None:
    """Print a line for each number of passages."""
    rng = np.random.default_rng(0)

    def text(tokens: int) -> TokenVectors:
        vectors = unit_rows(rng.standard_normal((tokens, _DIM)).astype(np.float32))
        ids = rng.integers(300, 200_000, tokens).astype(np.int32)
        return TokenVectors(ids, vectors, np.arange(tokens, 0, -1, np.int32))

    languages = np.array(["id", "en"] * (_PASSAGES // 2))
    offsets = {language: 0.005 * rng.standard_normal(_DIM).astype(np.float32) for language in ("id", "en")}
    with tempfile.TemporaryDirectory() as folder:
        write_tokens((pack(text(_TOKENS)) for _ in range(_PASSAGES)), folder=Path(folder))
        store = TokenStore(Path(folder), dim=_DIM)
        question = text(_QUESTION_TOKENS)
        print(f"{'passages':>8}{'least ms':>10}{'median ms':>11}")
        for count in (50, 100, 200, 250):
            times = []
            for _ in range(_ROUNDS):
                rows = rng.choice(_PASSAGES, count, replace=False)
                started = time.perf_counter()
                match(question, rows, store=store, languages=languages[rows], offsets=offsets).scores()
                times.append(1e3 * (time.perf_counter() - started))
            print(f"{count:>8}{min(times):>10.2f}{np.median(times):>11.2f}", flush=True)


if __name__ == "__main__":
    main()
