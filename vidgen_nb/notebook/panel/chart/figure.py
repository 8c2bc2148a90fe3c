"""The FigureWidget that survives a page reload, and the differences that are sent to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from traitlets import Dict

from vidgen_nb.charts.drawing.engine import go
from vidgen_nb.notebook.panel.chart.plotly_patches import patched_figure_module
from vidgen_nb.notebook.panel.page.js_module import SeparateModuleWidget, loader

__all__ = ["LiveFigure", "flattened", "set_paths"]

_UNCHANGED = "_undefined_"  # plotly's own view reads this as JavaScript's undefined


class LiveFigure(SeparateModuleWidget, go.FigureWidget):  # type: ignore[misc]  # plotly is untyped
    """A FigureWidget whose state is what it shows now.

    Plotly's own gives a new page what it was constructed with: after a reload, and in Voila, it would be empty.
    """

    module = patched_figure_module()
    _esm = loader(module)
    _is_constructed = False
    # Plotly searches each message for numbers that JSON can't hold; ours have none.
    _py2js_update = Dict(allow_none=True).tag(sync=True, to_json=lambda value, _widget: value)

    def __init__(self, data: list[dict[str, Any]], layout: dict[str, Any]) -> None:
        super().__init__(data=data, layout=layout)
        # Plotly removes from its own copies what the page reports as a default: after a reload, that was missing.
        self._current_traces = deepcopy(data)
        for trace, known in zip(self._current_traces, self._data, strict=True):
            trace["uid"] = known["uid"]
        self._current_layout = deepcopy(layout)
        # "Share chart" would upload the prompts.
        self._config = {"responsive": True, "showSendToCloud": False, "displaylogo": False}
        self._is_constructed = True

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the widget's state; the full state has the traces and the layout as they are now."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None and self._is_constructed:  # the constructor asks for it, too
            axis = {name: value for name, value in self._layout["xaxis"].items() if name in ("range", "autorange")}
            layout = self._current_layout | {"xaxis": self._current_layout["xaxis"] | axis}
            for name, value in (("_widget_data", self._current_traces), ("_widget_layout", layout)):
                state[name] = self.trait_metadata(name, "to_json", self._trait_to_json)(value, self)
        return state

    def change(self, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
        """Change leaves of the traces (in order; most have none) and of the layout, by dotted path, in one message.

        `batch_update` ends in the same message, but its validators take several times as long. Besides, `on_change`
        is called only for what the page does.
        """
        changed = [index for index, leaves in enumerate(traces) if leaves]
        for index in changed:
            set_paths(self._data[index], traces[index])
            set_paths(self._current_traces[index], traces[index])
        set_paths(self._layout, layout)
        set_paths(self._current_layout, layout)
        names = dict.fromkeys(name for index in changed for name in traces[index])
        style = {name: [traces[index].get(name, _UNCHANGED) for index in changed] for name in names}
        # A change of the height would fix the width, too (plotly.js relayout).
        size = {"autosize": True, "width": None} if "height" in layout else {}
        self._send_update_msg(style, {**layout, **size}, changed or [0])


def flattened(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dicts by their dotted paths; a list is a leaf."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def set_paths(tree: dict[str, Any], leaves: Mapping[str, Any]) -> None:
    """Set leaves of nested dicts by their dotted paths."""
    for path, value in leaves.items():
        *branches, name = path.split(".")
        at = tree
        for branch in branches:
            at = at.setdefault(branch, {})
        at[name] = value
