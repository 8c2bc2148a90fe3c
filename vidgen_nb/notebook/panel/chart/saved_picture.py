"""The picture of a run that stays in a saved notebook, where no kernel draws the panel."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from vidgen_nb.run import Run

__all__ = ["HIDE_BESIDE_PANEL", "picture_html"]

MAX_DRAWN_ATTEMPTS = 1_000
"""A notebook keeps no picture of a run with more attempts: it would make the file heavy."""

HIDE_BESIDE_PANEL = """<style>
.jp-OutputArea:has(.vg-panel .js-plotly-plot, .vg-explorer svg) > .jp-OutputArea-child:has(.vg-still) { display: none; }
.jp-OutputArea:has(.vg-still) > .jp-OutputArea-child > .jp-OutputArea-output:not(:has(*)) { display: none; }
</style><span class="vg-still"></span>"""
"""Hides the picture beside a live panel or explorer, and beside it the bare text of one that is loading or gone."""


def picture_html(run: Run | None, theme: str) -> str:
    """Return the picture as `<img>`: an untrusted notebook strips an inline SVG down to its text."""
    if run is None or not run.events or len(run.attempts) > MAX_DRAWN_ATTEMPTS:
        text = "Nothing had run yet" if run is None else repr(run)
        return f"<p>{escape(text)} when this was saved; run the cell for the live panel.</p>"
    picture = b64encode(run.svg(theme=theme).encode()).decode()
    return f'<img alt="{escape(repr(run))}" src="data:image/svg+xml;base64,{picture}">'
