"""Plotly, without the five seconds that its import takes beside a complete jsonschema.

`plotly.io.renderers` imports nbformat, that jsonschema, and that rfc3987_syntax, which builds a grammar as it is
imported, for a check of "iri" formats that notebooks have no use for. jsonschema does without it where it is not
installed, and so it seems to be for as long as this import takes.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import plotly.graph_objects as go
import plotly.io

__all__ = ["go"]

_SLOW = "rfc3987_syntax"

if _SLOW not in sys.modules and "jsonschema" not in sys.modules:
    cast(dict[str, Any], sys.modules)[_SLOW] = None
    try:
        plotly.io.renderers  # noqa: B018 - a lazy import
    finally:
        del sys.modules[_SLOW]
