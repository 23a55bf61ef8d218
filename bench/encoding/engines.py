"""The engines that are compared: each embeds texts with the same weights, the same prompts and the same tokenizer."""

from __future__ import annotations

import os
import sys
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from indexer import Embedding, TokenVectors, unit_rows
from indexer.graph import _batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from indexer import Encoder

CORES = len(os.sched_getaffinity(0))


class Engine(Protocol):
    """Embeds texts that have their prompt before them."""

    def __call__(self, texts: list[str]) -> Embedding:
        """Vectors (n, dim) and token vectors, special tokens among these."""


class Cari:
    """What `cari build` uses, called as it calls it: 128 passages at a time."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __call__(self, texts: list[str]) -> Embedding:
        card = self._encoder.card
        embed: Callable[[Sequence[str]], Embedding] = self._encoder.embed_passages
        prompt = card.passage_prompt
        if texts and texts[0].startswith(card.query_prompt):
            embed, prompt = self._encoder.embed_queries, card.query_prompt
        # A build makes token vectors, too; only here do they cost time that is counted.
        return embed([text.removeprefix(prompt) for text in texts])


class SentenceTransformers:
    """sentence-transformers on torch: batches of 32, sorted by length, as it does by itself."""

    def __init__(self, model: Any, *, bf16: bool = False) -> None:  # noqa: ANN401 - an untyped library
        self._model = model
        self._bf16 = bf16

    def __call__(self, texts: list[str]) -> Embedding:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            vectors = self._model.encode(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
        return Embedding(unit_rows(vectors.astype(np.float32)), [])

    def with_tokens(self, texts: list[str]) -> Embedding:
        """The same and token vectors, which is not how anybody would embed a corpus."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            outputs = self._model.encode(texts, output_value=None, show_progress_bar=False)
        tokens = [
            output["token_embeddings"].float().numpy()[output["attention_mask"].numpy() > 0] for output in outputs
        ]
        vectors = np.array([output["sentence_embedding"].float().numpy() for output in outputs])
        return Embedding(unit_rows(vectors), [TokenVectors(np.arange(len(t)), unit_rows(t)) for t in tokens])


class Batched:
    """An engine that takes padded batches: tokenised, sorted and cut into batches as Cari does it."""

    def __init__(self, infer: Callable[..., tuple[Any, Any]], *, encoder: Encoder) -> None:
        self._infer = infer
        self._encoder = encoder

    def __call__(self, texts: list[str]) -> Embedding:
        ids = [read.ids for read in self._encoder.tokenizer.read(texts)]
        vectors = np.empty((len(ids), self._encoder.card.dim), np.float32)
        tokens: list[Any] = [None] * len(ids)
        for batch in _batches([len(row) for row in ids]):
            padded = np.zeros((2, len(batch), max(len(ids[row]) for row in batch)), np.int64)
            for place, row in enumerate(batch):
                padded[0, place, : len(ids[row])] = ids[row]
                padded[1, place, : len(ids[row])] = 1
            pooled, by_token = self._infer(padded[0], padded[1])
            vectors[batch] = pooled
            for place, row in enumerate(batch):
                tokens[row] = TokenVectors(np.array(ids[row]), unit_rows(by_token[place, : len(ids[row])]))
        return Embedding(vectors, tokens)


def engines(source: Path, *, graph: Path, encoder: Encoder, work: Path) -> Iterator[tuple[str, Engine | None, str]]:
    """Each engine's name, and it, or None and why not. `source` is the model as sentence-transformers reads it.

    The first is the reference, torch in 32 bits.
    """
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - slow, and not needed for --help

    torch.set_num_threads(CORES)
    model = SentenceTransformer(str(source), device="cpu", model_kwargs={"use_safetensors": True}).eval()
    yield "sentence-transformers, torch fp32", SentenceTransformers(model), ""
    native = (
        any(torch.cpu._is_avx512_bf16_supported() for _ in "1")
        if hasattr(torch.cpu, "_is_avx512_bf16_supported")
        else False
    )  # noqa
    yield (
        "sentence-transformers, torch bf16",
        SentenceTransformers(model, bf16=True) if native else None,
        "no bf16 here",
    )
    yield "Cari", Cari(encoder), ""
