"""What a text for Python callers says in the panel, to people who press buttons and call no method.

Such texts stand in errors and log lines, and in what runs have recorded: the reason why a scene is held, say.
"""

from __future__ import annotations

import re

from vidgen_nb.errors import FileFormatError, VidgenError

__all__ = ["in_panel_words"]

_WORDS: tuple[tuple[str, str], ...] = (
    (r"ask_again and submit_again are for it|ask_again or submit_again decides", "decide in Scenes"),
    (r"run the scene again: submit_again\(scene\); if it is: ask_again\(scene, job=its id\)",
     "press “Submit again” in Scenes; if it is, give its id there and press “It was made”"),
    (r"run the scene again: submit_again\(scene\); if it is: ask_again\(scene\)",
     "press “Submit again” in Scenes; if it is, “It was made”"),
    (r"ask_again\([^()]*\)", "“It was made” in Scenes"),
    (r"submit_again\([^()]*\)", "“Submit again” in Scenes"),
    (r"retry_failed\(moderated=True\)", "select them in Scenes and run them again"),
    (r"retry_failed\([^()]*\)", "“Retry failed”"),
    (r"release_cooldown\(profile\) and run\(\)", "press ✕ beside the account, and Run"),
    (r"\bno profile is usable within\b", "no account can be used within"),
    (r"\bscenes still queued:", "scenes still waiting:"),
    (r"unpause\(\)", "Resume"),
    (r"\brestore\([^()]*\)", "Restore last run"),
    (r"\brun\.save\([^()]*\)", "Export (under ⋯)"),
    (r"\brun\([^()]*\)", "Run"),
    (r"\bmax_billed=(\S+) submits were accepted", r"the spending cap of \1 submits is reached"),
    (r"\bmax_billed=(\S+)", r"the spending cap of \1 submits"),
    (r"\bmax_billed is\b", "the spending cap in submits is"),
    (r"\bmax_cost=(\S+)", r"the spending cap of \1"),
    (r"\bmax_cost is\b", "the spending cap in money is"),
    (r"(?:job_timeout|max_wait)=(\S+) s\b", r"\1 s"),
    (r"before job_timeout was over", "before its time was over"),
    (r"which max_cost needs: give it seconds, or the price a length: vg\.Price\([^()]*\)",
     "which a spending cap needs: give it its seconds (Edit, in Scenes)"),
    (r"a prompt or a mapping with a prompt, not \w+", "a prompt, or an object with a prompt"),
    (r", or pass the table itself: load_scenes\(.*\)|; give prompts as a list: \[.*\]", ""),
    (r"(?<!\w)'([^'\n]*)'(?!\w)", r"“\1”"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def in_panel_words(said: str | BaseException) -> str:
    """Return a text, or an error's, with the names of buttons and fields instead of those of methods and parameters.

    What somebody has pasted or loaded is named by its line.
    """
    text = said if isinstance(said, str) else said.in_words() if isinstance(said, FileFormatError) else str(said)
    for pattern, words in _PATTERNS:
        text = pattern.sub(words, text)
    return text[:1].upper() + text[1:] if isinstance(said, VidgenError) else text
