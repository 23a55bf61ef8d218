"""The index in use, replaced while requests are being answered."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from indexer import IndexDamaged, IndexerError, IndexMismatch, current_generation
from search import REMEMBERED_QUESTIONS, Opener, Query, SearchError

from .errors import NotReady

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from search import Searcher

_log = logging.getLogger(__name__)

# subtle: the engines below raise plain RuntimeError (faiss, openvino) and MemoryError; whatever is wrong
# with a new generation, the old one must go on answering.
BAD_GENERATION = (IndexerError, SearchError, OSError, RuntimeError, ValueError, LookupError, MemoryError)
_RETRY_S = 60.0
_COME_BACK_S = 2
_JOIN_S = 5.0
Outcome = Literal["ok", "failed"]

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
    lets go; its files stay readable until then, whatever happens to their folder.

    Args:
        open_new: opens the generation that is live now.
        open_good: opens another where the live one is damaged when it is to be opened first: a service that
            begins has no old one to go on with.
        read_current: the name in `CURRENT`.
        poll_interval_s: seconds between two looks at it.
        wait: whether to open the index at once, and raise what that raises. If not, `start` opens it beside
            the event loop, and until then `searcher` raises `NotReady`.
    """

    on_reload: Callable[[Outcome], None]
    """Is told how every attempt to replace the searcher ended."""

    def __init__(
        self,
        open_new: Callable[[], Searcher],
        *,
        read_current: Callable[[], str | None],
        open_good: Callable[[], Searcher] | None = None,
        poll_interval_s: float = 1.0,
        wait: bool = True,
    ) -> None:
        self._open_new = open_new
        self._open_good = open_good or open_new
        self._read_current = read_current
        self._poll_interval_s = poll_interval_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._retry_at = 0.0
        self._reload_error: ReloadError | None = None
        self._searcher: Searcher | None = None
        self._failure: Exception | None = None
        self._settled = threading.Event()
        self.on_reload = lambda _outcome: None
        if wait:
            self._open_first()
            self._settled.set()

    @classmethod
    def open(
        cls,
        index: Path,
        *,
        model_cache: Path,
        questions: int = REMEMBERED_QUESTIONS,
        poll_interval_s: float = 1.0,
        wait: bool = True,
    ) -> Self:
        """Opens the live generation of a folder; the last `questions` are remembered.

        Raises:
            IndexerError: there is no index, or it cannot be served; the message says what to run.
        """
        with suppress(IndexDamaged):
            current_generation(index)  # that there is none is told at once, wait or not
        opener = Opener(index, model_cache=model_cache, questions=questions)
        return cls(
            opener,
            open_good=opener.good,
            read_current=lambda: current_generation(index),
            poll_interval_s=poll_interval_s,
            wait=wait,
        )

    @property
    def searcher(self) -> Searcher:
        """The searcher in use.

        Raises:
            NotReady: the index is still being opened.
        """
        if self._searcher is None:
            raise NotReady("the index is being opened and warmed; ask again shortly", retry_after_s=_COME_BACK_S)
        return self._searcher

    @property
    def ready(self) -> bool:
        """Whether there is a searcher, open and warm."""
        return self._searcher is not None

    def opened(self) -> Searcher:
        """The first searcher, waiting until there is one or there will be none.

        Raises:
            IndexerError: the index cannot be served; or whatever else opening it raised.
        """
        self._settled.wait()
        if self._failure is not None:
            raise self._failure
        return self.searcher

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
            old = self.searcher
            if name == old.info.generation:
                self._reload_error = None
                return False
            failed = self._reload_error
            if failed is not None and failed.generation == name and time.monotonic() < self._retry_at:
                return False
            new, degraded = self._open_warm()
            # Without its model a generation may replace only one that does no better: the old still answers.
            if degraded is not None and _warm(old) is None:
                self._refuse(name, f"its model cannot be used: {degraded}")
                self.on_reload("failed")
                return False
        except BAD_GENERATION as error:
            self._refuse(name, str(error) or type(error).__name__)
            self.on_reload("failed")
            return False
        self._searcher = new
        self._reload_error = None
        self.on_reload("ok")
        _log.info("generation %s replaced %s", new.info.generation, old.info.generation)
        return True

    def start(self) -> None:
        """Starts following `CURRENT` in a daemon thread, which opens the index first if need be; `stop` ends it."""
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
        if self._searcher is None:
            try:
                self._open_first()
            except BAD_GENERATION as error:
                self._failure = error
                return
            finally:
                self._settled.set()
        while not self._stop.wait(self._poll_interval_s):
            self.check()

    def _open_first(self) -> None:
        try:
            self._searcher, _ = self._open_warm()
        except (IndexDamaged, IndexMismatch) as error:
            good = self._open_good()
            _warm(good)
            self._searcher = good
            self._refuse(self._named(), str(error))

    def _named(self) -> str | None:
        try:
            return self._read_current()
        except IndexerError:
            return None

    def _open_warm(self) -> tuple[Searcher, str | None]:
        """A new searcher, and what it cannot do."""
        new = self._open_new()
        return new, _warm(new)

    def _refuse(self, name: str | None, reason: str) -> None:
        kept = self._reload_error
        self._retry_at = time.monotonic() + _RETRY_S
        if kept is not None and (kept.generation, kept.reason) == (name, reason):
            return
        self._reload_error = ReloadError(name, reason, datetime.now(UTC))
        _log.error("generation %s is not in use, %s goes on: %s", name, self.searcher.info.generation, reason)


def _warm(searcher: Searcher) -> str | None:
    """The first search pays for lazily loaded pages and compiled kernels; no visitor should. Says what it lacks."""
    return searcher.search(Query(text=_WARMING_QUESTION, limit=1)).degraded
