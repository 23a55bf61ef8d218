# The floors of retrieval quality. They are raised when beaten and never lowered.

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import BuildReport, ChunkSettings, Encoder, ModelCard, open_current
from indexer.encoder import Embedding, TokenVectors
from search import Searcher
from search.comparison import Arm, compare
from search.evaluation import read_evaluation_set

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import Rows
    from indexer.chunker import Tokenizer

# nDCG@10 on the Wikibooks and Wikivoyage part of Belebele, questions -> passages. BM25 knows one language at a time;
# Arm.HYBRID is how an index built with --no-late ranks, Arm.LATE how any other does.
FLOORS = {
    "id-id": {Arm.DENSE: 0.935, Arm.LEXICAL: 0.902, Arm.HYBRID: 0.950, Arm.LATE: 0.966},
    "en-en": {Arm.DENSE: 0.968, Arm.LEXICAL: 0.923, Arm.HYBRID: 0.973, Arm.LATE: 0.982},
    "id-en": {Arm.DENSE: 0.879, Arm.HYBRID: 0.880, Arm.LATE: 0.903},
    "en-id": {Arm.DENSE: 0.925, Arm.HYBRID: 0.925, Arm.LATE: 0.941},
    "id-mixed": {Arm.DENSE: 0.903, Arm.HYBRID: 0.912, Arm.LATE: 0.931},
    "en-mixed": {Arm.DENSE: 0.943, Arm.HYBRID: 0.947, Arm.LATE: 0.959},
}
POOLS = ("mixed", "id", "en")


class Remembering:
    """The encoder, embedding each question once for the three pools that it is asked over."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, tuple[Rows, TokenVectors]] = {}

    @property
    def card(self) -> ModelCard:
        return self._encoder.card

    @property
    def tokenizer(self) -> Tokenizer:
        return self._encoder.tokenizer

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        new = [text for text in texts if text not in self._known]
        found = self._encoder.embed_queries(new)
        self._known |= dict(zip(new, zip(found.vectors, found.tokens, strict=True), strict=True))
        vectors, tokens = zip(*(self._known[text] for text in texts), strict=True)
        return Embedding(np.stack(vectors), list(tokens))

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        return self._encoder.embed_passages(texts)


@pytest.fixture(scope="module")
def encoder(embedded: Encoder) -> Encoder:
    return Remembering(embedded)


@pytest.fixture(scope="module")
def belebele(shared: Callable[[str], Path]) -> Path:
    return shared("eval/belebele-other")


@pytest.fixture(scope="module")
def searchers(
    belebele: Path,
    encoder: Encoder,
    build_quietly: Callable[..., BuildReport],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Searcher]:
    """A searcher for each pool. The pool of both languages is embedded; the others take its vectors."""
    folder = tmp_path_factory.mktemp("belebele")
    opened: dict[str, Searcher] = {}
    for pool in POOLS:
        index = folder / pool
        if pool != POOLS[0]:
            shutil.copytree(folder / POOLS[0] / "cache", index / "cache")
        corpus = belebele / f"id-{pool}" / "corpus.jsonl"
        report = build_quietly(corpus, index=index, encoder=encoder, settings=ChunkSettings())
        assert pool == POOLS[0] or report.embedded == 0
        opened[pool] = Searcher(open_current(index), encoder=encoder)
    return opened


@pytest.mark.model
@pytest.mark.parametrize("direction", FLOORS)
def test_every_arm_stays_above_its_floor_and_together_they_beat_the_best_alone(
    belebele: Path, searchers: dict[str, Searcher], direction: str
) -> None:
    questions = read_evaluation_set(belebele / direction)

    found = compare(searchers[direction.partition("-")[2]], questions)

    ndcg = {result.arm: result.measures["ndcg@10"] for result in found.arms}
    assert found.queries == 549
    assert {arm: ndcg[arm] for arm, floor in FLOORS[direction].items() if ndcg[arm] < floor} == {}
    assert found.gain.low > 0, found.gain
    assert ndcg[Arm.HYBRID] >= ndcg[Arm.DENSE] - 0.001, ndcg
