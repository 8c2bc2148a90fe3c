"""The picture of a run that stays in a saved notebook, where no panel lives any more."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from vidgen_nb.run import Run

__all__ = ["SIDE", "still"]

MOST_DRAWN = 1_000
"""Attempts up to which a notebook keeps a picture of the run: more would make its file heavy."""

SIDE = """<style>
.jp-OutputArea:has(.vg-panel .js-plotly-plot) > .jp-OutputArea-child:has(.vg-still) { display: none; }
.jp-OutputArea:has(.vg-still) > .jp-OutputArea-child > .jp-OutputArea-output:not(:has(*)) { display: none; }
</style><span class="vg-still"></span>"""
"""Beside a live panel no picture, and beside the picture no bare words that the panel loads or is gone."""


def still(run: Run | None, theme: str) -> str:
    """Return it as HTML: an image, for of an SVG, a notebook that is not trusted leaves nothing but the words."""
    if run is None or not run.events or len(run.attempts) > MOST_DRAWN:
        what = "Nothing had run yet" if run is None else repr(run)
        return f"<p>{escape(what)} when this was saved; run the cell for the live panel.</p>"
    picture = b64encode(run.svg(theme="dark" if theme == "dark" else "light").encode()).decode()
    return f'<img alt="{escape(repr(run))}" src="data:image/svg+xml;base64,{picture}">'
