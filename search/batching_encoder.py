"""An encoder that concurrent questions share the runs of."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer import Embedding, EncoderFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from indexer import Encoder, ModelCard
    from indexer.chunker import Tokenizer

# A run of more characters than this, padding and prompts included (about 80 tokens), takes as long a question as
# it would alone: `bench/service/latency.txt`.
_RUN_CHARACTERS = 320
_PROMPT_CHARACTERS = 16


@dataclass(slots=True)
class _Asked:
    """A question on its way. `outcome` is None where it must be asked for itself."""

    text: str
    settled: bool = False
    outcome: Embedding | EncoderFailed | None = None


class BatchingEncoder:
    """Embeds questions that are asked at the same time in one run of another encoder. An `Encoder`.

    Nobody waits for company: who finds the encoder free takes what is queued, and who does not waits until it is, or
    until its question was taken along. Questions of about one length go together, so that hardly any padding is
    computed, the first that waits always among them; the same question twice is computed once.

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
        asked = self._settled(texts[0])
        if asked.outcome is None:
            return self._encoder.embed_queries(texts)
        if isinstance(asked.outcome, EncoderFailed):
            raise EncoderFailed(str(asked.outcome)) from asked.outcome
        return asked.outcome

    def _settled(self, text: str) -> _Asked:
        with self._changed:
            asked = self._waiting.setdefault(text, _Asked(text))
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


def _together(waiting: Iterable[_Asked]) -> list[_Asked]:
    """The first that waits, and those behind it that fit into its run."""
    run: list[_Asked] = []
    longest = 0
    for one in waiting:
        wider = max(longest, len(one.text) + _PROMPT_CHARACTERS)
        if not run or wider * (len(run) + 1) <= _RUN_CHARACTERS:
            run.append(one)
            longest = wider
    return run


def _each(embedding: Embedding) -> Iterator[Embedding]:
    for row in range(len(embedding.vectors)):
        # A copy: a view would keep the vectors of the whole run in memory.
        yield Embedding(embedding.vectors[row : row + 1].copy(), embedding.tokens[row : row + 1])
