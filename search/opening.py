"""From a folder to a searcher: the live generation, and the model that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer import ModelError, find_prepared, open_current, open_encoder, open_good, prepare_model

from .batching_encoder import BatchingEncoder
from .question_memory import REMEMBERED_QUESTIONS, QuestionMemory
from .searcher import Searcher
from .steady_encoder import SteadyEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import Encoder, Generation, ModelCard


def open_searcher(
    index: Path,
    *,
    model_cache: Path,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Searcher:
    """Open the live generation of `index` with the model that made it, preparing that model if need be.

    Raises:
        IndexerError: no index, a damaged one, or its model is not to be had.
    """
    generation = open_current(index)
    card = generation.manifest.model
    _prepare(card, model_cache=model_cache, progress=progress)
    return Searcher(generation, encoder=_open_prepared(card, model_cache=model_cache, threads=threads))


class Opener:
    """Opens the live generation of a folder whenever it is called, for a process that goes on for long.

    A model that is open already is used again, so that a new generation costs neither its memory nor its time
    twice. A model that cannot be opened leaves searches by words (see `SteadyEncoder`). Concurrent questions share its
    runs, and the last `questions` are remembered.
    """

    def __init__(
        self, index: Path, *, model_cache: Path, threads: int | None = None, questions: int = REMEMBERED_QUESTIONS
    ) -> None:
        self._index = index
        self._model_cache = model_cache
        self._threads = threads
        self._questions = questions
        self._encoder: BatchingEncoder | None = None
        self._memory: QuestionMemory | None = None

    def __call__(self) -> Searcher:
        """Open the generation that is live now.

        Raises:
            IndexerError: no index, or a damaged one.
        """
        return self._searcher(open_current(self._index))

    def good(self) -> Searcher:
        """Open the generation that is live now or, where that does not open, the newest good one.

        Raises:
            IndexerError: no index, or no good one; what opening the live one raises.
        """
        return self._searcher(open_good(self._index))

    def _searcher(self, generation: Generation) -> Searcher:
        card = generation.manifest.model
        if self._encoder is None or self._encoder.card != card:
            self._encoder = self._open_encoder(card)
            self._memory = QuestionMemory(questions=self._questions)
        return Searcher(generation, encoder=self._encoder, memory=self._memory)

    def _open_encoder(self, card: ModelCard) -> BatchingEncoder:
        prepared = False

        def open_new() -> Encoder:
            # Preparing takes a minute, and a hub: it is tried once, not by searches that find the model missing.
            nonlocal prepared
            if not prepared:
                prepared = True
                _prepare(card, model_cache=self._model_cache, progress=lambda _step: None)
            return _open_prepared(card, model_cache=self._model_cache, threads=self._threads)

        return BatchingEncoder(SteadyEncoder(open_new, card=card))


def _prepare(card: ModelCard, *, model_cache: Path, progress: Callable[[str], None]) -> None:
    if find_prepared(card.fingerprint, cache=model_cache) is None:
        prepare_model(card.name, cache=model_cache, progress=progress)


def _open_prepared(card: ModelCard, *, model_cache: Path, threads: int | None) -> Encoder:
    folder = find_prepared(card.fingerprint, cache=model_cache)
    if folder is None:
        raise ModelError(f"{model_cache} has no prepared model {card.name} ({card.fingerprint[:12]}); prepare it again")
    return open_encoder(folder, threads=threads)
