"""The questions of the first visit: what the operator chose, or else what is drawn from the index in use."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from search import SearchError, draw_examples

from ..errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search import Searcher

    from ..live import Live
    from .wording import Interface

_log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.2
# subtle: as in `live`, the engines raise plain RuntimeError and MemoryError; a page without examples is still a page.
_UNDRAWN = (SearchError, OSError, RuntimeError, ValueError, LookupError, MemoryError)


class Examples:
    """Holds the example questions of the generation in use; thread-safe.

    Drawing takes a dozen searches, so a thread of its own does it, once for each generation. Until it is done
    there are the questions of the generation before, or none.
    """

    def __init__(self, chosen: Mapping[str, Sequence[str]]) -> None:
        """Args: chosen: questions by language; when there are any, none are drawn."""
        self._chosen = {language: tuple(texts) for language, texts in chosen.items() if texts}
        self._questions: Mapping[str, tuple[str, ...]] = self._chosen
        self._generation: str | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def start(self, live: Live) -> None:
        """Has the first examples drawn before anybody visits, as soon as the index is open; `stop` gives that up."""
        threading.Thread(target=self._await, args=(live,), name="cari-first-examples", daemon=True).start()

    def stop(self) -> None:
        """Waits for the index no longer."""
        self._stop.set()

    def of(self, searcher: Searcher) -> Mapping[str, tuple[str, ...]]:
        """Questions by language, at once; the first call for a generation starts drawing its own."""
        if self._chosen:
            return self._questions
        with self._lock:
            new = self._generation != searcher.info.generation
            self._generation = searcher.info.generation
        if new:
            # subtle: a process that ends while a daemon is in the model's engine is aborted, and a thread is a daemon
            # by default where the one that starts it is.
            threading.Thread(target=self._draw, args=(searcher,), name="cari-examples", daemon=False).start()
        return self._questions

    def _await(self, live: Live) -> None:
        while not self._stop.wait(_LOOK_AGAIN_S):
            try:
                self.of(live.searcher)
            except ApiError:  # it is still being opened
                continue
            return

    def _draw(self, searcher: Searcher) -> None:
        try:
            drawn = draw_examples(searcher)
        except _UNDRAWN:
            _log.exception("no example questions for generation %s", searcher.info.generation)
            return
        with self._lock:
            if self._generation == searcher.info.generation:
                self._questions = drawn


def in_reading_order(questions: Mapping[str, tuple[str, ...]], *, interface: Interface) -> tuple[tuple[str, str], ...]:
    """(language, question) pairs, those in the language of the interface first."""
    return tuple(
        (language, question)
        for language in sorted(questions, key=lambda code: (code != interface, code))
        for question in questions[language]
    )
