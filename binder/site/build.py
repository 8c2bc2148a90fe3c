"""Build the JupyterLite site: the notebooks in a browser, with nothing installed and no server behind them.

`make site` runs it. Everything comes from the package registries: JupyterLite and the wheels from PyPI, at the versions
of `../requirements.txt`, and Pyodide from npm. The result is static files; no page of it asks another origin.
"""

from __future__ import annotations

import ast
import csv
import html
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION
from pages import PLOTLY_SCRIPT, plotly_version, write_pages
from pyodide_lock import write_lock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = "3.14"
"""That of Pyodide."""
UNUSED = {
    "anywidget": (".data/", "anywidget/labextension/"),  # the site has it
    "ipywidgets": ("/tests/",),
    "itables": ("itables_for_dash/", "itables_for_streamlit/", "itables/samples/", "itables/widget/"),
    "jedi": ("jedi/third_party/django-stubs/", "jedi/third_party/typeshed/stubs/"),  # of packages that aren't here
    "plotly": ("/labextensions/", "plotly/labextension/"),
}
"""Folders and files of wheels, by a part of their path."""
GENERATED = "plotly/graph_objs/"
"""A thousand classes that nobody reads, half of whose weight are docstrings."""
NBFORMAT = b'__version__ = "5.10"\n'
"""All that Plotly asks of nbformat before it shows a figure; nbformat itself needs compiled packages."""
PYODIDE_FILES = ("pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "pyodide-lock.json", "python_stdlib.zip")


def main(site: Path) -> None:
    """Build the site into a folder, in place of what was there."""
    with tempfile.TemporaryDirectory() as folder:
        lite = Path(folder)
        pyodide = lite / "static" / "pyodide"
        pyodide.mkdir(parents=True)
        _from_npm(f"pyodide@{PYODIDE_VERSION}", PYODIDE_FILES, pyodide)
        _get_wheels(pyodide)
        write_lock(pyodide)
        _compile(pyodide)
        write_lock(pyodide)  # what the wheels are now
        shutil.copy(HERE / "jupyter-lite.json", lite)
        _copy_notebooks(lite / "files")
        _build(lite, site)
    write_pages(ROOT / "notebooks", site / "pages")
    _from_npm(f"plotly.js-cartesian-dist-min@{plotly_version()}", [PLOTLY_SCRIPT], site / "pages")
    _write_index(site)
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"{site}: {size / 1e6:.1f} MB")


def _from_npm(package: str, names: Sequence[str], folder: Path) -> None:
    """Take files from a package of npm; of Pyodide's, the wheels that it can load are not in there."""
    with tempfile.TemporaryDirectory() as temporary:
        _run("npm", "pack", "--silent", package, "--pack-destination", temporary)
        (packed,) = Path(temporary).glob("*.tgz")
        with tarfile.open(packed) as archive:
            for name in names:
                (folder / name).write_bytes(archive.extractfile(f"package/{name}").read())  # type: ignore[union-attr]


def _get_wheels(folder: Path) -> None:
    """Get the wheels of wheels.txt, those of the kernel, and our own."""
    pure = ("--only-binary", ":all:", "--implementation", "py", "--abi", "none", "--platform", "any")
    pins = ("-c", str(ROOT / "binder" / "requirements.txt"), "-r", str(HERE / "wheels.txt"))
    _pip("download", "--no-deps", *pure, "--python-version", PYTHON, *pins, "-d", str(folder))
    _pip("wheel", "--no-deps", str(ROOT), "-w", str(folder))
    for wheel in Path(sys.prefix).glob("share/jupyter/labextensions/@jupyterlite/*/static/pypi/*.whl"):
        if not wheel.name.startswith("widgetsnbextension-3"):  # that of the classic notebook
            shutil.copy(wheel, folder)
    _from_npm(f"plotly.js-cartesian-dist-min@{plotly_version()}", [PLOTLY_SCRIPT], folder)
    script = folder / PLOTLY_SCRIPT  # for files that are written there
    plotly = {"plotly/package_data/plotly.min.js": script.read_bytes(), "nbformat.py": NBFORMAT}
    script.unlink()
    for name, unused in UNUSED.items():
        (wheel,) = folder.glob(f"{name}-*.whl")
        _rewrite(wheel, unused, plotly if name == "plotly" else {})


