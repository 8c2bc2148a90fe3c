"""OpenTelemetry spans of a run: whose they are, when they were, what became of them, and who takes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import vidgen_nb as vg
from vidgen_nb.clock import local_time
from vidgen_nb.errors import InputError, OutputError

BEGAN = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
DEMO = vg.simulate(24, vg.demo_profiles(), mode="boost", latency=0.4)
OLD = sorted((Path(__file__).parent.parent / "recording/data").rglob("*.jsonl"))


def spans_of(run: vg.Run, **options: Any) -> list[ReadableSpan]:
    """Return the spans that an exporter gets."""
    exporter = InMemorySpanExporter()
    count = run.to_opentelemetry(exporter=exporter, **options)
    found = list(exporter.get_finished_spans())
    assert count == len(found)
    return found


def kind(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    """Return the spans whose names begin so, by their start."""
    return sorted((each for each in spans if each.name.startswith(name)), key=lambda each: each.start_time or 0)


def span_id(span: ReadableSpan) -> int:
    """Return a span's id."""
    assert span.context is not None
    return int(span.context.span_id)


def test_one_span_for_each_scene_with_its_attempts() -> None:
    """The run, its scenes below it, their attempts below those; all in one trace."""
    spans = spans_of(DEMO)
    (run,), scenes, attempts = kind(spans, "vidgen_nb run"), kind(spans, "scene "), kind(spans, "generate_content")
    assert len(scenes) == 24 and len(attempts) == len(DEMO.attempts) > 24
    assert len(spans) == 1 + len(scenes) + len(attempts)
    assert {each.context.trace_id for each in spans if each.context} == {run.context.trace_id if run.context else 0}
    assert run.parent is None
    assert all(each.parent and each.parent.span_id == span_id(run) for each in scenes)
    by_id = {span_id(each): each for each in scenes}
    for attempt in attempts:
        assert attempt.parent and attempt.attributes and attempt.kind is SpanKind.CLIENT
        assert by_id[attempt.parent.span_id].name == "scene " + str(attempt.attributes["vidgen_nb.scene"])
    assert run.attributes and run.attributes["vidgen_nb.policy"] == "PerProfileCooldown"


def test_times_are_those_of_the_record() -> None:
    """Nanoseconds since 1970: the run's start by the wall clock, and run seconds from there on."""
    run = vg.Run({**DEMO.header, "started": BEGAN.isoformat(timespec="milliseconds")}, DEMO.events)
    attempts = kind(spans_of(run), "generate_content")
    begin = int(BEGAN.timestamp()) * 10**9 + 500 * 10**6
    for span, attempt in zip(attempts, DEMO.attempts, strict=True):
        assert span.start_time == begin + round(attempt.start * 1e6) * 1000
        assert attempt.end is not None and span.end_time == begin + round(attempt.end * 1e6) * 1000
    (whole,) = kind(spans_of(DEMO, started=BEGAN), "vidgen_nb run")
    assert (whole.start_time, whole.end_time) == (begin, begin + round(DEMO.data.end * 1e6) * 1000)
    (now,) = kind(spans_of(DEMO), "vidgen_nb run")
    assert abs((now.end_time or 0) / 1e9 - local_time().timestamp()) < 60


def test_a_429_and_the_move_after_it() -> None:
    """The refused attempt is an error with its status code and an event; the next one links to it."""
    spans = spans_of(DEMO)
    attempts = kind(spans, "generate_content")
    at = next(place for place, each in enumerate(DEMO.attempts) if each.outcome == "rate_limited")
    refused, record = attempts[at], DEMO.attempts[at]
    assert refused.attributes is not None and refused.status.status_code is StatusCode.ERROR
    assert refused.attributes["http.response.status_code"] == 429 and refused.attributes["error.type"] == "429"
    assert refused.status.description == "429 rate"
    (event,) = refused.events
    assert event.name == "rate limited" and event.timestamp == refused.end_time
    assert event.attributes and event.attributes["http.response.header.retry-after"] == (f"{record.retry_after:g}",)
    linked = [each for each in attempts if each.links]
    assert len(linked) == len(DEMO.moves)
    (follower,) = [each for each in linked if each.links[0].context.span_id == span_id(refused)]
    assert follower.attributes and follower.attributes["vidgen_nb.scene"] == record.scene
    assert follower.links[0].attributes == {"vidgen_nb.moved_from": record.profile}
    ok = next(each for each in attempts if not each.events or each.events[0].name == "accepted")
    assert ok.status.status_code is StatusCode.UNSET and [each.name for each in ok.events] == ["accepted", "generated"]


def test_failures_are_errors_and_cancels_are_not() -> None:
    """A scene that failed says why; one that was cancelled did what was wanted."""
    from vidgen_nb.core.events import CancelRequested

    one = [vg.SimulatedProfile("p", None, vg.Constant(10), 1)]
    faults, requests = [vg.Fault("content", scene="s002")], [(1.0, CancelRequested("s003"))]
    spans = spans_of(vg.simulate(3, one, faults=faults, requests=requests))
    good, bad, gone = sorted(kind(spans, "scene "), key=lambda each: each.name)
    assert bad.status.status_code is StatusCode.ERROR and "content" in (bad.status.description or "")
    assert bad.attributes and bad.attributes["error.type"] == "permanent"
    assert good.status.status_code is gone.status.status_code is StatusCode.UNSET
    assert gone.attributes and gone.attributes["vidgen_nb.scene.status"] == "cancelled"


