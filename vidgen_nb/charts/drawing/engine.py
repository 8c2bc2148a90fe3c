"""Plotly, without the five seconds that its import takes if a complete jsonschema is installed.

`plotly.io.renderers` imports nbformat, which imports jsonschema, which imports rfc3987_syntax, and that builds a
grammar on import, for checks of "iri" formats that notebooks don't need. jsonschema works without it, so during this
import it looks as if it were not installed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, cast

import plotly.graph_objects as go
import plotly.io

from vidgen_nb.machine.browser import in_browser

__all__ = ["go"]

_SLOW_MODULE = "rfc3987_syntax"

if _SLOW_MODULE not in sys.modules and "jsonschema" not in sys.modules:
    cast(dict[str, Any], sys.modules)[_SLOW_MODULE] = None
    try:
        plotly.io.renderers  # noqa: B018 - a lazy import
    finally:
        del sys.modules[_SLOW_MODULE]

if in_browser():
    # plotly shows figures only where it finds nbformat, of which it uses nothing but the version; it can't be installed
    # there, because it needs compiled packages
    _renderers: Any = sys.modules[type(plotly.io.renderers).__module__]
    if _renderers.nbformat is None:
        _renderers.nbformat = ModuleType("nbformat")
        _renderers.nbformat.__version__ = "5.10"
