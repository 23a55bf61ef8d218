"""The engines that are compared: the same weights, prompts and pieces, each with what it takes to be at its best."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import openvino
import torch

from indexer import unit_rows
from indexer.graph import _batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from indexer import Encoder

CORES = len(os.sched_getaffinity(0))
_INPUTS = ("input_ids", "attention_mask")
# What `cari build` hands over at a time.
_HANDED_OVER = 128


@dataclass(frozen=True, slots=True)
class Vectors:
    """What an engine made of n texts: `pooled` is (n, dim) float32, unit rows.

    `tokens` holds for each text (t, dim) float32, unit rows, of its own tokens; or nothing at all.
    """

    pooled: npt.NDArray[np.float32]
    tokens: list[npt.NDArray[np.float32]]


class Engine(Protocol):
    """Embeds texts with a prompt before each."""

    def __call__(self, texts: list[str], *, prompt: str) -> Vectors:
        """Vectors and token vectors of the texts, in order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine under its name, or why there is none here."""

    name: str
    engine: Engine | None
    absent: str = ""


class Cari:
    """What `cari build` runs, fed as `cari build` feeds it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __call__(self, texts: list[str], *, prompt: str) -> Vectors:
        """As `Engine`."""
        asks = prompt == self._encoder.card.query_prompt
        embed = self._encoder.embed_queries if asks else self._encoder.embed_passages
        parts = [embed(texts[at : at + _HANDED_OVER]) for at in range(0, len(texts), _HANDED_OVER)]
        tokens = [entry.vectors for part in parts for entry in part.tokens]
        return Vectors(np.concatenate([part.vectors for part in parts]), tokens)


class SentenceTransformers:
    """sentence-transformers on torch: batches of 32 sorted by length, which is what it does by itself."""

    def __init__(self, model: Any, *, encoder: Encoder, bf16: bool = False) -> None:  # noqa: ANN401 - untyped library
        self._model = model
        self._encoder = encoder
        self._bf16 = bf16

    def __call__(self, texts: list[str], *, prompt: str) -> Vectors:
        """As `Engine`, but without token vectors, which a user of the library would not ask for."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            vectors = self._model.encode(texts, prompt=prompt, batch_size=32, show_progress_bar=False)
        return Vectors(unit_rows(vectors.astype(np.float32)), [])

    def with_tokens(self, texts: list[str], *, prompt: str) -> Vectors:
        """The same and token vectors, of which no time is taken."""
        own = self._encoder.tokenizer.own_tokens(prompt)  # type: ignore[attr-defined]
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            outputs = self._model.encode(texts, prompt=prompt, output_value=None, show_progress_bar=False)
        vectors = np.array([output["sentence_embedding"].float().numpy() for output in outputs])
        tokens = []
        for output in outputs:
            read = output["attention_mask"].numpy() > 0
            tokens.append(unit_rows(output["token_embeddings"].float().numpy()[read][own]))
        return Vectors(unit_rows(vectors), tokens)


class Batched:
    """An engine that takes padded ids and masks; it gets the batches that Cari makes."""

    def __init__(self, infer: Callable[..., tuple[Any, Any]], *, encoder: Encoder) -> None:
        self._infer = infer
        self._encoder = encoder

    def __call__(self, texts: list[str], *, prompt: str) -> Vectors:
        """As `Engine`."""
        tokenizer: Any = self._encoder.tokenizer
        ids = [read.ids for read in tokenizer.read([prompt + text for text in texts])]
        own = tokenizer.own_tokens(prompt)
        vectors = np.empty((len(ids), self._encoder.card.dim), np.float32)
        tokens: dict[int, npt.NDArray[np.float32]] = {}
        for batch in _batches([len(row) for row in ids]):
            padded = np.zeros((2, len(batch), len(ids[batch[-1]])), np.int64)
            for place, row in enumerate(batch):
                padded[0, place, : len(ids[row])] = ids[row]
                padded[1, place, : len(ids[row])] = 1
            vectors[batch], by_token = self._infer(*padded)
            for place, row in enumerate(batch):
                kept = slice(own.start, len(ids[row]) + (own.stop or 0))
                tokens[row] = unit_rows(by_token[place, kept])
        return Vectors(vectors, [tokens[row] for row in range(len(ids))])


def candidates(prepared: Path, *, encoder: Encoder, work: Path) -> Iterator[Candidate]:
    """The engines, first torch in 32 bits, which is the reference. What must be converted is put in `work`."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - slow, and not needed for --help

    torch.set_num_threads(CORES)
    native = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    no_bf16 = "this processor has no bfloat16"
    model = SentenceTransformer(str(prepared / "source"), device="cpu", model_kwargs={"use_safetensors": True}).eval()
    yield Candidate("sentence-transformers, torch fp32", SentenceTransformers(model, encoder=encoder))
    yield Candidate("Cari: OpenVINO, " + ("bf16" if native else "fp32"), Cari(encoder))
    bf16 = SentenceTransformers(model, encoder=encoder, bf16=True) if native else None
    yield Candidate("sentence-transformers, torch bf16", bf16, no_bf16)
    yield from _openvino(prepared, encoder=encoder, native=native)
    yield from _onnx(model, encoder=encoder, work=work)
    yield from _ctranslate(prepared / "source", encoder=encoder, work=work)