@pytest.mark.parametrize("path", OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_runs(path: Path) -> None:
    """Live, restored and unfinished runs that earlier versions wrote; no span ends before it begins."""
    run = vg.load_run(path)
    spans = spans_of(run)
    assert len(kind(spans, "scene ")) == len(run.scenes)
    assert all((each.start_time or 0) <= (each.end_time or 0) for each in spans)


def test_unfinished_runs_end_with_their_last_event() -> None:
    """What is still running or waiting is marked; an exporter gets ended spans only."""
    run = vg.Run(DEMO.header, DEMO.events[: len(DEMO.events) // 2])
    attempts = kind(spans_of(run), "generate_content")
    marked = [each for each in attempts if each.attributes and each.attributes.get("vidgen_nb.unfinished")]
    assert len(marked) == sum(each.end is None for each in run.attempts) > 0


def test_prompts_only_if_asked_for() -> None:
    """As the conventions want it: prompts may be private. Keys are never there."""
    scenes = [vg.Scene("a", "a secret fox")]
    run = vg.simulate(scenes, [vg.SimulatedProfile("p", None, vg.Constant(3), api_key="sk-secret-123")])
    texts = [str([each.attributes for each in spans_of(run, prompts=wanted)]) for wanted in (False, True)]
    assert "secret fox" not in texts[0] and "secret fox" in texts[1] and "sk-secret" not in texts[1]
    (scene,) = kind(spans_of(run, prompts=True), "scene ")
    assert scene.attributes is not None
    (message,) = json.loads(str(scene.attributes["gen_ai.input.messages"]))
    assert message == {"role": "user", "parts": [{"type": "text", "content": "a secret fox"}]}


def test_the_model_and_provider_of_a_live_run() -> None:
    """They are in the header, and have names in the conventions."""
    header = {**DEMO.header, "backend": {"name": "openai_videos", "model": "sora-2"}}
    span = kind(spans_of(vg.Run(header, DEMO.events)), "generate_content")[0]
    assert span.name == "generate_content sora-2" and span.attributes
    simulated = {(each.attributes or {})["gen_ai.provider.name"] for each in kind(spans_of(DEMO), "generate_content")}
    assert simulated == {"simulated"}, "the conventions require it of each call, and a name of one's own is allowed"
    assert span.attributes["gen_ai.provider.name"] == "openai" and span.attributes["gen_ai.request.model"] == "sora-2"


def test_who_the_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """vidgen_nb, unless the environment or the user's own provider says otherwise."""
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert spans_of(DEMO)[0].resource.attributes["service.name"] == "vidgen_nb"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "studio")
    assert spans_of(DEMO)[0].resource.attributes["service.name"] == "studio"
    exporter, provider = InMemorySpanExporter(), TracerProvider(resource=Resource({"service.name": "mine"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    assert DEMO.to_opentelemetry(provider) == len(exporter.get_finished_spans())
    assert exporter.get_finished_spans()[0].resource.attributes["service.name"] == "mine"
    provider.shutdown()


def test_a_batch_processors_queue_does_not_overflow() -> None:
    """It holds 2,048 spans and drops further ones; they are taken away before that."""
    run = vg.simulate(1_200, [vg.SimulatedProfile("p", None, vg.Constant(1), 50)], mode="boost")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    assert run.to_opentelemetry(provider) == len(exporter.get_finished_spans()) == 2_401
    provider.shutdown()


class Refusing(SpanExporter):
    """Takes nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Refuse."""
        return SpanExportResult.FAILURE


def test_nobody_who_takes_them() -> None:
    """Without a provider, with both, or with an exporter that fails: an error says so instead of a silent loss."""
    with pytest.raises(InputError, match="no tracer provider is set"):
        DEMO.to_opentelemetry()
    with pytest.raises(InputError, match="not both"):
        DEMO.to_opentelemetry(TracerProvider(), exporter=InMemorySpanExporter())
    with pytest.raises(InputError, match="exporter is a SpanExporter"):
        DEMO.to_opentelemetry(exporter="http://localhost:4318")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tracer_provider is a TracerProvider"):
        DEMO.to_opentelemetry("http://localhost:4318")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="started is a datetime with its time zone"):
        DEMO.to_opentelemetry(exporter=InMemorySpanExporter(), started=BEGAN.replace(tzinfo=None))
    with pytest.raises(OutputError, match="did not take spans 1"):
        DEMO.to_opentelemetry(exporter=Refusing())


def test_without_opentelemetry() -> None:
    """Nothing imports it before it is asked for; where it is missing, the error names the extra."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import vidgen_nb as vg\n"
        "run = vg.simulate(2, vg.demo_profiles())\n"
        "run.to_perfetto(sys.argv[1])\n"
        "try: run.to_opentelemetry()\n"
        "except ImportError as error: print(error)\n"
    )
    path = Path("/dev/null") if sys.platform != "win32" else Path("NUL")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'to_opentelemetry needs OpenTelemetry: pip install "vidgen_nb[otel]"'


def test_the_default_start_of_a_simulated_run_is_in_the_past() -> None:
    """So that it ends now: backends drop what lies in the future."""
    (whole,) = kind(spans_of(DEMO), "vidgen_nb run")
    length = timedelta(microseconds=((whole.end_time or 0) - (whole.start_time or 0)) / 1000)
    assert length == pytest.approx(timedelta(seconds=DEMO.data.end), abs=timedelta(milliseconds=1))
