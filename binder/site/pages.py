"""The notebooks as plain pages, with what came out when they were carried out: for those who only want to read."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import plotly
from nbclient import NotebookClient
from nbconvert import HTMLExporter

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY_SCRIPT = "plotly-cartesian.min.js"
"""A third of plotly.js; it draws these."""
CARTESIAN = frozenset({"bar", "box", "contour", "heatmap", "histogram", "image", "pie", "scatter", "violin"})
LARGE_STYLE = 10_000
"""Characters of a style that becomes a file."""
DRAW = """<script src="{script}"></script>
<script>
for (const figure of document.querySelectorAll("script.figure")) {{
    const {{data, layout}} = JSON.parse(figure.textContent);
    Plotly.newPlot(figure.parentElement, data, layout, {{responsive: true}});
}}
</script>
</body>"""


def write_pages(notebooks: Path, folder: Path) -> None:
    """Carry out each notebook and write it as a page; figures are drawn by one script that all pages share."""
    folder.mkdir(parents=True)
    for path in sorted(notebooks.rglob("*.ipynb")):
        if any(part.startswith(".") for part in path.relative_to(notebooks).parts):
            continue
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as run_in:
            os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
            NotebookClient(notebook, timeout=300, resources={"metadata": {"path": run_in}}).execute()
        target = folder / path.relative_to(notebooks).with_suffix(".html")
        target.parent.mkdir(exist_ok=True)
        up = "../" * (len(target.relative_to(folder).parts) - 1)
        page = _with_shared_styles(_as_page(notebook, path.stem, up), folder, up)
        target.write_text(page, encoding="utf-8")


def plotly_version() -> str:
    """Return the version of plotly.js for which the installed Plotly makes figures."""
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    with script.open(encoding="utf-8") as lines:
        (version,) = re.findall(r"plotly\.js v(\S+)", lines.read(200))
    return str(version)


def _with_shared_styles(page: str, folder: Path, up: str) -> str:
    """Return a page with its large styles in files that all pages share."""

    def shared(found: re.Match[str]) -> str:
        style = found[1]
        if len(style) < LARGE_STYLE:
            return found[0]
        name = f"style-{hashlib.sha256(style.encode()).hexdigest()[:8]}.css"
        (folder / name).write_text(style, encoding="utf-8")
        return f'<link rel="stylesheet" href="{up}{name}">'

    return re.sub(r"<style[^>]*>(.*?)</style>", shared, page, flags=re.DOTALL)


def _as_page(notebook: Any, title: str, up: str) -> str:
    """Return a notebook as a page that asks for nothing but that script; `up` leads to the folder of all pages."""
    has_figures = False
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if WIDGET in data and len(data) > 1:
            del data[WIDGET]
        if PLOTLY in data:
            if others := {trace.get("type", "scatter") for trace in data[PLOTLY]["data"]} - CARTESIAN:
                raise SystemExit(f"{title}: {PLOTLY_SCRIPT} draws no {', '.join(sorted(others))}")
            figure = json.dumps(data[PLOTLY]).replace("<", "\\u003c")
            data["text/html"] = f'<div><script type="application/json" class="figure">{figure}</script></div>'
            has_figures = True
    notebook.metadata.pop("widgets", None)
    exporter = HTMLExporter(embed_images=True, exclude_input_prompt=True, exclude_output_prompt=True)
    for name in exporter.trait_names():
        if name.endswith("_url"):  # of scripts on other servers
            setattr(exporter, name, "")
    exporter.mathjax_url = ""
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": html.escape(title)}})
    page = re.sub(r'href="(?![a-z]+:)([^"#]+)\.ipynb"', r'href="\1.html"', page)
    page = re.sub(r'href="(?:\.\./)?(guide/[^"]+\.md[^"]*)"', rf'href="{up}../files/\1"', page)
    return page.replace("</body>", DRAW.format(script=up + PLOTLY_SCRIPT)) if has_figures else page
