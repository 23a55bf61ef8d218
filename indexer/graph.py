"""Runs an exported model on the processor. The only file that knows OpenVINO."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from .encoder import Embedding, PromptedEncoder, TokenVectors, own_vectors
from .errors import ModelError

# OpenVINO reports every import to its maker over the network; without this package it falls back to a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402 - after the line above, which it must not outrun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .encoder import ModelCard
    from .tokenizer import PieceTokenizer

_GRAPH = "graph.xml"
_INPUTS = ("input_ids", "attention_mask")
_OUTPUTS = ("sentence_embedding", "token_embeddings")
# Tokens a batch, padding included: past this the intermediate results no longer fit the processor's cache.
_BATCH_TOKENS = 2048
# The engine keeps memory for every width that it has met, so there must be few.
_WIDTH_STEP = 8


def export_graph(module: Any, *, example: dict[str, Any], folder: Path) -> None:  # noqa: ANN401 - torch stays out
    """Trace a torch module that maps ids and mask to (pooled vectors, token vectors), and save it.

    Weights are stored in half precision; they are the greater part of what a fresh machine must write.
    """
    shapes = [(name, [-1, -1], ov.Type.i64) for name in _INPUTS]
    model = ov.convert_model(module, example_input=example, input=shapes)
    for output, name in zip(model.outputs, _OUTPUTS, strict=True):
        output.get_tensor().set_names({name})
    ov.save_model(model, folder / _GRAPH, compress_to_fp16=True)


def has_graph(folder: Path) -> bool:
    """Whether `export_graph` has written into `folder`."""
    return (folder / _GRAPH).is_file() and (folder / _GRAPH).with_suffix(".bin").is_file()


class GraphEncoder(PromptedEncoder):
    """An `Encoder` over an exported graph; imports neither torch nor sentence-transformers.

    One request runs at a time, over `threads` threads: concurrent callers wait their turn.
    """

    def __init__(self, folder: Path, *, card: ModelCard, tokenizer: PieceTokenizer, threads: int) -> None:
        super().__init__(card=card, tokenizer=tokenizer)
        self._turn = threading.Lock()
        core = ov.Core()
        try:
            model = core.read_model(folder / _GRAPH)
            compiled = core.compile_model(
                model, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
            )
        except RuntimeError as error:
            raise ModelError(
                f"the prepared model in {folder} does not load ({error}); "
                f"delete that folder, then run: cari model prepare {card.name}"
            ) from error
        self._request = compiled.create_infer_request()

    def _embed(self, texts: Sequence[str], *, prompt: str) -> Embedding:
        read = self._tokenizer.read([prompt + text for text in texts])
        ids = [pieces.ids for pieces in read]
        own = self._tokenizer.own_tokens(prompt)
        vectors = np.empty((len(ids), self._card.dim), np.float32)
        tokens: list[TokenVectors | None] = [None] * len(ids)
        for batch in _batches([len(row) for row in ids]):
            width = _width(len(ids[batch[-1]]), most=self._card.max_tokens)
            inputs = np.zeros((2, len(batch), width), np.int64)
            for place, row in enumerate(batch):
                inputs[0, place, : len(ids[row])] = ids[row]
                inputs[1, place, : len(ids[row])] = 1
            with self._turn:
                outputs = self._request.infer(dict(zip(_INPUTS, inputs, strict=True)), share_inputs=True)
                vectors[batch], by_token = outputs[0], outputs[1]
            for place, row in enumerate(batch):
                tokens[row] = own_vectors(read[row], by_token[place], own=own)
        return Embedding(vectors, [entry for entry in tokens if entry is not None])


def _width(longest: int, *, most: int) -> int:
    """How many tokens wide a batch is made: a multiple of 8 where the model reads that far (13 becomes 16)."""
    return max(longest, min(-(-longest // _WIDTH_STEP) * _WIDTH_STEP, most))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows from short to long, cut where padding to the longest would pass the batch's tokens.

    Worked value: lengths 3, 900, 1000, 1200 give the batches [0, 1], [2], [3] for 2,048 tokens; a row
    longer than that goes alone.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
