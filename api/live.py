"""The index in use, replaced while requests are being answered."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from indexer import IndexerError, current_generation
from search import Query, SearchError, open_searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from search import Searcher

_log = logging.getLogger(__name__)

# subtle: the engines below raise plain RuntimeError (faiss, openvino) and MemoryError; whatever is wrong
# with a new generation, the old one must go on answering.
_BAD_GENERATION = (IndexerError, SearchError, OSError, RuntimeError, ValueError, LookupError, MemoryError)
_RETRY_S = 60.0
_JOIN_S = 5.0
_WARMING_QUESTION = "Apa kabar terbaru hari ini?"


@dataclass(frozen=True, slots=True)
class ReloadError:
    """Why the generation that `CURRENT` names is not the one in use."""

    generation: str | None
    reason: str
    at: datetime


class Live:
    """Owns the searcher in use and follows `CURRENT`.

    `searcher` is one reference, replaced whole: take it once per request and use nothing else, and no
    answer mixes two generations. The searcher that was replaced closes when the last request holding it
    lets go.
    """

    def __init__(
        self,
        open_new: Callable[[], Searcher],
        *,
        read_current: Callable[[], str | None],
        poll_interval_s: float = 1.0,
    ) -> None:
        self._open_new = open_new
        self._read_current = read_current
        self._poll_interval_s = poll_interval_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._retry_at = 0.0
        self._searcher = self._open_warm()
        self._reload_error: ReloadError | None = None

    @classmethod
    def open(cls, index: Path, *, model_cache: Path, poll_interval_s: float = 1.0) -> Self:
        """Opens the live generation of a folder.

        Raises:
            IndexerError: there is no index, or it cannot be served; the message says what to run.
        """
        return cls(
            lambda: open_searcher(index, model_cache=model_cache),
            read_current=lambda: current_generation(index),
            poll_interval_s=poll_interval_s,
        )

    @property
    def searcher(self) -> Searcher:
        """The searcher in use."""
        return self._searcher

    @property
    def reload_error(self) -> ReloadError | None:
        """Why the newest generation is not in use, or None when it is."""
        return self._reload_error

    def check(self) -> bool:
        """Looks at `CURRENT` once, and swaps if it names another generation that opens.

        Returns:
            Whether the searcher was replaced.
        """
        name: str | None = None
        try:
            name = self._read_current()
            if name is None:
                self._refuse(None, "no generation is live in the index folder any more")
                return False
            if name == self._searcher.info.generation:
                self._reload_error = None
                return False
            failed = self._reload_error
            if failed is not None and failed.generation == name and time.monotonic() < self._retry_at:
                return False
            new = self._open_warm()
        except _BAD_GENERATION as error:
            self._refuse(name, str(error) or type(error).__name__)
            return False
        old, self._searcher = self._searcher.info.generation, new
        self._reload_error = None
        _log.info("generation %s replaced %s", new.info.generation, old)
        return True

    def start(self) -> None:
        """Starts following `CURRENT` in a daemon thread; `stop` ends it."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._follow, name="cari-reload", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stops following. The searcher stays usable for the requests still being answered."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_JOIN_S)
            self._thread = None

    def _follow(self) -> None:
        while not self._stop.wait(self._poll_interval_s):
            self.check()

    def _open_warm(self) -> Searcher:
        """The first search pays for lazily loaded pages and compiled kernels; no visitor should."""
        new = self._open_new()
        new.search(Query(text=_WARMING_QUESTION, limit=1))
        return new

    def _refuse(self, name: str | None, reason: str) -> None:
        kept = self._reload_error
        self._retry_at = time.monotonic() + _RETRY_S
        if kept is not None and (kept.generation, kept.reason) == (name, reason):
            return
        self._reload_error = ReloadError(name, reason, datetime.now(UTC))
        _log.error("generation %s is not in use, %s goes on: %s", name, self._searcher.info.generation, reason)
