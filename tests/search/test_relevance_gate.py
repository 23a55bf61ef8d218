# The floors of retrieval quality. They are raised when beaten and never lowered.

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer import BuildReport, ChunkSettings, Encoder, ModelCard, open_current
from indexer.encoder import Embedding, TokenVectors
from search import Mode, Searcher
from search.evaluation import evaluate, read_evaluation_set

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer import Rows
    from indexer.chunker import Tokenizer

# nDCG@10 on the Wikibooks and Wikivoyage part of Belebele, questions -> passages.
FLOORS = {
    Mode.DENSE: {
        "id-id": 0.928,
        "en-en": 0.961,
        "id-en": 0.838,
        "en-id": 0.905,
        "id-mixed": 0.871,
        "en-mixed": 0.929,
    },
    # BM25 knows one language at a time.
    Mode.LEXICAL: {"id-id": 0.878, "en-en": 0.916},
    Mode.HYBRID: {
        "id-id": 0.959,
        "en-en": 0.98,
        "id-en": 0.883,
        "en-id": 0.924,
        "id-mixed": 0.906,
        "en-mixed": 0.948,
    },
}
CASES = [(mode, direction) for mode, floors in FLOORS.items() for direction in floors]
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
@pytest.mark.parametrize(("mode", "direction"), CASES)
def test_ranking_stays_above_its_floor(
    belebele: Path, searchers: dict[str, Searcher], mode: Mode, direction: str
) -> None:
    questions = read_evaluation_set(belebele / direction)

    result = evaluate(searchers[direction.partition("-")[2]], questions, mode=mode)

    assert result.queries == 549
    assert result.measures["ndcg@10"] >= FLOORS[mode][direction], result.measures
