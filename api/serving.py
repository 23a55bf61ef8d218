"""Running the service: one process, or several that each open the index."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from indexer import IndexNotFound

from .app import create_app
from .live import Live
from .settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from search import Searcher

# The server's own default of 64 KiB is less than a question of 10,000 characters takes when it is
# percent-encoded; and an address too long even for that should be refused by us, with a reason.
_MAX_HEAD_BYTES = 2 * 1_024 * 1_024

SERVER_OPTIONS: dict[str, Any] = {
    "http": "h11",
    "access_log": False,
    "server_header": False,
    "h11_max_incomplete_event_size": _MAX_HEAD_BYTES,
    "timeout_graceful_shutdown": 30,
}
"""How uvicorn is run, whatever the settings."""


def serve(settings: Settings) -> None:
    """Serves until it is told to stop; requests being answered then are finished first.

    Raises:
        IndexerError: there is no index to serve, or it cannot be opened.
    """
    _log_to_stderr(settings)
    live = _open(settings)
    _announce(live.searcher, settings=settings)
    if settings.workers == 1:
        target: FastAPI | str = create_app(live, settings=settings)
    else:
        # A worker is a new process and inherits nothing but the environment.
        for name, value in settings.model_dump(mode="json", exclude={"examples"}, exclude_none=True).items():
            os.environ[f"CARI_{name.upper()}"] = str(value)
        del live  # each worker opens its own
        target = "api.serving:app_of_worker"
    uvicorn.run(
        target,
        factory=isinstance(target, str),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        **SERVER_OPTIONS,
    )


def app_of_worker() -> FastAPI:
    """The application of one worker process, set up by the environment alone."""
    settings = Settings()
    _log_to_stderr(settings)
    return create_app(_open(settings), settings=settings)


def _open(settings: Settings) -> Live:
    if settings.index is None:
        raise IndexNotFound("no index given; run: cari serve --index DIR (make one with: cari build PATH --index DIR)")
    return Live.open(settings.index, model_cache=settings.model_folder, poll_interval_s=settings.poll_interval_s)


def _announce(searcher: Searcher, *, settings: Settings) -> None:
    info = searcher.info
    example = next((text for texts in settings.examples.values() for text in texts), None)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [
        f"Cari answers on http://{host}:{settings.port}",
        f"generation {info.generation}: {info.passages:,} passages of {info.articles:,} articles",
    ]
    if example:
        lines.append(f"try: {example}")
    if not _is_loopback(settings.host):
        lines.append(f"warning: {settings.host} can be reached from other machines, and nothing asks for a key")
    sys.stderr.write("\n".join(lines) + "\n")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to_stderr(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    if settings.log_level != "debug":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
