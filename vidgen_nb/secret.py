"""API keys: texts that are never shown, given once or returned by a function."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from vidgen_nb.errors import InputError
from vidgen_nb.keys import key_problem, trim_key
from vidgen_nb.machine.local_trouble import LocalTrouble, local_trouble

__all__ = ["RenewableKey", "Secret"]

MAX_KNOWN_KEYS = 4
"""The latest texts of a key that is renewed: a server may echo one that is no longer sent."""


class Secret:
    """A text that is never shown; `reveal()` is the only way to read it."""

    __slots__ = ("_reveal",)

    def __init__(self, text: str) -> None:
        # in a closure, neither vars() nor a dump of the slots shows the text
        self._reveal: Callable[[], str] = lambda: text

    is_renewable = False
    """Whether there may be another text once this one is refused."""

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self._reveal()

    def known(self) -> tuple[str, ...]:
        """Return all texts that have been sent, for the one place that redacts them."""
        return (self._reveal(),)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret can't be pickled: read the key again where it is needed")


class RenewableKey(Secret):
    """A key that a function returns: called before the first request, and again when a server refuses the key.

    What it returns is a secret; what it raises is not shown, because that may quote the key.
    """

    __slots__ = ("_lock", "_renew", "_texts")
    is_renewable = True

    def __init__(self, source: Callable[[], object]) -> None:
        texts: list[str] = []

        def renew() -> None:
            text = source()
            text = trim_key(text) if isinstance(text, str) else text
            if not isinstance(text, str) or not text or key_problem(text):
                raise ValueError
            if text in texts:
                texts.remove(text)
            texts.append(text)
            del texts[:-MAX_KNOWN_KEYS]

        super().__init__("")
        self._renew: Callable[[], None] = renew
        self._texts: Callable[[], tuple[str, ...]] = lambda: tuple(texts)
        self._lock = threading.Lock()

    def reveal(self) -> str:
        """Return the latest text; `InputError` where the function fails."""
        if not self._texts():
            self.renew(None)
        return self._texts()[-1]

    def known(self) -> tuple[str, ...]:
        """Return the latest texts; asks for none."""
        return self._texts()

    def renew(self, refused: str | None) -> bool:
        """Ask for another text unless there is one by now, and say whether it differs from the one that was refused.

        It may take long: it is called in a thread of its own. Raises `InputError` if the function fails, `LocalTrouble`
        if this machine is the reason.
        """
        trouble = ""
        with self._lock:
            if not self._texts() or self._texts()[-1] == refused:
                try:
                    self._renew()
                except Exception as error:  # noqa: BLE001 - a user's function, and its words may quote the key
                    problem = "returned no key that can be sent" if type(error) is ValueError else "raised"
                    kind = "" if type(error) is ValueError else f" {type(error).__name__}"
                    trouble = local_trouble(error)
                    reason = f"api_key, a function of the profile, {problem}{kind}"
                else:
                    return self._texts()[-1] != refused
            else:
                return True
        raise LocalTrouble(trouble) if trouble else InputError(reason)
