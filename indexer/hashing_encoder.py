"""A deterministic encoder without a model, for tests and for trying things out."""

from __future__ import annotations

import hashlib
import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .encoder import Embedding, ModelCard, TokenVectors, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_WORD = re.compile(r"\w+|[^\w\s]")
_DIM = 64
_PIECES = 100_000
_HELD_DIRECTIONS = 50_000


class HashingEncoder:
    """Every word is a fixed random direction, a text the unit sum of its words: shared words, near vectors.

    Its tokens are words and punctuation marks, and a prompt of one token is counted for passages.
    """

    def __init__(self, *, name: str = "hashing", max_tokens: int = 512, dim: int = _DIM) -> None:
        self._card = ModelCard(
            name=name,
            fingerprint=hashlib.sha256(f"{name}/{max_tokens}{f'/{dim}' * (dim != _DIM)}".encode()).hexdigest(),
            dim=dim,
            max_tokens=max_tokens,
            overhead_tokens=1,
            query_prompt="",
            passage_prompt="",
        )

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def tokenizer(self) -> HashingEncoder:
        """Itself: words are its tokens."""
        return self

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        """Where each word or mark begins, (n,) int32."""
        return np.fromiter((word.start() for word in _WORD.finditer(text)), np.int32)

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """Of questions, in order."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages, in order."""
        tokens = [self._tokens(text) for text in texts]
        sums = [entry.vectors.sum(axis=0) for entry in tokens]
        return Embedding(unit_rows(np.array(sums, np.float32).reshape(len(texts), self._card.dim)), tokens)

    def _tokens(self, text: str) -> TokenVectors:
        found = list(_WORD.finditer(text))
        words = [word[0].lower() for word in found[: self._card.max_tokens - self._card.overhead_tokens]]
        ids = np.array([_PIECES + zlib.crc32(word.encode()) % _PIECES for word in words], np.int32)
        dim = self._card.dim
        vectors = np.array([_direction(word, dim) for word in words], np.float32).reshape(len(words), dim)
        to_end = np.array([len(text) - word.start() for word in found[: len(words)]], np.int32)
        return TokenVectors(ids, unit_rows(vectors), to_end, len(words) < len(found))


@lru_cache(_HELD_DIRECTIONS)
def _direction(word: str, dim: int) -> npt.NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(dim, np.float32)
