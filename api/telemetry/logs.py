"""Log lines: for people, or one JSON object a line for machines. Nothing that was sent can forge one."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO
from urllib.parse import quote

if TYPE_CHECKING:
    from .exchange import Exchange

LogFormat = Literal["text", "json"]

_access = logging.getLogger("api.access")
_MAX_LOGGED_CHARS = 500
# Of an access line, what its message has already.
_IN_MESSAGE = frozenset({"method", "path", "status", "took_ms", "request_id"})


def log_handler(log_format: LogFormat, *, stream: TextIO | None = None) -> logging.Handler:
    """A handler that writes such lines, to stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    return handler


def one_line(text: str) -> str:
    r"""The text without anything that moves a cursor: a line break becomes \n, a mark of direction its code."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


class TextLines(logging.Formatter):
    """Time, level, logger, message and fields. Every line that begins a record begins with a digit, no other does."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the framework's name
        """The first line; whatever the message holds, it is one."""
        fields = getattr(record, "fields", {}).items()
        rest = [f"{name}={_plain(value)}" for name, value in fields if name not in _IN_MESSAGE]
        return one_line(" ".join([super().formatMessage(record), *rest]))

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - the framework's
        """The traceback, set in, so that no line of an error's text passes for a record."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {one_line(line)}" for line in lines)


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII: the record, and the fields that it was given as `extra["fields"]`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        # DEL is the one control character that JSON leaves as it is.
        return json.dumps(content, default=str).replace("\x7f", "\\u007f")


class AccessLog:
    """Writes one line an exchange.

    The path is told and never the query part of an address: what people ask is for the log only where
    `with_queries` says so.
    """

    def __init__(self, *, with_queries: bool = False) -> None:
        self._with_queries = with_queries

    def __call__(self, exchange: Exchange) -> None:
        """Writes the line."""
        if not _access.isEnabledFor(logging.INFO):
            return
        fields = self._fields(exchange)
        # An address may begin with its "?": then there is no path.
        shown = (fields["method"], fields.get("path", ""), exchange.status, exchange.took_ms, exchange.request_id)
        _access.info("%s %s %d %.1f ms id=%s", *shown, extra={"fields": fields})

    def _fields(self, exchange: Exchange) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "request_id": exchange.request_id,
            "method": exchange.method[:20],
            "route": exchange.route,
            "path": quote(exchange.path[:_MAX_LOGGED_CHARS], safe="/", errors="replace"),
            "status": exchange.status,
            "took_ms": round(exchange.took_ms, 2),
            "bytes": exchange.size_bytes,
            "client": exchange.client,
            "key_name": exchange.key_name,
        }
        if exchange.searches:
            fields |= {
                "generation": exchange.searches[-1].generation,
                "hits": sum(asked.hits for asked in exchange.searches),
                "total": sum(asked.total for asked in exchange.searches),
            }
            if any(asked.degraded for asked in exchange.searches):
                fields["degraded"] = True
            if self._with_queries:
                fields["queries"] = [asked.text[:_MAX_LOGGED_CHARS] for asked in exchange.searches]
        return {name: value for name, value in fields.items() if value not in (None, "")}


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
