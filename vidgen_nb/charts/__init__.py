"""Charts of a run: data first, then a plotly figure; the Gantt also as plain SVG.

Each chart is a module with one function that takes `RunData` and returns a figure; `drawing` holds what all of them
draw with, `gantt` the Gantt. Charts compute nothing about a run: each number that one shows comes from `analysis`, and
`tests/charts/test_charts_against_metrics.py` compares them with `run.metrics()`. A chart may import analysis, the
core's events and the provider's limits, and nothing from session or notebook.

To add a chart: write `charts/<name>.py` with `<name>_chart(data, *, theme="auto")`, whose title is what the chart
shows, in a sentence (`_finding`); take sizes, title and axes from `drawing.layout`, colours from `drawing.palette`,
make every foreign name harmless with `drawing.text`, and return what `drawing.page_figure.figure` makes. Add a method
to `Run`, an entry in `tests/charts/every.py` (foreign text, sizes and themes are tested for all charts), and its
numbers to the test above.
"""
