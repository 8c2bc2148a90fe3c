"""The lock file by which a site's Pyodide loads packages: it knows the wheels of one folder, and asks for no other."""

from __future__ import annotations

import hashlib
import json
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NOT_NEEDED = frozenset({"jupyterlab-widgets"})
"""The site has it as an extension of JupyterLab; nothing imports it."""


def write_lock(folder: Path) -> None:
    """Write `pyodide-lock.json` for the wheels of a folder that has Pyodide's own; `SystemExit` if one is missing.

    Its format: pyodide.org, "pyodide-lock.json".
    """
    path = folder / "pyodide-lock.json"
    lock = json.loads(path.read_text())
    environment = _environment(lock["info"]["python"])
    wheels = {entry["name"]: (entry, metadata) for entry, metadata in map(_read_wheel, sorted(folder.glob("*.whl")))}
    problems = []
    for entry, metadata in wheels.values():
        for text in metadata.get_all("Requires-Dist") or []:
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate(environment):
                continue
            name = canonicalize_name(requirement.name)
            if name in NOT_NEEDED:
                continue
            if name not in wheels:
                problems.append(f"{entry['name']} needs {requirement}, which is not in wheels.txt")
            elif not requirement.specifier.contains(wheels[name][0]["version"], prereleases=True):
                problems.append(f"{entry['name']} needs {requirement}, but this is {wheels[name][0]['version']}")
            entry["depends"].append(name)
    if problems:
        raise SystemExit("\n".join(problems))
    lock["packages"] = {name: entry for name, (entry, _) in wheels.items()}
    path.write_text(json.dumps(lock, indent=1))


def _environment(python: str) -> dict[str, str]:
    """Return what markers such as `sys_platform != "emscripten"` are evaluated by."""
    return {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_python_implementation": "CPython",
        "platform_system": "Emscripten",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "emscripten",
    }


def _read_wheel(wheel: Path) -> tuple[dict[str, Any], Message]:
    """Return a wheel's entry in the lock file, and its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (place,) = (name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(place).decode())
    modules = (name for name in names if name.endswith(".py") and ".data/" not in name and ".dist-info/" not in name)
    entry = {
        "name": canonicalize_name(metadata["Name"]),
        "version": metadata["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({name.split("/")[0].removesuffix(".py") for name in modules}),
        "depends": [],
        "unvendored_tests": False,
    }
    return entry, metadata
