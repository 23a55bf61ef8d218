"""An encoder that searches can do without for a while."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from indexer import EncoderFailed, IndexerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer import Embedding, Encoder, ModelCard
    from indexer.chunker import Tokenizer

REST_S = 5.0

_log = logging.getLogger(__name__)


class SteadyEncoder:
    """Opens an encoder and passes calls on to it; after a failure it rests, then tries again. An `Encoder`.

    While it rests, every call fails at once with the reason of the last failure: whoever can do without
    meaning need not wait for what is probably still broken. After that one caller tries, opening the encoder
    if that is what failed, and the others go on without. Each change of state is logged once.

    Args:
        open_new: Opens the encoder; called now, and again after it failed.
        card: Of the model that it opens.
        rest_s: Seconds between a failure and the next attempt.
        clock: Seconds that only rise.
    """

    def __init__(
        self,
        open_new: Callable[[], Encoder],
        *,
        card: ModelCard,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_new = open_new
        self._card = card
        self._rest_s = rest_s
        self._clock = clock
        self._turn = threading.Lock()
        self._encoder: Encoder | None = None
        self._failure: str | None = None
        self._try_at = 0.0
        try:
            self._opened()
        except EncoderFailed as error:
            self._failed(error)

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._card

    @property
    def failure(self) -> str | None:
        """Why it does not answer, or None while it does."""
        return self._failure

    @property
    def tokenizer(self) -> Tokenizer:
        """Counts tokens as the model does.

        Raises:
            EncoderFailed: the encoder could not be opened yet.
        """
        if self._encoder is None:
            raise EncoderFailed(self._failure or f"the model {self._card.name} is not open")
        return self._encoder.tokenizer

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """Of questions, in order.

        Raises:
            EncoderFailed: the encoder fails, or failed a moment ago.
        """
        return self._attempt(lambda encoder: encoder.embed_queries(texts))

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages, in order.

        Raises:
            EncoderFailed: the encoder fails, or failed a moment ago.
        """
        return self._attempt(lambda encoder: encoder.embed_passages(texts))

    def _attempt(self, work: Callable[[Encoder], Embedding]) -> Embedding:
        with self._turn:
            if self._failure is not None:
                if self._clock() < self._try_at:
                    raise EncoderFailed(self._failure)
                self._try_at = self._clock() + self._rest_s  # this caller tries; the others go on without
        try:
            embedding = self._sound(work(self._opened()))
        except EncoderFailed as error:
            self._failed(error)
            raise
        with self._turn:
            recovered, self._failure = self._failure is not None, None
        if recovered:
            _log.warning("the model %s answers again", self._card.name)
        return embedding

    def _sound(self, embedding: Embedding) -> Embedding:
        if not np.isfinite(embedding.vectors).all():
            raise EncoderFailed(f"the model {self._card.name} gave vectors that are not numbers")
        return embedding

    def _opened(self) -> Encoder:
        if self._encoder is None:
            try:
                self._encoder = self._open_new()
            except (IndexerError, OSError, RuntimeError, MemoryError) as error:
                raise EncoderFailed(f"the model {self._card.name} does not open: {error}") from error
        return self._encoder

    def _failed(self, error: EncoderFailed) -> None:
        with self._turn:
            first = self._failure is None
            self._failure = str(error)
            self._try_at = self._clock() + self._rest_s
        if first:
            _log.error("searching by words alone until the model answers again: %s", error)
