"""Sessions with a backend in this process, ended with their test, and a way to wait for what happens in them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes import FakeBackend, profiles
from vidgen_nb.core import events as ev
from vidgen_nb.session.session import Session

PROMPTS = ["a lighthouse", "a harbour", "a night train"]


class Ends:
    """Closes the sessions of a test, whatever happened to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sessions: list[Session] = []

    def __call__(
        self, backend: FakeBackend | None = None, count: int = 2, *, price: Any = None, **options: Any
    ) -> Session:
        """Make a session of `count` profiles, all at one price."""
        names = [f"p{k}" for k in range(1, count + 1)]
        made = profiles(*names, price=price)
        session = Session(backend or FakeBackend(), made, output=self.folder, speed=20, **options)
        self.sessions.append(session)
        return session


def seen(session: Session, kind: type[ev.Event]) -> threading.Event:
    """Return what is set once an event of a kind was seen."""
    flag = threading.Event()

    def watch(events: Sequence[ev.Event]) -> None:
        if any(isinstance(event, kind) for event in events):
            flag.set()

    session.observe(watch)
    return flag
