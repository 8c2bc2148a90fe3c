"""The FigureWidget that survives a page reload, and the differences that are sent to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from traitlets import Dict

from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.notebook.panel.chart.plotly_patches import figure_esm
from vidgen_nb.notebook.panel.js_module import WithModule, loader

__all__ = ["LiveFigure", "flat", "put"]

_UNCHANGED = "_undefined_"  # what plotly's own view takes for JavaScript's undefined


class LiveFigure(WithModule, go.FigureWidget):  # type: ignore[misc]  # plotly is untyped
    """A FigureWidget whose state is what it shows now.

    Plotly's own tells a new page what it was constructed with: after a reload, and in Voila, it would be empty.
    """

    module = figure_esm()
    _esm = loader(module)
    _made = False
    # Plotly looks at every number of a message for what JSON can't hold; there is nothing of the kind in ours.
    _py2js_update = Dict(allow_none=True).tag(sync=True, to_json=lambda value, _widget: value)

    def __init__(self, data: list[dict[str, Any]], layout: dict[str, Any]) -> None:
        super().__init__(data=data, layout=layout)
        # Plotly forgets of its own copies what the page reports back as a default: after a reload, that was missing.
        self._traces_now = deepcopy(data)
        for trace, known in zip(self._traces_now, self._data, strict=True):
            trace["uid"] = known["uid"]
        self._layout_now = deepcopy(layout)
        # "Share chart" would upload the prompts.
        self._config = {"responsive": True, "showSendToCloud": False, "displaylogo": False}
        self._made = True

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the widget's state; the whole of it has the traces and the layout as they are now."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None and self._made:  # it is asked while it is being made, too
            axis = {name: value for name, value in self._layout["xaxis"].items() if name in ("range", "autorange")}
            layout = self._layout_now | {"xaxis": self._layout_now["xaxis"] | axis}
            for name, value in (("_widget_data", self._traces_now), ("_widget_layout", layout)):
                state[name] = self.trait_metadata(name, "to_json", self._trait_to_json)(value, self)
        return state

    def change(self, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
        """Change leaves of the traces (in order; most have none) and of the layout, by dotted path, in one message.

        What `batch_update` ends in, without its validators, which take several times as long; and `on_change` hears
        only of what the page does.
        """
        changed = [index for index, leaves in enumerate(traces) if leaves]
        for index in changed:
            put(self._data[index], traces[index])
            put(self._traces_now[index], traces[index])
        put(self._layout, layout)
        put(self._layout_now, layout)
        names = dict.fromkeys(name for index in changed for name in traces[index])
        style = {name: [traces[index].get(name, _UNCHANGED) for index in changed] for name in names}
        # A height fixes the width, too, unless told otherwise (plotly.js relayout).
        also = {"autosize": True, "width": None} if "height" in layout else {}
        self._send_update_msg(style, {**layout, **also}, changed or [0])


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dicts by their dotted paths; a list is a leaf."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def put(tree: dict[str, Any], leaves: Mapping[str, Any]) -> None:
    """Set leaves of nested dicts by their dotted paths."""
    for path, value in leaves.items():
        *branches, name = path.split(".")
        at = tree
        for branch in branches:
            at = at.setdefault(branch, {})
        at[name] = value
