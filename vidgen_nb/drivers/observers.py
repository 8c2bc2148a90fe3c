"""Events on their way out of a driver: to the journal first, then to the observers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from vidgen_nb.core import events as ev
from vidgen_nb.ports import EventStore

__all__ = ["Observer", "Observers"]

log = logging.getLogger("vidgen_nb")

MAX_REQUESTS_IN_A_ROW = 100
"""An observer that asks for something each time it hears of what it asked for before would go on for ever."""

Observer = Callable[[Sequence[ev.Event]], None]
"""Is handed new events; runs on the driver's loop and must be quick."""


class Observers:
    """Hands out every event once, in order; an observer that raises is logged and removed."""

    def __init__(
        self, events: Sequence[ev.Event], observers: Iterable[Observer] = (), journal: EventStore | None = None
    ) -> None:
        self._events = events
        """The run so far; it grows."""
        self._observers = list(observers)
        self.journal = journal
        self.seen = len(events)
        """Events that have been handed out, counted from the run's first."""
        self._is_notifying = False

    def add(self, observer: Observer) -> None:
        """Hand new events to one more observer."""
        self._observers.append(observer)

    def notify(self) -> None:
        """Hand out what is new; what an observer posts meanwhile comes after it, for all of them."""
        if self._is_notifying:
            return
        self._is_notifying = True
        events, rounds = self._events, 0
        try:
            while self.seen < len(events):
                new, self.seen = events[self.seen :], len(events)
                rounds += 1
                if self.journal is not None:
                    self.journal.append(new)
                for observer in list(self._observers):
                    before = len(events)
                    self._hand_to(observer, new)
                    if rounds > MAX_REQUESTS_IN_A_ROW and len(events) > before and observer in self._observers:
                        log.error("observer %r asks for more whenever it hears of what it asked for: removed", observer)
                        self._observers.remove(observer)
        finally:
            self._is_notifying = False

    def _hand_to(self, observer: Observer, new: Sequence[ev.Event]) -> None:
        try:
            observer(new)
        except BaseException:  # whatever it is, such as sys.exit(), it must not end the run
            log.exception("observer %r failed and is removed; the run continues", observer)
            self._observers.remove(observer)
