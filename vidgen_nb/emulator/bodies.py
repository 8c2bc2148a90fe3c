"""Request bodies that are JSON, as strict servers read them."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["parse_json"]


def parse_json(data: bytes) -> Any:
    """Return what a body holds, or None if it is no JSON: neither NaN nor half a character is."""
    try:
        found = json.loads(data, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate could be answered by no server
    except (ValueError, RecursionError):
        return None
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
