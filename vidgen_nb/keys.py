"""API keys as people paste them: what is taken off, and what is wrong with one, said without showing it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["key_problem", "trim_key"]

_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"
"""What a copied text may begin or end with, and `strip()` leaves on."""
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“”", "”": "”", "‘": "’", "‚": "‘’", "’": "’", "«": "»"}
"""Opening quotation marks, and what closes them."""
_ASSIGNED: Final = re.compile(r"(export |set )?[A-Za-z_]*_(KEY|TOKEN|SECRET)\s*[=:]")
_HEADER: Final = re.compile(r"(authorization|x-[a-z-]*key|key)\s*:", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(
    r".*(\.\.\.|…).*|<.*>|\[.*\]|\$?\{\{.*\}\}|\$\{?\w+\}?|\$env:\w+|\$\(.*\)|%\w+%|change[-_ ]?me"
    r"|(os\.environ|os\.getenv|process\.env)\b.*"
    r"|(sk[-_])?(your|insert|paste|replace|enter|put)[-_ ]([a-z0-9]+[-_ ])*(key|token|secret)([-_ ](goes[-_ ])?here)?",
    re.IGNORECASE,
)


def trim_key(text: str) -> str:
    """Return a key without what surrounds it: spaces, line ends, and a pair of quotes.

    `docker run --env-file` and the `set` of Windows keep the quotes of `KEY="sk-..."` as part of the value.
    """
    text = text.strip().strip(_INVISIBLE).strip()
    if len(text) >= 2 and text[-1] in _QUOTES.get(text[0], ""):
        text = text[1:-1].strip()
    return text


def key_problem(key: object) -> str | None:
    """Return what is wrong with a key, or None; the text quotes nothing of it."""
    if not isinstance(key, str):
        return f"an API key is plain ASCII text, not {type(key).__name__}"
    if _PLACEHOLDER.fullmatch(key):
        return "that is a placeholder and no API key: put the key itself in its place"
    if _ASSIGNED.match(key):
        return "that is the whole line with the variable's name: give only what follows its name"
    if _HEADER.match(key):
        return "that is a whole header: give only the key in it"
    for place, char in enumerate(key, start=1):
        if not char.isascii():
            what = f"character {place} is {_name(char)}"
            return f"an API key is plain ASCII text, and {what}; copy it again from where it was made"
    if not key.isprintable() or " " in key:
        hint = "leave out 'Bearer' in front of it" if key.lower().startswith("bearer ") else "was all of it copied?"
        return f"an API key is plain ASCII text without spaces or line ends; {hint}"
    if key[0] in _QUOTES or key[-1] in "\"'`":
        return "there is a quotation mark at one of its ends: leave it out, and check that all of the key was copied"
    if "***" in key:
        return "that is a key as lists show it, with its middle hidden: copy the whole key, or make a new one"
    return None


def _name(char: str) -> str:
    """Return what a character is called: one that looks like another can't be seen."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}"
