"""Runs an exported model on the processor. The only file that knows OpenVINO."""

from __future__ import annotations

import mmap
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from .encoder import Embedding, PromptedEncoder, TokenVectors, own_vectors, padded
from .errors import ModelError

# OpenVINO reports every import to its maker over the network; without this package it falls back to a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402 - after the line above, which it must not outrun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from .encoder import ModelCard
    from .tokenizer import PieceTokenizer

_GRAPH = "graph.xml"
_INPUTS = ("input_ids", "attention_mask")
_OUTPUTS = ("sentence_embedding", "token_embeddings")
# Tokens a batch, padding included. What a layer makes of so many, 6 MB, stays in the processor's cache: 1,480 tokens
# in a second of one core, where 2,048 a batch gave 1,360 and 4,096 gave 1,250 (512: 1,470).
_BATCH_TOKENS = 1024


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

    Runs `at_once` batches at a time, each over its share of `threads` threads; further callers wait their turn. One at
    a time answers a question soonest. As many as threads embed a corpus soonest: none waits for another to finish its
    part of a product.
    """

    def __init__(
        self, folder: Path, *, card: ModelCard, tokenizer: PieceTokenizer, threads: int, at_once: int = 1
    ) -> None:
        super().__init__(card=card, tokenizer=tokenizer)
        core = ov.Core()
        try:
            self._weights = _mapped((folder / _GRAPH).with_suffix(".bin"))
            # Over our own mapping of the weights, which can then be told what it need not hold.
            weights = ov.Tensor(np.frombuffer(self._weights, np.uint8), shared_memory=True)
            model = core.read_model((folder / _GRAPH).read_bytes(), weights)
            compiled = core.compile_model(model, "CPU", _settings(core, threads=threads, at_once=at_once))
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"the prepared model in {folder} does not load ({error}); "
                f"delete that folder, then run: cari model prepare {card.name}"
            ) from error
        self._requests: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(at_once):
            self._requests.put(compiled.create_infer_request())
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="embed") if at_once > 1 else None

    def _embed(self, texts: Sequence[str], *, prompt: str) -> Embedding:
        read = self._tokenizer.read([prompt + text for text in texts])
        own = self._tokenizer.own_tokens(prompt)
        vectors = np.empty((len(read), self._card.dim), np.float32)
        tokens: list[TokenVectors | None] = [None] * len(read)

        def run(batch: list[int]) -> None:
            vectors[batch], by_token = self._infer([read[row].ids for row in batch])
            for place, row in enumerate(batch):
                tokens[row] = own_vectors(read[row], by_token[place], own=own)

        batches = _batches([len(pieces.ids) for pieces in read])
        # Consumed, so that what one of them raises is raised here.
        deque(map(run, batches) if self._workers is None else self._workers.map(run, batches), maxlen=0)
        return Embedding(vectors, [entry for entry in tokens if entry is not None])

    def _infer(self, ids: list[list[int]]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Vectors (n, dim) and token vectors (n, width, dim) of rows of ids, of which the last is the longest."""
        inputs = np.zeros((2, len(ids), _width(len(ids[-1]), most=self._card.max_tokens)), np.int64)
        for place, row in enumerate(ids):
            inputs[0, place, : len(row)] = row
            inputs[1, place, : len(row)] = 1
        request = self._requests.get()
        try:
            outputs = request.infer(dict(zip(_INPUTS, inputs, strict=True)), share_inputs=True)
            return outputs[0], outputs[1]
        finally:
            self._requests.put(request)
            self._forget_weights()

    def _forget_weights(self) -> None:
        """Give back the pages of the file that were read: the system has them still, and shares them.

        A token takes a row of 768 bytes from the largest table, for which the system maps 64 kB: some hundred
        questions would have all 192 MB of it counted as this process's. The layers are read once, and kept converted.
        Takes .1 ms.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            self._weights.madvise(mmap.MADV_DONTNEED)


def _settings(core: ov.Core, *, threads: int, at_once: int) -> dict[str, Any]:
    """How the engine is to compute.

    In bfloat16 where the processor multiplies it by itself (AVX-512 BF16, AMX): twice as fast and more, its numbers
    reach as far as those of 32 bits, and vectors agree with theirs at a cosine of .99999. Else in 32 bits, as the
    engine would choose on x86; on ARM it would choose float16, which overflows at 65,504, and some models do.
    """
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if native else "f32",
        "PERFORMANCE_HINT": "LATENCY" if at_once == 1 else "THROUGHPUT",
        "NUM_STREAMS": at_once,
        "INFERENCE_NUM_THREADS": threads,
    }


def _mapped(weights: Path) -> mmap.mmap:
    """The file in memory, page by page as it is read. Nothing writes to it; the engine's binding wants it writable."""
    with weights.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)


def _width(longest: int, *, most: int) -> int:
    """How many tokens wide a batch is made: a multiple of 8 where the model reads that far (13 becomes 16)."""
    return max(longest, min(padded(longest), most))


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows from short to long, cut where padding to the longest would pass the batch's tokens.

    Worked value: lengths 3, 400, 500, 600 give the batches [0, 1], [2], [3] for 1,024 tokens; a row longer than that
    goes alone.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
