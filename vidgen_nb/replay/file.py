"""A replay as one HTML file that needs nothing else: it opens from a mail, without a kernel, a server or a network."""

from __future__ import annotations

import gzip
import json
import os
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.replay.page import file_script, file_style

__all__ = ["packed", "replay_page", "write_page"]


def packed(columns: Mapping[str, Any]) -> bytes:
    """Return columns as compressed JSON; the same columns give the same bytes."""
    return gzip.compress(json.dumps(columns, separators=(",", ":"), allow_nan=False).encode(), 9, mtime=0)


def replay_page(columns: Mapping[str, Any]) -> str:
    """Return the page. Its policy (CSP) forbids every request, and every script but its own."""
    script, style = f"\n{file_script()}", file_style()
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; base-uri 'none'"
    title = escape(str(columns["title"]))
    said = escape(" ".join(columns["summary"]))
    date = escape(str(columns["date"]))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{title}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f'<header><h1>{title}</h1><p>{date}</p><button type="button" id="vg-theme" hidden>Dark</button></header>\n'
        f"<noscript><p>{said}</p><p>The replay itself needs JavaScript: save this file and open it in a browser.</p>"
        "</noscript>\n"
        '<div id="vg-replay"></div>\n</main>\n'
        f'<script type="application/octet-stream" id="vg-run">{b64encode(packed(columns)).decode()}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def write_page(path: str | os.PathLike[str], columns: Mapping[str, Any]) -> Path:
    """Write the page and return its path; an existing file is replaced once the new one is complete.

    Raises `InputError` for a path that can't be written.
    """
    try:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            draft.write_text(replay_page(columns), encoding="utf-8")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except (OSError, TypeError, ValueError) as error:  # ValueError: a NUL in the path, or a path without a name
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the replay can't be written to {path!r} ({why}): name a file such as 'replay.html'"
        ) from None
    return target
