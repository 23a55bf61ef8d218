"""Going away without dropping anybody."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_log = logging.getLogger(__name__)


class Drain:
    """Whether this process was told to stop.

    On SIGTERM it says so at once, which `/readyz` tells whoever spreads the load, and after `delay_s` lets the
    server stop accepting; requests that are being answered are finished by the server. A second SIGTERM ends
    the delay.
    """

    def __init__(self, *, delay_s: float) -> None:
        self._delay_s = delay_s
        self.begun = False

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """Takes SIGTERM before the server does, while the application runs; nothing outside the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: FrameType | None) -> None:
            if callable(before):
                before(number, frame)

        def heed(number: int, frame: FrameType | None) -> None:
            if self.begun or not self._delay_s:
                self.begun = True
                stop(number, frame)
                return
            self.begun = True
            _log.info("told to stop; not ready from now on, and accepting for %g s more", self._delay_s)
            loop.call_soon_threadsafe(loop.call_later, self._delay_s, stop, number, None)

        signal.signal(signal.SIGTERM, heed)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
