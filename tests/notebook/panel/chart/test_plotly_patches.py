"""Front ends that are put together from the code of other packages."""

from __future__ import annotations

import re

from vidgen_nb.notebook.panel.chart.plotly_patches import patched_figure_module
from vidgen_nb.notebook.panel.tabs.attempts import AttemptsTable


def test_the_views_of_plotly_are_found_and_mended() -> None:
    """The name of the class is minified, so it is looked up in the exports of the installed plotly."""
    source = patched_figure_module()
    view = re.search(r"([\w$]+) as FigureView\b", source)
    assert view is not None
    assert source.rstrip().endswith("}")
    assert f"{view[1]}.prototype.remove = function" in source[-1_000:]


def test_the_table_brings_its_library() -> None:
    """As a text that becomes a module of its own, so that its names do not clash with ours."""
    source = str(AttemptsTable.module)
    assert source.startswith('const SOURCE = "')
    assert "set_or_remove_dark_class" in source.splitlines()[0]
    assert "dataTable" in str(AttemptsTable._css)
