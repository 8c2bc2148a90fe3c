"""Patches of Plotly's front end (plotly 7.1).

A removed view must no longer get updates: its handlers stay on the model, the next update throws in the purged
view, and then no later view gets it. So a panel that was shown again during a run stood still.

A new view tells the kernel that it is there, because updates that arrive while the page still loads the 5 MB of
plotly.js are lost.

After each update, every view sends back all that plotly.js made of the traces (30 kB), and the kernel answers twice.
Nothing here needs that.

A click on a bar sends which attempt it is, and nothing else; moving the mouse sends nothing: by itself the view tells
of each point under it.
"""

from __future__ import annotations

import re

from vidgen_nb.charts.drawing.engine import go

__all__ = ["patched_figure_module"]

_PATCHES = """
for (const name of Object.getOwnPropertyNames(VIEW.prototype).filter((each) => each.startsWith("do_"))) {
  const before = VIEW.prototype[name];
  VIEW.prototype[name] = function (...args) { return this.isRemoved ? undefined : before.apply(this, args); };
}
const render = VIEW.prototype.perform_render;
VIEW.prototype.perform_render = function () { render.call(this); this.model.model.send({ rendered: true }); };
VIEW.prototype._sendTraceDeltas = function () {};
VIEW.prototype.handle_plotly_hover = VIEW.prototype.handle_plotly_unhover = function () {};
VIEW.prototype.handle_plotly_click = function (event) {
  const place = event?.points?.[0]?.customdata;
  if (Number.isInteger(place)) this.model.model.send({ select: place });
};
const remove = VIEW.prototype.remove;
VIEW.prototype.remove = function () { this.isRemoved = true; return remove.call(this); };
"""
_END_CHARS = 5_000
"""Where the module's exports are, counted from its end."""


def patched_figure_module() -> str:
    """Return the JavaScript module of `FigureWidget`, patched if its views are still exported by name."""
    source = str(go.FigureWidget._esm)  # noqa: SLF001 - anywidget's name for it
    view = re.search(r"([\w$]+) as FigureView\b", source[-_END_CHARS:])
    return source if view is None else source + "\n{" + _PATCHES.replace("VIEW", view[1]) + "}\n"
