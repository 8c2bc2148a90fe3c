"""Plotly's front end, mended: a view that was removed must not hear of updates any more.

In plotly 7.1 its handlers stay on the model; the next update throws in the purged view, and with that no later view
gets it: a panel that is shown again while a run goes on stood still.
"""

from __future__ import annotations

import re

from vidgen_nb.charts.engine import go

__all__ = ["figure_esm"]

_MEND = """
for (const name of Object.getOwnPropertyNames(VIEW.prototype).filter((each) => each.startsWith("do_"))) {
  const before = VIEW.prototype[name];
  VIEW.prototype[name] = function (...args) { return this.isRemoved ? undefined : before.apply(this, args); };
}
const remove = VIEW.prototype.remove;
VIEW.prototype.remove = function () { this.isRemoved = true; return remove.call(this); };
"""


def figure_esm() -> str:
    """Return the JavaScript module of `FigureWidget`, mended if its views are still exported by name."""
    source = str(go.FigureWidget._esm)  # noqa: SLF001 - anywidget's name for it
    view = re.search(r"([\w$]+) as FigureView\b", source[-5_000:])
    return source if view is None else source + "\n{" + _MEND.replace("VIEW", view[1]) + "}\n"
