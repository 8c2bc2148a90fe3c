"""The panel: what is seen of a session in Jupyter, and the controls that change it.

It may import the session's room and everything below, and of the notebook's room only the options that it shows. It
knows its `PanelHost`, never the controller. ipywidgets, anywidget and traitlets live here.

**One writer.** ipywidgets are not safe to write to from several threads, and a session lives on a loop of its own. So
only that loop writes to widgets:

- A callback of a widget, or a message of the page, may come on any thread. It posts one call to the loop
  (`PanelHost.post`) and returns. An exception inside a callback would vanish; the loop shows it in the red strip.
- An observer of the run changes no widget either: it touches the `Ticker`, which runs the three steps of an update
  (`Panel._read`, `_write`, `_draw`) soon afterwards, and twice a second while the run goes on.
- Each update compares what widgets should show with what they show, and sends only the difference. So it does not
  matter who changed something, a click or a cell: both show in the next update.
- Work that takes longer than an update may goes to another thread (`Background`), and its result comes back by `post`.

When the session is closed its loop is gone, and nobody else writes: then `post` makes the call right there.

**The first screen.** On a laptop all controls and the whole chart are seen without scrolling, and nothing of it moves
while a run goes on: what is seldom needed is in menus and a drawer above the page, whose widgets are made when they are
first opened. What only a page can do (open them, ask before something is destroyed, name things for a screen reader)
is done there, without the kernel (`page/page_bridge.js`).

In here: `controls.py` (all controls; `run_controls.py` and `option_controls.py` bind widgets to calls and options by
`control_binding.py`), `layout.py` (where they stand), `status/` (what is said of the run), `chart/` (the live Gantt
chart), `tabs/` (below the chart), `page/` (JavaScript and style), `ticker.py` (when to write), `forecast.py` (when the
run is expected to end).
"""
