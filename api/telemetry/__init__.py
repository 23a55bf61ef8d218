"""What an operator sees of the service: log lines, metrics, spans.

In: one `Exchange` a request, filled while it is answered. Out: a line, counts, a span with its stages.
Not done here: answering. Whoever listens is told after the last byte was sent, and changes nothing.
"""

from .exchange import Asked, Exchange, Listener, current, under_way
from .logs import AccessLog, log_handler
from .metrics import Metrics, router

__all__ = [
    "AccessLog",
    "Asked",
    "Exchange",
    "Listener",
    "Metrics",
    "current",
    "log_handler",
    "router",
    "under_way",
]
