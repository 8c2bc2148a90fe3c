"""Charts of a run: rows (data), then a plotly figure (`gantt.py`, the only module with plotly) or SVG (`svg.py`)."""
