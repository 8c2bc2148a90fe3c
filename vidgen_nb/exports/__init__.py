"""A run for other tools: as a trace that Perfetto opens, and as spans of OpenTelemetry.

Both read the records (`analysis/records`) and count nothing anew. `perfetto` needs the standard library only;
`opentelemetry`, an optional extra, is imported by `otel_spans` when it is called, and by nothing else.
"""
