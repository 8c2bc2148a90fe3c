"""A run as spans of OpenTelemetry: one for the run, below it one for each scene, below that one for each attempt.

Times are those of the record: the run's start by the wall clock, as its header says, and run seconds from there on. A
move links the attempt to the one that was abandoned. Attributes follow OpenTelemetry's semantic conventions where these
have a name (`gen_ai.*`, `error.type`, `http.response.status_code`); others begin with `vidgen_nb.`. Prompts are left
out unless they are asked for, as the conventions want it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from vidgen_nb.analysis.records.model import AttemptRecord, RunData, SceneRecord
from vidgen_nb.clock import local_time
from vidgen_nb.errors import InputError, OutputError
from vidgen_nb.plaintext import one_line

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer, TracerProvider

__all__ = ["SERVICE", "export_spans"]

SERVICE: Final = "vidgen_nb"
"""`service.name` of spans that are sent to an exporter, and the name of the instrumentation."""
_SPANS_PER_EXPORT: Final = 400
"""Fewer than the 512 that a batch of the SDK holds, and far fewer than the 2,048 of its queue, which drops the rest."""
_TEXT_CHARS: Final = 500
_OPERATION: Final = "generate_content"
_PROVIDERS: Final = {"openai_videos": "openai", "google_interactions": "gcp.gemini", "runway": "runway"}
"""`gen_ai.provider.name`, which each call must have, by the backend that a header names; others by their own name."""
_NO_ERRORS: Final = (None, "succeeded", "cancelled")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def export_spans(
    data: RunData,
    tracer_provider: TracerProvider | None = None,
    *,
    exporter: SpanExporter | None = None,
    started: datetime | None = None,
    prompts: bool = False,
) -> int:
    """Hand a run over as spans, and return how many.

    `tracer_provider`: None: the one that is set for the program. `exporter`: instead, where to send them to, with
    `vidgen_nb` as the `service.name` unless OTEL_SERVICE_NAME says otherwise. `started`: when the run began, if that is
    not recorded; default: so that a simulated run ends now. `prompts`: with the scenes' prompts. Raises `InputError`
    where nobody would take the spans, `OutputError` if the exporter did not, `ImportError` without OpenTelemetry.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider as Provider
    except ImportError as error:
        raise ImportError('to_opentelemetry needs OpenTelemetry: pip install "vidgen_nb[otel]"') from error
    begin = _started(data, started)
    if exporter is not None:
        if tracer_provider is not None:
            raise InputError("to_opentelemetry takes a tracer_provider or an exporter, not both")
        return _to_exporter(exporter, lambda provider: _Writer(data, provider, begin, prompts).write())
    provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
    if isinstance(provider, trace.ProxyTracerProvider):
        raise InputError(
            "no tracer provider is set, so nobody would take the spans: pass tracer_provider=, or exporter=, or call "
            "opentelemetry.trace.set_tracer_provider first"
        )
    if not hasattr(provider, "get_tracer"):
        raise InputError(f"tracer_provider is a TracerProvider of OpenTelemetry, not {provider!r}")
    flush = provider.force_flush if isinstance(provider, Provider) else None
    return _Writer(data, provider, begin, prompts, flush).write()


