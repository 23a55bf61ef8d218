"""Running the service: one process, or several that each open the index."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import uvicorn

from indexer import IndexNotFound, open_good
from search import IndexInfo, bound_arithmetic

from .access.keys import read_keys
from .app import create_app, project_version
from .errors import BadKeys
from .live import Live
from .patience import PatientProtocol
from .running import run
from .settings import Settings
from .telemetry import log_handler
from .telemetry.exporting import span_listeners

if TYPE_CHECKING:
    from fastapi import FastAPI

_WORKER_SETTINGS = "_CARI_WORKER_SETTINGS"
# prometheus_client looks for it when it is imported: workers must find it set.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SWITCH_S = 0.001

SERVER_OPTIONS: dict[str, Any] = {
    "http": PatientProtocol,
    "access_log": False,
    "log_config": None,
    "server_header": False,
    # Not the server's default, which is to trust what any process of this machine claims to forward.
    "proxy_headers": False,
    "h11_max_incomplete_event_size": Settings.model_fields["max_head_bytes"].default,
    "timeout_graceful_shutdown": 30,
}
"""How uvicorn is run where no setting says otherwise."""


def serve(settings: Settings) -> None:
    """Serves until it is told to stop; requests being answered then are finished first.

    Raises:
        IndexerError: there is no index to serve, or it cannot be opened.
        BadKeys: requests would need a key, and there is none.
    """
    _log_to_stderr(settings)
    _check_keys(settings)
    address: dict[str, Any] = {"host": settings.host, "port": settings.port} | server_options(settings)
    if settings.workers == 1:
        live = _open(settings, wait=False)
        config = uvicorn.Config(_application(live, settings=settings), **address)
        run(config, live=live, announce=partial(_announce, settings=settings))
        return
    # Each worker opens the index for itself; here it is only seen to be good, before any is started.
    _announce(IndexInfo.of(open_good(_index(settings))), settings=settings)
    # A worker is a new process and inherits nothing but the environment.
    os.environ[_WORKER_SETTINGS] = settings.to_json().decode("utf-8")
    with TemporaryDirectory(prefix="cari-metrics-") as folder:
        os.environ[_METRICS_FOLDER] = folder
        uvicorn.run("api.serving:app_of_worker", factory=True, workers=settings.workers, **address)


def server_options(settings: Settings) -> dict[str, Any]:
    """How uvicorn is run with these settings."""
    return SERVER_OPTIONS | {
        "h11_max_incomplete_event_size": settings.max_head_bytes,
        "limit_concurrency": settings.max_connections + 1,  # the server counts the one that is too many
        "timeout_keep_alive": settings.request_timeout_s,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
    }


def app_of_worker() -> FastAPI:
    """The application of one of several worker processes, set up by what `serve` left in the environment.

    A worker accepts nothing before its index is open and warm: until then the others answer.
    """
    settings = Settings.from_json(os.environ[_WORKER_SETTINGS])
    _log_to_stderr(settings)
    return _application(_open(settings), settings=settings)


def _application(live: Live, *, settings: Settings) -> FastAPI:
    bound_arithmetic()  # a worker is a process of its own, which no command began
    # Threads that search give way to the event loop after a millisecond and not five: probes, and answers that are
    # ready, wait less, and searches take no more.
    sys.setswitchinterval(_SWITCH_S)
    folder = os.environ.get(_METRICS_FOLDER) if settings.workers > 1 else None
    return create_app(
        live,
        settings=settings,
        metrics_folder=Path(folder) if folder else None,
        listeners=span_listeners(os.environ, version=project_version()),
    )


def _open(settings: Settings, *, wait: bool = True) -> Live:
    return Live.open(
        _index(settings),
        model_cache=settings.model_folder,
        questions=settings.remembered_questions,
        poll_interval_s=settings.poll_interval_s,
        wait=wait,
    )


def _index(settings: Settings) -> Path:
    if settings.index is None:
        raise IndexNotFound("no index given; run: cari serve --index DIR (make one with: cari build PATH --index DIR)")
    return settings.index


def _announce(info: IndexInfo, *, settings: Settings) -> None:
    example = next((text for texts in settings.examples.values() for text in texts), None)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [
        f"Cari answers on http://{host}:{settings.port}",
        f"generation {info.generation}: {info.passages:,} passages of {info.articles:,} articles",
    ]
    if example:
        lines.append(f"try: {example}")
    if settings.key_required:
        lines.append(f"requests need a key of {settings.keys_file}")
    elif not settings.is_local:
        lines.append("warning: other machines can reach this service, and it asks nobody for a key")
    sys.stderr.write("\n".join(lines) + "\n")


def _check_keys(settings: Settings) -> None:
    """A service that nobody could ask is a mistake; one that everybody can reach by accident a worse one."""
    path = settings.keys_file
    if not settings.key_required or path is None or read_keys(path):
        return
    named = f"--keys {path}" if settings.keys else f"--index {settings.index}"
    why = "CARI_REQUIRE_KEY=always" if settings.require_key == "always" else "other machines can reach this service"
    raise BadKeys(
        f"{why}, so that requests need a key, and {path} has none; run: cari keys create NAME {named} "
        "(or let everybody ask: CARI_REQUIRE_KEY=never)"
    )


def _log_to_stderr(settings: Settings) -> None:
    handler = log_handler(settings.log_format)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    if settings.log_level != "debug":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
