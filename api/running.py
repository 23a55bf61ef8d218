"""Running an application in this process, from before its index is open until the last answer is sent."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from .live import BAD_GENERATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from search import IndexInfo

    from .live import Live

_LOOK_S = 0.05


def run(config: uvicorn.Config, *, live: Live, announce: Callable[[IndexInfo], None]) -> None:
    """Listens at once, opens the index beside that, and serves until told to stop.

    Listening early lets `/livez` answer while a large index is verified and warmed; `/readyz` and searches say
    503 until then.

    Args:
        config: of the server.
        live: of the application that it serves; opened by it.
        announce: called once when searches are answered.

    Raises:
        IndexerError: the index cannot be served; or whatever else opening it raised.
    """
    server = uvicorn.Server(config)
    opening: list[Exception] = []

    def follow() -> None:
        try:
            searcher = live.opened()
        except BAD_GENERATION as error:
            opening.append(error)
            server.should_exit = True
            return
        while not (server.started or server.should_exit):
            time.sleep(_LOOK_S)
        if not server.should_exit:
            announce(searcher.info)

    # The server passes the signal that stopped it on to whoever listened before, when all is answered: here.
    before = signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=follow, name="cari-announce", daemon=True).start()
    try:
        with suppress(KeyboardInterrupt):
            server.run()
    finally:
        signal.signal(signal.SIGTERM, before)
    if opening:
        raise opening[0]


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
