"""What stays in a notebook's outputs: the same facts as text, as HTML and as data, brought up to date in place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

__all__ = ["HIDE_BESIDE_FORM", "PREDICTION", "TRIES", "KeptOutput", "kept", "notebook_shell"]

PREDICTION: Final = "application/vnd.vidgen-nb.prediction+json"
"""The MIME type of a prediction as data (`Prediction.as_data`)."""
TRIES: Final = "application/vnd.vidgen-nb.tries+json"
"""The MIME type of the tries at an exercise as data (`Practice.as_data`)."""

HIDE_BESIDE_FORM: Final = """<style>
.jp-OutputArea:has(.vg-guess-form) > .jp-OutputArea-child:has(.vg-kept-guess) { display: none; }
.jp-OutputArea:has(.vg-kept-guess) > .jp-OutputArea-child > .jp-OutputArea-output:not(:has(*)) { display: none; }
</style>"""
"""Hides what is kept beside a live form, and beside what is kept the bare text of a form that is gone."""

T = TypeVar("T")
_kept: WeakKeyDictionary[Any, dict[tuple[str, str], Any]] = WeakKeyDictionary()
"""What a notebook's cells began, by its shell: a cell that is run again goes on with it."""


def notebook_shell() -> Any | None:
    """Return IPython's shell where outputs are kept, which is a notebook; None in a script or a terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return None if shell is None or type(shell).__name__ == "TerminalInteractiveShell" else shell


def kept(kind: str, name: str, is_same: Callable[[T], bool], make: Callable[[], T]) -> T:
    """Return what this notebook has begun under that name, if it is still the same thing; else a new one.

    So a guess and the tries survive that their cell is run again. A script gets a new one each time.
    """
    shell = notebook_shell()
    if shell is None:
        return make()
    begun = _kept.setdefault(shell, {})
    found = begun.get((kind, name))
    if found is None or not is_same(found):
        found = begun[kind, name] = make()
    return found


class KeptOutput:
    """An output that follows what it shows, wherever in the notebook it stands."""

    def __init__(self, bundle: Callable[[], dict[str, Any]]) -> None:
        self._bundle = bundle
        self._display_id: str | None = None
        """None: it has not been shown."""

    def show(self) -> None:
        """Show it in the output of the cell that runs."""
        from IPython.display import display

        if self._display_id is None:
            self._display_id = f"vidgen_nb-{uuid4().hex}"
        showing: Any = display  # it is untyped
        showing(self._bundle(), raw=True, display_id=self._display_id)

    def update(self) -> None:
        """Bring it up to date where it was shown."""
        if self._display_id is not None:
            from IPython.display import update_display

            updating: Any = update_display  # it is untyped
            updating(self._bundle(), raw=True, display_id=self._display_id)