def _to_exporter(exporter: SpanExporter, write: Callable[[TracerProvider], int]) -> int:
    """Write spans to an exporter, some at a time, and see that it took them."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider as Provider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    if not callable(getattr(exporter, "export", None)):
        raise InputError(f"exporter is a SpanExporter of OpenTelemetry, such as OTLPSpanExporter(), not {exporter!r}")
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    kept = InMemorySpanExporter()
    provider = Provider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    count = write(provider)
    spans = kept.get_finished_spans()
    for at in range(0, len(spans), _SPANS_PER_EXPORT):
        if exporter.export(spans[at : at + _SPANS_PER_EXPORT]) is not SpanExportResult.SUCCESS:
            raise OutputError(f"the exporter did not take spans {at + 1:,} and following: its own log says why")
    return count


def _started(data: RunData, given: datetime | None) -> datetime:
    """Return when a run began."""
    if given is not None:
        if not isinstance(given, datetime) or given.tzinfo is None:
            raise InputError(f"started is a datetime with its time zone, such as datetime.now(UTC), not {given!r}")
        return given
    try:
        return datetime.fromisoformat(str(data.header.get("started"))).astimezone(UTC)
    except (ValueError, OverflowError):
        return local_time(-data.end)


class _Writer:
    """Writes one run; each of its spans begins and ends in the past."""

    def __init__(
        self,
        data: RunData,
        provider: TracerProvider,
        started: datetime,
        prompts: bool,
        flush: Callable[[], Any] | None = None,
    ) -> None:
        self._data = data
        self._tracer: Tracer = provider.get_tracer(SERVICE)
        self._started = (started - _EPOCH) // timedelta(microseconds=1) * 1000
        self._prompts = prompts
        self._flush = flush
        self._count = 0
        backend = data.header.get("backend") or {}
        self._model = one_line(str(backend.get("model") or ""), 100)
        name = one_line(str(backend.get("name") or "unknown"), 100)
        self._provider = _PROVIDERS.get(name, name)

    def write(self) -> int:
        """Write all spans and return how many."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        data, header = self._data, self._data.header
        whole = self._tracer.start_span(
            "vidgen_nb run", start_time=self._at(0.0), kind=SpanKind.INTERNAL, attributes=_without_empty({
                "vidgen_nb.run": str(header.get("run", "")), "vidgen_nb.scenes": len(data.scenes),
                "vidgen_nb.mode": str((header.get("mode") or {}).get("name", "")),
                "vidgen_nb.policy": str((header.get("policy") or {}).get("name", "")),
            }),
        )  # fmt: skip
        below = set_span_in_context(whole)
        attempts: dict[str, list[AttemptRecord]] = {scene.id: [] for scene in data.scenes}
        for attempt in data.attempts:
            attempts[attempt.scene].append(attempt)
        for scene in data.scenes:
            self._write_scene(scene, attempts[scene.id], below)
        self._end(whole, data.end)
        if self._flush is not None:
            self._flush()
        return self._count

    def _write_scene(self, scene: SceneRecord, attempts: list[AttemptRecord], below: Any) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        name = one_line(scene.id, 100)
        span = self._tracer.start_span(
            f"scene {name}", below, SpanKind.INTERNAL, start_time=self._at(scene.queued), attributes=_without_empty({
                "vidgen_nb.scene": name, "vidgen_nb.scene.status": scene.status, "vidgen_nb.attempts": len(attempts),
                "vidgen_nb.unfinished": scene.end is None, **self._prompt(scene),
            }),
        )  # fmt: skip
        inside, before = set_span_in_context(span), None
        for attempt in attempts:
            before = attempt, self._write_attempt(attempt, inside, before)
        if scene.status == "failed":
            span.set_attribute("error.type", attempts[-1].outcome or "failed" if attempts else "failed")
            span.set_status(Status(StatusCode.ERROR, one_line(scene.error or "", _TEXT_CHARS)))
        self._end(span, self._data.end if scene.end is None else scene.end)

    def _write_attempt(self, attempt: AttemptRecord, inside: Any, before: tuple[AttemptRecord, Span] | None) -> Span:
        from opentelemetry.trace import Link, SpanKind, Status, StatusCode

        links = []
        if before is not None and before[0].profile != attempt.profile:
            moved = {"vidgen_nb.moved_from": one_line(before[0].profile, 100)}
            links.append(Link(before[1].get_span_context(), moved))
        span = self._tracer.start_span(
            f"{_OPERATION} {self._model}".rstrip(), inside, SpanKind.CLIENT, links=links,
            start_time=self._at(attempt.start), attributes=self._attributes(attempt),
        )  # fmt: skip
        for what, at in (("accepted", attempt.accepted), ("generated", attempt.generated)):
            if at is not None:
                span.add_event(what, timestamp=self._at(at))
        if attempt.began is not None and attempt.began != attempt.accepted:
            span.add_event("generation began", timestamp=self._at(attempt.began))
        if attempt.outcome == "rate_limited" and attempt.end is not None:
            asked = (
                {}
                if attempt.retry_after is None
                else {"http.response.header.retry-after": [f"{attempt.retry_after:g}"]}
            )
            span.add_event("rate limited", asked, self._at(attempt.end))
        if attempt.outcome not in _NO_ERRORS:
            span.set_status(Status(StatusCode.ERROR, one_line(attempt.reason or "", _TEXT_CHARS)))
        self._end(span, self._data.end if attempt.end is None else attempt.end)
        return span

    def _attributes(self, attempt: AttemptRecord) -> dict[str, Any]:
        """Return what is known of an attempt."""
        error = None if attempt.outcome in _NO_ERRORS else attempt.outcome
        limited = attempt.outcome == "rate_limited"
        return _without_empty({
            "gen_ai.operation.name": _OPERATION, "gen_ai.output.type": "video", "gen_ai.request.model": self._model,
            "gen_ai.provider.name": self._provider, "error.type": "429" if limited else error,
            "http.response.status_code": 429 if limited else None,
            "vidgen_nb.scene": one_line(attempt.scene, 100), "vidgen_nb.profile": one_line(attempt.profile, 100),
            "vidgen_nb.attempt": attempt.number, "vidgen_nb.outcome": attempt.outcome,
            "vidgen_nb.unfinished": attempt.end is None,
            "vidgen_nb.waited_seconds": round(attempt.start - attempt.queued, 6),
            "vidgen_nb.queued_at_provider_seconds": round(attempt.queued_at_provider, 6),
        })  # fmt: skip

    def _prompt(self, scene: SceneRecord) -> dict[str, str]:
        """Return a scene's prompt in the form of the conventions, if it is wanted."""
        if not self._prompts:
            return {}
        parts = [{"type": "text", "content": one_line(scene.prompt, 10_000)}]
        return {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}], ensure_ascii=False)}

    def _at(self, seconds: float) -> int:
        """Return run seconds as nanoseconds since 1970."""
        return self._started + round(seconds * 1_000_000) * 1000

    def _end(self, span: Span, seconds: float) -> None:
        """End a span; now and then, have those that are done taken away."""
        span.end(self._at(seconds))
        self._count += 1
        if self._flush is not None and self._count % _SPANS_PER_EXPORT == 0:
            self._flush()


def _without_empty(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that say something."""
    return {
        name: value for name, value in attributes.items() if value is not None and value is not False and value != ""
    }
