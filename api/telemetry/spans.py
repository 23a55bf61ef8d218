"""OpenTelemetry spans: one a request, with one for each stretch of a search. The only file that knows OpenTelemetry.

It needs the extra `cari[otel]`: import it only where spans are wanted (see `exporting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from .exchange import Asked, Exchange

_MS = 1_000_000
_SERVER_ERROR = 500


def exported_spans(*, version: str) -> Spans:
    """Spans that are sent to where OpenTelemetry's variables say, in batches, by a thread of their own."""
    named = Resource.create({"service.name": "cari", SERVICE_VERSION: version}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


class Spans:
    """Makes the spans of one exchange when it is over, with the times it had. A `Listener`.

    A caller's `traceparent` makes them part of its trace, and decides whether they are recorded.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("cari")
        self._incoming = TraceContextTextMapPropagator()

    def __call__(self, exchange: Exchange) -> None:
        """Makes them."""
        span = self._tracer.start_span(
            f"{exchange.method[:20]} {exchange.route}".strip(),
            context=self._incoming.extract(exchange.headers),
            kind=SpanKind.SERVER,
            attributes=_attributes(exchange),
            start_time=exchange.began_ns,
        )
        if exchange.status >= _SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        if span.is_recording():
            for asked in exchange.searches:
                self._add_stages(asked, parent=set_span_in_context(span))
        span.end(exchange.began_ns + int(exchange.took_ms * _MS))

    def _add_stages(self, asked: Asked, *, parent: Context) -> None:
        for lap in asked.timings.laps:
            began_ns = asked.timings.began_ns + int(lap.began_ms * _MS)
            stage = self._tracer.start_span(f"search {lap.stage.value}", context=parent, start_time=began_ns)
            stage.end(began_ns + int(lap.took_ms * _MS))


def _attributes(exchange: Exchange) -> dict[str, str | int | bool]:
    """The names are OpenTelemetry's; what was asked is not among them."""
    attributes: dict[str, str | int | bool | None] = {
        "http.request.method": exchange.method[:20],
        "http.route": exchange.route or None,
        "url.path": exchange.path,
        "http.response.status_code": exchange.status,
        "http.response.body.size": exchange.size_bytes,
        "client.address": exchange.client,
        "cari.request_id": exchange.request_id,
        "cari.generation": exchange.searches[-1].generation if exchange.searches else None,
        "cari.degraded": any(asked.degraded for asked in exchange.searches) or None,
    }
    return {name: value for name, value in attributes.items() if value is not None}
