"""Whether spans are made at all, and where they go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import Listener

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = logging.getLogger(__name__)


def span_listeners(environment: Mapping[str, str], *, version: str) -> tuple[Listener, ...]:
    """What sends spans where `environment` says, or nothing.

    Off unless OpenTelemetry's own variable for an endpoint is set. Where the extra that can send is missing, that
    is logged, and the service goes on without.
    """
    if not any(environment.get(name) for name in _ENDPOINTS):
        return ()
    try:
        from .spans import exported_spans  # noqa: PLC0415 - imports what only the extra installs
    except ImportError:
        _log.warning("an OpenTelemetry endpoint is set, and nothing is sent to it; run: pip install 'cari[otel]'")
        return ()
    return (exported_spans(version=version),)
