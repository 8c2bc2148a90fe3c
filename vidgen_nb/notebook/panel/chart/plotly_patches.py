"""Plotly's front end, mended in three places (plotly 7.1).

A view that was removed must not hear of updates any more: its handlers stay on the model, the next update throws in the
purged view, and with that no later view gets it. A panel that was shown again while a run went on stood still.

A view that is there says so, for updates that come while a page still loads the 5 MB of plotly.js are lost.

After each update, every view tells all that plotly.js made of the traces (30 kB), and the kernel answers twice: nobody
here wants to know.
"""

from __future__ import annotations

import re

from vidgen_nb.charts.drawing.engine import go

__all__ = ["figure_esm"]

_MEND = """
for (const name of Object.getOwnPropertyNames(VIEW.prototype).filter((each) => each.startsWith("do_"))) {
  const before = VIEW.prototype[name];
  VIEW.prototype[name] = function (...args) { return this.isRemoved ? undefined : before.apply(this, args); };
}
const render = VIEW.prototype.perform_render;
VIEW.prototype.perform_render = function () { render.call(this); this.model.model.send({ rendered: true }); };
VIEW.prototype._sendTraceDeltas = function () {};
const remove = VIEW.prototype.remove;
VIEW.prototype.remove = function () { this.isRemoved = true; return remove.call(this); };
"""


def figure_esm() -> str:
    """Return the JavaScript module of `FigureWidget`, mended if its views are still exported by name."""
    source = str(go.FigureWidget._esm)  # noqa: SLF001 - anywidget's name for it
    view = re.search(r"([\w$]+) as FigureView\b", source[-5_000:])
    return source if view is None else source + "\n{" + _MEND.replace("VIEW", view[1]) + "}\n"