def _compile(folder: Path) -> None:
    """Add bytecode to the wheels and the standard library, without columns, which would be a fifth of it."""
    command = ("node", str(HERE / "run_python.mjs"), str(folder), *_loaded_by_kernel())
    _run(*command, program=(HERE / "bytecode.py").read_text(encoding="utf-8"), PYTHONNODEBUGRANGES="1")


def _loaded_by_kernel() -> list[str]:
    """Return the packages that a kernel begins with."""
    settings = json.loads((HERE / "jupyter-lite.json").read_text(encoding="utf-8"))
    plugins = settings["jupyter-config-data"]["litePluginSettings"]
    return plugins["@jupyterlite/pyodide-kernel-extension:kernel"]["loadPyodideOptions"]["packages"]


def _rewrite(wheel: Path, unused: Sequence[str], instead: Mapping[str, bytes]) -> None:
    """Write a wheel anew, without some of its folders, and with some files that replace its own or are new."""

    def is_kept(name: str) -> bool:
        return not any(part in name for part in unused)

    smaller = wheel.with_suffix(".smaller")
    with (
        zipfile.ZipFile(wheel) as source,
        zipfile.ZipFile(smaller, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for info in source.infolist():
            content = instead.get(info.filename) or source.read(info)
            if info.filename.endswith(".dist-info/RECORD"):
                rows = [row for row in csv.reader(io.StringIO(content.decode())) if is_kept(row[0])]
                lines = io.StringIO()
                csv.writer(lines, lineterminator="\n").writerows(rows)
                content = lines.getvalue().encode()
            elif info.filename.startswith(GENERATED) and info.filename.endswith(".py"):
                content = _without_docstrings(content)
            if is_kept(info.filename):
                target.writestr(info, content)
        for name in instead.keys() - set(source.namelist()):
            target.writestr(name, instead[name])
    smaller.replace(wheel)


def _without_docstrings(source: bytes) -> bytes:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree).encode()


def _copy_notebooks(folder: Path) -> None:
    """Copy the notebooks, and the guide that they link to."""
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".*", "demo", "runs", "videos"))


def _build(lite: Path, site: Path) -> None:
    """Let JupyterLite put the site together."""
    shutil.rmtree(site, ignore_errors=True)
    _run(
        *(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(lite), "--output-dir", str(site)),
        *("--apps", "lab", "--contents", str(lite / "files"), "--no-sourcemaps", "--no-unused-shared-packages"),
        folder=lite,  # where it keeps its notes, too
    )
    for kind in ("eot", "svg", "ttf", "woff"):  # of the icons' fonts, which browsers read as woff2
        for font in (site / "build").glob(f"fa-*.{kind}"):
            font.unlink()


def _write_index(site: Path) -> None:
    """Let the site open on a list of its notebooks."""
    rows = []
    for path in sorted(site.glob("files/*.ipynb"), key=lambda path: (path.stem != "index", path.name)):
        name = path.name
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = html.escape(first.splitlines()[0].lstrip("# "))
        page = quote(f"pages/{name.removesuffix('.ipynb')}.html")
        read = f' <small>· <a href="{page}">only read it</a></small>' if (site / page).exists() else ""
        rows.append(f'<li><a href="lab/index.html?path={quote(name)}">{title}</a>{read}</li>')
    text = (HERE / "index.html").read_text(encoding="utf-8").replace("<!-- notebooks -->", "\n".join(rows))
    (site / "index.html").write_text(text, encoding="utf-8")


def _pip(*arguments: str) -> None:
    _run(sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")


def _run(*command: str, folder: Path | None = None, program: str = "", **environment: str) -> None:
    """Run a command; `SystemExit` with what it said if it fails."""
    done = subprocess.run(
        command,
        text=True,
        capture_output=True,
        check=False,
        cwd=folder,
        input=program,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
