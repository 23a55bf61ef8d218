"""An encoder that concurrent questions share the runs of."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer import Embedding, EncoderFailed
from indexer.encoder import padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from indexer import Encoder, ModelCard
    from indexer.chunker import Tokenizer

# Tokens a run, padding included: three or four questions. More at once hardly take less each. And past 80 OpenVINO on
# AVX2 turns to another product of matrices, which adds up in another order and keeps its own copy of all weights, 83 MB
# for the default model; up to there a question's vectors are, to the last bit, those that it gets alone.
_RUN_TOKENS = 80


@dataclass(slots=True)
class _Asked:
    """A question on its way. `outcome` is None where it must be asked for itself."""

    text: str
    tokens: int
    settled: bool = False
    outcome: Embedding | EncoderFailed | None = None


class BatchingEncoder:
    """Embeds questions that are asked at the same time in one run of another encoder. An `Encoder`.

    Nobody waits for company: who finds the encoder free takes what is queued, and who does not waits until it is, or
    until its question was taken along. The first that waits is always in the next run, and with it those that leave
    that small, padding included, so that no short question waits for a long one's end. The same question twice is
    computed once.

    A run shares its `EncoderFailed`. After any other error each of its questions is asked again alone.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._changed = threading.Condition()
        self._waiting: dict[str, _Asked] = {}
        self._running = False

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        return self._encoder.card

    @property
    def tokenizer(self) -> Tokenizer:
        """Counts tokens as the model does."""
        return self._encoder.tokenizer

    def embed_passages(self, texts: Sequence[str]) -> Embedding:
        """Of passages, in order; never with those of another caller."""
        return self._encoder.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> Embedding:
        """Of questions, in order. Several of one caller are a run of their own.

        Raises:
            EncoderFailed: the encoder fails.
        """
        if len(texts) != 1:
            return self._encoder.embed_queries(texts)
        try:
            tokens = question_tokens(texts[0], encoder=self._encoder)
        except EncoderFailed:  # it is not open: who asks may try to open it
            return self._encoder.embed_queries(texts)
        asked = self._settled(texts[0], tokens=tokens)
        if asked.outcome is None:
            return self._encoder.embed_queries(texts)
        if isinstance(asked.outcome, EncoderFailed):
            raise EncoderFailed(str(asked.outcome)) from asked.outcome
        return asked.outcome

    def _settled(self, text: str, *, tokens: int) -> _Asked:
        with self._changed:
            asked = self._waiting.setdefault(text, _Asked(text, tokens))
        while True:
            with self._changed:
                self._changed.wait_for(lambda: asked.settled or not self._running)
                if asked.settled:
                    return asked
                self._running = True
                run = _together(self._waiting.values())
                for one in run:
                    del self._waiting[one.text]
            self._perform(run)

    def _perform(self, run: Sequence[_Asked]) -> None:
        outcomes: Sequence[Embedding | EncoderFailed | None] = [None] * len(run)
        try:
            outcomes = list(_each(self._encoder.embed_queries([one.text for one in run])))
        except EncoderFailed as error:
            outcomes = [error] * len(run)
        except Exception:  # noqa: BLE001, S110 - whose question it was shows when each is asked alone
            pass
        finally:
            with self._changed:
                for one, outcome in zip(run, outcomes, strict=True):
                    one.outcome, one.settled = outcome, True
                self._running = False
                self._changed.notify_all()


def question_tokens(text: str, *, encoder: Encoder) -> int:
    """How many tokens the model reads of a question, its prompt and the special ones included.

    Raises:
        EncoderFailed: the encoder is not open.
    """
    card, starts = encoder.card, encoder.tokenizer.token_starts
    special = card.overhead_tokens - len(starts(card.passage_prompt))
    return special + len(starts(card.query_prompt + text))


def _together(waiting: Iterable[_Asked]) -> list[_Asked]:
    """The first that waits, and those behind it that fit into its run."""
    run: list[_Asked] = []
    width = 0
    for one in waiting:
        wider = max(width, padded(one.tokens))
        if not run or wider * (len(run) + 1) <= _RUN_TOKENS:
            run.append(one)
            width = wider
    return run


def _each(embedding: Embedding) -> Iterator[Embedding]:
    for row in range(len(embedding.vectors)):
        # A copy: a view would keep the vectors of the whole run in memory.
        yield Embedding(embedding.vectors[row : row + 1].copy(), embedding.tokens[row : row + 1])
