"""The Gantt chart: rows as data, then a plotly figure or plain SVG."""
