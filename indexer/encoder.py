"""What turns text into vectors, whatever runs it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from .errors import EncoderFailed, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .chunker import Tokenizer
    from .tokenizer import PieceTokenizer, Reading

_WIDTH_STEP = 8

Rows = npt.NDArray[np.float32]
"""(n, dim) float32, unit rows."""


def unit_rows(vectors: npt.NDArray[np.float32]) -> Rows:
    """The same directions at length 1, (n, dim) float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """What a model made of one text, token by token; prompt and special tokens are not among them.

    `ids` is (t,) int32, the pieces; `vectors` (t, dim) float32, unit rows; `to_end` (t,) int32, how many code points
    there are from where a token begins to the end of the text. `cut` says that the text goes on past what the model
    read of it.
    """

    ids: npt.NDArray[np.int32]
    vectors: Rows
    to_end: npt.NDArray[np.int32]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a model made of n texts: `vectors` (n, dim) float32, unit rows, and `tokens`, one entry a text."""

    vectors: Rows
    tokens: list[TokenVectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What an index records of the model that made it.

    `fingerprint` (hex) names the weights, the tokenizer and the prompts: equal fingerprints mean equal
    vectors. `max_tokens` is what the model reads at most, prompt and special tokens included;
    `overhead_tokens` is what of it they take in a passage. The prompts are put before each text by the
    encoder, never by its callers.
    """

    name: str
    fingerprint: str
    dim: int
    max_tokens: int
    overhead_tokens: int
    query_prompt: str
    passage_prompt: str

    def to_json(self) -> str:
        """The card as one JSON object, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read back what `to_json` wrote.

        Raises:
            ModelError: not such a card.
        """
        try:
            values = json.loads(text)
            return cls(**{field.name: values[field.name] for field in fields(cls)})
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"not a model card: {error!r}") from error


def padded(tokens: int) -> int:
    """How many tokens wide a text is made for the engine, which keeps memory for every width that it has met.

    Worked value: 13 become 16, the next multiple of 8.
    """
    return -(-tokens // _WIDTH_STEP) * _WIDTH_STEP


def own_vectors(read: Reading, vectors: npt.NDArray[np.float32], *, own: slice) -> TokenVectors:
    """What a model made of a text's own tokens.

    Args:
        read: What it read, prompt and special tokens included.
        vectors: (at least as many, dim) float32, its output by token, of any length.
        own: `PieceTokenizer.own_tokens` of the prompt.
    """
    kept = slice(own.start, len(read.ids) + (own.stop or 0))
    return TokenVectors(np.asarray(read.ids, np.int32)[kept], unit_rows(vectors[kept]), read.to_end[kept], read.cut)


class PromptedEncoder(ABC):
    """What the encoders over a real model share; they differ in the engine that `_embed` asks."""

    def __init__(self, *, card: ModelCard, tokenizer: PieceTokenizer) -> None:
        self._card = card
        self._tokenizer = tokenizer

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def tokenizer(self) -> PieceTokenizer:
        """Counts tokens as the model does."""
        return self._tokenizer

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """Of questions, in order.

        Raises:
            EncoderFailed: the engine does, or memory is short.
        """
        return self._embed_safely(texts, prompt=self._card.query_prompt)

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages, in order.

        Raises:
            EncoderFailed: the engine does, or memory is short.
        """
        return self._embed_safely(texts, prompt=self._card.passage_prompt)

    def _embed_safely(self, texts: Sequence[str], *, prompt: str) -> Embedding:
        try:
            return self._embed(texts, prompt=prompt)
        except (RuntimeError, MemoryError, OSError) as error:
            said = " ".join(str(error).split())[:300] or type(error).__name__
            raise EncoderFailed(f"the model {self._card.name} failed ({said})") from error

    @abstractmethod
    def _embed(self, texts: Sequence[str], *, prompt: str) -> Embedding:
        """Of texts with a prompt before each, in order."""


class Encoder(Protocol):
    """Embeds questions and passages in one space. Thread-safe; equal text gives an equal vector.

    What fails while it embeds is an `EncoderFailed`, whatever the engine calls it.
    """

    @property
    def card(self) -> ModelCard:
        """Which model this is."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Counts tokens as the model does, without prompt and special tokens."""

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """Of questions, in order. Text past `card.max_tokens` is not read."""

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages (see `chunker.embedded_text`), in order."""
