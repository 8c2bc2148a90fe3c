"""The Gantt chart: `rows` lays out lanes, bars and links as data; `figure` draws them with plotly, `svg` as plain SVG.

`bars`, `links` and `merged` make the parts of the rows; the last is the older history of a live chart.
"""
