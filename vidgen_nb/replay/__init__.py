"""A recorded run, played: bars grow, the queue moves up, each decision is told in words; in a notebook or as a file.

Everything is worked out once, in Python, and sent once: `columns` puts together what records, timeline, gauges and the
Gantt's rows know, and `decisions` says each event in a sentence, with the reason that was recorded. The page (`page/`)
only looks up what was so at a time and draws it on a canvas, so that a frame costs no message. `widget` shows it in a
notebook, `file` writes it as one HTML page; both have the same JavaScript. It needs no thread and no server.

A replay has one clock. Between two moments time runs evenly; a step stops at a moment, and several moments of one time
are told one after the other. Hours in which no program ran are as narrow as in the Gantt, and pass as quickly.
It imports charts, analysis and the core; anywidget only when a widget is asked for.
"""
