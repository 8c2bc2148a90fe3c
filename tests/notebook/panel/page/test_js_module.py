"""Widgets whose JavaScript is sent apart from their state."""

from __future__ import annotations

from gzip import decompress
from typing import Any

import pytest

from vidgen_nb.notebook.panel.chart.live_gantt import LiveGantt
from vidgen_nb.notebook.panel.page.js_module import SeparateModuleWidget
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what widgets send: (content, buffers) for each message."""
    kept: list[Any] = []
    monkeypatch.setattr(
        SeparateModuleWidget, "send", lambda _self, content, buffers=None: kept.append((content, buffers))
    )
    return kept


@pytest.fixture(params=[AttemptsTable, lambda: LiveGantt().figure], ids=["table", "chart"])
def widget(request: pytest.FixtureRequest, sent: list[Any]) -> SeparateModuleWidget:
    """Make one; what it sends is kept in `sent`."""
    made: SeparateModuleWidget = request.param()
    return made


def test_the_state_of_all_widgets_is_small(widget: SeparateModuleWidget) -> None:
    """A page that is reloaded has 4 s to get the state of all widgets."""
    state = widget.get_state()
    assert sum(len(value) for value in state.values() if isinstance(value, str)) < 200_000
    assert state["_module_follows"] is False


def test_the_module_follows_the_widget_and_is_sent_again_to_who_asks(
    widget: SeparateModuleWidget, sent: list[Any]
) -> None:
    """The loader in `_esm` knows the module's id."""
    ((first, (packed,)),) = sent
    assert decompress(packed).decode() == widget.module
    assert f'const MODULE = "{first["module"]}";' in widget._esm
    widget._handle_custom_msg({"module": first["module"]}, [])
    assert sent[1] == sent[0]
    widget._handle_custom_msg({"module": "another"}, [])
    widget._handle_custom_msg("nonsense", [])
    assert len(sent) == 2
