"""Commands on their way out, and the submits among them that can still be called back.

A submit waits here for the journal's disk, and then for a worker; after that for a connection, in the backend. Until it
leaves, whatever has happened meanwhile counts: the driver asks the scheduler after each request that may keep it here,
when a worker takes it after such a wait, and when the backend says that it is `about_to_connect` or `about_to_leave`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Self

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit
from vidgen_nb.core.scheduler import Scheduler
from vidgen_nb.drivers.observers import Observers
from vidgen_nb.errors import JournalError
from vidgen_nb.ports import BackendError, Recalled, on_leaving

__all__ = ["RECALLING", "Leaving", "Outbox"]

RECALLING = frozenset(
    (ev.Paused, ev.Stopped, ev.CancelRequested, ev.ProfileRemoved, ev.CooldownImposed, ev.BillingLimitChanged)
)
"""Requests after which submits that have not left may have to stay."""


class Outbox:
    """Commands that no worker has taken yet."""

    def __init__(self, scheduler: Scheduler, observers: Observers, *, is_told: bool) -> None:
        self.is_told = is_told
        """Whether the backend tells when a submit leaves; otherwise all leave when it is called."""
        self.queue: deque[Command] = deque()
        """Those that a worker may take, in order."""
        self.announcements: deque[int] = deque()
        """For each submit in `queue`, how many events observers must have seen before it may leave; who takes a submit
        takes this, too."""
        self.connecting: dict[tuple[str, int], Submit] = {}
        """Submits that a backend has, by scene and attempt, of which it says that they wait for a connection."""
        self._unsaved: deque[tuple[int, Submit]] = deque()
        """Submits, and how many events must be on disk before each may leave."""
        self._scheduler = scheduler
        self._events = scheduler.events
        self._observers = observers

    @property
    def saves_first(self) -> bool:
        """Whether submits wait for a disk."""
        return self._observers.journal is not None

    def take(self, commands: Iterable[Command]) -> None:
        """Take commands over; with a journal, a submit waits here until what announces it is on disk."""
        for command in commands:
            if type(command) is Submit:
                if self.saves_first:
                    self._unsaved.append((len(self._events), command))
                    continue
                self.announcements.append(len(self._events))
            self.queue.append(command)

    def release(self, stored: int) -> None:
        """Let the submits go whose announcement is on disk."""
        while self._unsaved and self._unsaved[0][0] <= stored:
            events, submit = self._unsaved.popleft()
            self.announcements.append(events)
            self.queue.append(submit)

    def note_left(self, submit: Submit) -> None:
        """Note that a submit leaves now; `Recalled` if the journal can't be written: then it must not."""
        journal = self._observers.journal
        if journal is not None:
            try:
                journal.note_left(submit.scene.id, submit.number)
            except JournalError:
                raise Recalled("the journal failed") from None

    def reason_to_stay(self, submit: Submit) -> str:
        """Return why a submit must not leave any more; empty: it may."""
        journal = self._observers.journal
        if journal is not None and journal.error is not None:
            return "the journal failed"
        return self._scheduler.dispatcher.reason_to_stay(submit.scene.id, submit.number)

    def recall(self) -> list[ev.AttemptAbandoned]:
        """Take out the submits that must not leave any more, and return what became of their attempts."""
        reasons = {id(each): (each, self.reason_to_stay(each)) for each in self._waiting()}
        gone = [(each, reason) for each, reason in reasons.values() if reason]
        self._remove({id(each) for each, _ in gone})
        return [ev.AttemptAbandoned(each.scene.id, each.number, sent=False, reason=reason) for each, reason in gone]

    def recall_all(self, reason: str) -> list[ev.AttemptAbandoned]:
        """Take out every submit."""
        gone = self._waiting()
        self._remove({id(each) for each in gone})
        return [ev.AttemptAbandoned(each.scene.id, each.number, sent=False, reason=reason) for each in gone]

    def _waiting(self) -> list[Submit]:
        """Return all submits that have not left."""
        queued = [each for each in self.queue if type(each) is Submit]
        return [*queued, *(each for _, each in self._unsaved), *self.connecting.values()]

    def _remove(self, gone: set[int]) -> None:
        if gone:
            self.connecting = {key: each for key, each in self.connecting.items() if id(each) not in gone}
            counts = iter(self.announcements)
            queued = [(each, next(counts) if type(each) is Submit else 0) for each in self.queue]
            kept = [(each, events) for each, events in queued if id(each) not in gone]
            unsaved = [each for each in self._unsaved if id(each[1]) not in gone]
            self.queue.clear()  # the same deques: workers hold them
            self.queue.extend(each for each, _ in kept)
            self.announcements.clear()
            self.announcements.extend(events for each, events in kept if type(each) is Submit)
            self._unsaved.clear()
            self._unsaved.extend(unsaved)


class Leaving:
    """The call of a submit: `about_to_connect` and `about_to_leave` raise `Recalled` if it must not leave any more.

    So does its beginning. If the call is broken off while it waits for a connection, it stays in `Outbox.connecting`.
    What leaves is noted in the journal first.
    """

    __slots__ = ("_outbox", "_submit", "has_left")

    def __init__(self, outbox: Outbox, submit: Submit) -> None:
        self._outbox, self._submit = outbox, submit
        self.has_left = False
        """Whether anything of it may have been sent."""

    @property
    def _key(self) -> tuple[str, int]:
        return self._submit.scene.id, self._submit.number

    def __call__(self, leaves: bool) -> None:
        """Check it, and note how far it is."""
        connecting = self._outbox.connecting
        if reason := self._outbox.reason_to_stay(self._submit):
            connecting.pop(self._key, None)
            raise Recalled(reason)
        if leaves:
            self._leave()
            connecting.pop(self._key, None)
        else:
            connecting[self._key] = self._submit

    def __enter__(self) -> Self:
        """Begin; a submit that waited for the disk is looked at again."""
        outbox = self._outbox
        if outbox.saves_first:
            if reason := outbox.reason_to_stay(self._submit):
                raise Recalled(reason)
            if not outbox.is_told:
                self._leave()
        else:
            self.has_left = not outbox.is_told
        on_leaving.set(self)
        return self

    def _leave(self) -> None:
        if not self.has_left:
            self._outbox.note_left(self._submit)
            self.has_left = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Note that the call is over; one that was broken off, by a bug too, may be taken out of those that wait."""
        connecting = self._outbox.connecting
        if connecting and (kind is None or issubclass(kind, BackendError | Recalled)):
            connecting.pop(self._key, None)
