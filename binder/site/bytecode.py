"""Put bytecode beside the modules that notebooks import: to compile them takes half of the time to a first panel.

The site's own Python carries this out (`run_python.mjs`), because bytecode is for one version of Python only. It is
told not to compare it with the source, as files that are unpacked in a page are new each time.

Sources stay, for tracebacks and for libraries that read their own; those of the standard library make room.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc  # what `py_compile` writes with
from pathlib import Path, PurePosixPath

FOLDER = Path("/pyodide")
STDLIB = FOLDER / "python_stdlib.zip"
OURS = "vidgen_nb"
KERNEL = ("piplite.piplite", "pyodide_kernel", "IPython")


def main() -> None:
    """Do so for all wheels of the site, and for its standard library."""
    used = _used()
    for wheel in sorted(FOLDER.glob("*.whl")):
        _compile(wheel, used)
    _compile(STDLIB, used)


def _used() -> set[str]:
    """Import what notebooks do, and return the files of all modules that came with it, as the archives name them."""
    for name in KERNEL:
        importlib.import_module(name)
    package = importlib.import_module(OURS)
    for module in pkgutil.walk_packages(package.__path__, f"{OURS}."):
        try:
            importlib.import_module(module.name)
        except ImportError:  # it needs a package that the site has not
            continue
    files = (getattr(module, "__file__", None) or "" for module in list(sys.modules.values()))
    return {file.split("site-packages/")[-1].split(".zip/")[-1] for file in files if file.endswith(".py")}


def _compile(path: Path, used: set[str]) -> None:
    """Write an archive anew, with the bytecode of those of its modules that are used."""
    compiled = path.with_suffix(".compiled")
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(compiled, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for info in source.infolist():
            content = source.read(info)
            is_used = info.filename in used
            if not (is_used and path == STDLIB):
                target.writestr(info, content)
            if is_used:
                code = compile(content, info.filename, "exec", dont_inherit=True)
                target.writestr(_place(info.filename, path), _code_to_hash_pyc(code, bytes(8), False))
    compiled.replace(path)


def _place(name: str, archive: Path) -> str:
    """Return where Python looks for a module's bytecode: from within an archive, in the source's place."""
    if archive == STDLIB:
        return f"{name}c"
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")


if __name__ == "__main__":
    main()
