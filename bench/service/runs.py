"""What a question takes in runs of several: why a run has at most 80 tokens.

python bench/service/runs.py --out bench/service/runs.txt     (a minute; the default model, prepared before)
python bench/service/runs.py --rounds 1 --hashing
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from encoder_alone import encoder_of, model_cache

from indexer import DEFAULT_MODEL, prepare_model
from search.batching_encoder import question_tokens

if TYPE_CHECKING:
    from indexer import Encoder

_WORD = " apa"
# Questions a run, and tokens of each: within 80 tokens, then past them.
_RUNS = ((1, 16), (2, 16), (3, 16), (5, 16), (1, 24), (2, 24), (3, 24), (6, 16), (4, 24), (8, 24), (16, 24))


def question(tokens: int, *, encoder: Encoder) -> str:
    """One of as many tokens, as the model reads it."""
    text = _WORD.strip()
    while question_tokens(text, encoder=encoder) < tokens:
        text += _WORD
    return text


def anonymous_mib() -> float:
    """What this process holds that is mapped from no file."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Anonymous:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")


def main() -> None:
    """Print a line for each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--hashing", action="store_true", help="the hashing encoder instead of the model")
    parser.add_argument("--out", type=Path, help="write the figures there too")
    options = parser.parse_args()
    encoder = encoder_of(None if options.hashing else prepare_model(DEFAULT_MODEL, cache=model_cache()))
    texts = {tokens: question(tokens, encoder=encoder) for _, tokens in _RUNS}
    alone = {tokens: encoder.embed_queries([text]).vectors[0] for tokens, text in texts.items()}
    memory: list[float] = []
    differs: list[float] = []
    for count, tokens in _RUNS:  # in this order: memory only grows
        vectors = encoder.embed_queries([texts[tokens]] * count).vectors
        differs.append(float(np.abs(vectors - alone[tokens]).max()))
        memory.append(anonymous_mib())
    took_s: list[list[float]] = [[] for _ in _RUNS]
    for _ in range(options.rounds):
        for (count, tokens), times in zip(_RUNS, took_s, strict=True):
            began = time.process_time()
            encoder.embed_queries([texts[tokens]] * count)
            times.append((time.process_time() - began) / count)
    lines = ["questions  of tokens  in all  processor ms a question  vectors differ by  anonymous MiB after it"]
    for (count, tokens), times, differ, mib in zip(_RUNS, took_s, differs, memory, strict=True):
        ms = 1000 * float(np.median(times))
        lines.append(f"{count:>9}{tokens:>11}{count * tokens:>8}{ms:>25.1f}{differ:>19.1e}{mib:>24.0f}")
    text = "\n".join([*lines, ""])
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
