"""What a person touches in Jupyter: the controller, which has a session and shows itself as a panel.

A `Controller` has a `session`, three sets of options and a `PanelHolder`, and forwards to them: `SceneOptions` (which
scenes Run takes) and `RunOptions` (how to run them) in `run_options.py`, and `ViewOptions` (what the panel shows). The
options are parts without a widget, so that a cell can set whatever a click can. `display.py` decides what a cell's
output is, `rerun_cells.py` what becomes of a controller whose cell is run again. The panel itself is the room `panel`.

This room may import every room except the command line and the demo. It alone imports ipywidgets, anywidget and
traitlets, and only once a panel is asked for.

To add a control:

1. Give the option a property with a checked setter in one of the three option classes, which calls `self._changed()`
   (or changes the session, which does), and forward it in `Controller`. For a button, add a method to the session.
2. Add the widget in `panel/controls.py` with `add_value` or `add_button`: label, tooltip, and a function that says why
   it is unavailable, or returns an empty text.
3. If its choices change, fill them in `Controls.update_choices`.
4. Put it into `Panel._arranged`.
5. In the tests, add it to the lists in tests/notebook/panel/test_controls.py, and in tests/in_lab look at it once in a
   browser (`test_looks.py` says so if it does not fit).
"""
