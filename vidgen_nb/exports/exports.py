"""What a run is handed over as, for `run.Run`, which has the records."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.validation import checks_arguments
from vidgen_nb.exports.otel_spans import export_spans
from vidgen_nb.exports.perfetto import write_perfetto

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import TracerProvider

__all__ = ["Exports"]


class Exports:
    """Exports of records, for `run.Run`."""

    header: dict[str, Any]

    @property
    def data(self) -> RunData:
        """The records."""
        raise NotImplementedError

    def to_perfetto(self, path: str | os.PathLike[str]) -> Path:
        """Write the run as a trace that https://ui.perfetto.dev opens, and return the path.

        A JSON file in the Trace Event Format: a track per slot, cooldowns, 429s as instants, moves as arrows, in run
        seconds (`exports.perfetto`). It has ids, prompts and reasons, shortened, and no keys.

        >>> run.to_perfetto("trace.json")
        """
        with collector_paused():
            return write_perfetto(path, {str(self.header.get("run", "")): self.data})

    @checks_arguments()
    def to_opentelemetry(
        self,
        tracer_provider: TracerProvider | None = None,
        *,
        exporter: SpanExporter | None = None,
        started: datetime | None = None,
        prompts: bool = False,
    ) -> int:
        """Hand the run over as OpenTelemetry spans: itself, each scene, each attempt; return how many.

        Needs `pip install "vidgen_nb[otel]"`. Without arguments the program's tracer provider takes them; options as in
        `exports.otel_spans.export_spans`.

        >>> run.to_opentelemetry(exporter=OTLPSpanExporter())
        """
        return export_spans(self.data, tracer_provider, exporter=exporter, started=started, prompts=prompts)