def _openvino(prepared: Path, *, encoder: Encoder, native: bool) -> Iterator[Candidate]:
    core = openvino.Core()

    def compiled(graph: Any, precision: str) -> Batched:  # noqa: ANN401
        how = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": CORES, "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(graph, "CPU", how).create_infer_request()

        def infer(ids: Any, mask: Any) -> tuple[Any, Any]:  # noqa: ANN401
            outputs = request.infer({"input_ids": ids, "attention_mask": mask}, share_inputs=True)
            return outputs[0], outputs[1]

        return Batched(infer, encoder=encoder)

    graph = core.read_model(prepared / "graph.xml")
    yield Candidate("OpenVINO fp32, one batch at a time", compiled(graph, "f32"))
    absent = "this processor has no bfloat16"
    yield Candidate("OpenVINO bf16, one batch at a time", compiled(graph, "bf16") if native else None, absent)
    if find_spec("nncf") is None:
        yield Candidate("OpenVINO int8 weights", None, "nncf is not installed")
        return
    import nncf  # noqa: PLC0415 - no dependency of the project

    graph = nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_SYM)
    yield Candidate("OpenVINO int8 weights", compiled(graph, "f32"))


def _onnx(model: Any, *, encoder: Encoder, work: Path) -> Iterator[Candidate]:  # noqa: ANN401
    names = ("ONNX Runtime fp32", "ONNX Runtime int8, dynamic")
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        yield from (Candidate(name, None, "onnx and onnxruntime are not installed") for name in names)
        return
    import onnxruntime  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any]:  # noqa: ANN401
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            unit = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
            return unit, features["token_embeddings"]

    ids = torch.full((2, 9), 5)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    axes = {name: {0: "batch", 1: "width"} for name in (*_INPUTS, "tokens")} | {"vectors": {0: "batch"}}
    how = {"input_names": list(_INPUTS), "output_names": ["vectors", "tokens"], "dynamic_axes": axes}
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Pipeline(), (ids, mask), work / "fp32.onnx", dynamo=False, **how)
    quantize_dynamic(work / "fp32.onnx", work / "int8.onnx", weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    for name, file in zip(names, ("fp32.onnx", "int8.onnx"), strict=True):
        session = onnxruntime.InferenceSession(work / file, options, providers=["CPUExecutionProvider"])

        def infer(ids: Any, mask: Any, session: Any = session) -> tuple[Any, Any]:  # noqa: ANN401
            pooled, by_token = session.run(None, {"input_ids": ids, "attention_mask": mask})
            return pooled, by_token

        yield Candidate(name, Batched(infer, encoder=encoder))


def _ctranslate(source: Path, *, encoder: Encoder, work: Path) -> Iterator[Candidate]:
    kinds = ("float32", "int8")
    if find_spec("ctranslate2") is None:
        yield from (Candidate(f"CTranslate2 {kind}", None, "ctranslate2 is not installed") for kind in kinds)
        return
    import ctranslate2  # noqa: PLC0415
    from ctranslate2.converters import TransformersConverter  # noqa: PLC0415

    # Its converter wants a setting that newer versions of transformers no longer write.
    linked = work / "source"
    linked.mkdir()
    for file in source.iterdir():
        if file.name != "config.json":
            (linked / file.name).symlink_to(file)
    config = json.loads((source / "config.json").read_bytes())
    (linked / "config.json").write_text(json.dumps(config | {"position_embedding_type": "absolute"}))
    TransformersConverter(str(linked)).convert(str(work / "ctranslate2"))
    for kind in kinds:
        model = ctranslate2.Encoder(str(work / "ctranslate2"), compute_type=kind, intra_threads=CORES)

        def infer(ids: Any, mask: Any, model: Any = model) -> tuple[Any, Any]:  # noqa: ANN401
            lengths = ctranslate2.StorageView.from_array(mask.sum(axis=1).astype(np.int32))
            rows = ctranslate2.StorageView.from_array(ids.astype(np.int32))
            by_token = np.array(model.forward_batch(rows, lengths).last_hidden_state)
            counted = by_token * mask[:, :, None].astype(np.float32)
            return unit_rows(counted.sum(axis=1) / mask.sum(axis=1, keepdims=True).astype(np.float32)), by_token

        yield Candidate(f"CTranslate2 {kind}", Batched(infer, encoder=encoder))
