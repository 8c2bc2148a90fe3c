"""Commands on their way out, and the submits among them that can still be called back.

A submit waits here for the journal's disk, and then for a worker; after that for a connection, in the backend. Until it
leaves, whatever has happened meanwhile counts: the driver asks the scheduler after each request that may keep it here,
and when the backend says that it is `about_to_leave`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from vidgen_nb.core import events as ev
from vidgen_nb.core.commands import Command, Submit

__all__ = ["RECALLING", "Outbox"]

RECALLING = (
    ev.Paused,
    ev.Stopped,
    ev.CancelRequested,
    ev.ProfileRemoved,
    ev.CooldownImposed,
    ev.BillingLimitChanged,
)
"""Requests after which submits that have not left may have to stay."""


class Outbox:
    """Commands that no worker has taken yet."""

    def __init__(self) -> None:
        self.queue: deque[Command] = deque()
        """Those that a worker may take, in order."""
        self._unsaved: deque[tuple[int, Submit]] = deque()
        """Submits, and how many events must be on disk before each may leave."""
        self.announcements: deque[int] = deque()
        """For each submit in `queue`, how many events observers must have seen before it may leave; who takes a submit
        takes this, too."""

    def put(self, command: Command, events: int, *, unsaved: bool) -> None:
        """Add a command. `events`: of the run so far; `unsaved`: whether a submit waits until they are on disk."""
        if type(command) is not Submit:
            self.queue.append(command)
        elif unsaved:
            self._unsaved.append((events, command))
        else:
            self.announcements.append(events)
            self.queue.append(command)

    def release(self, stored: int) -> None:
        """Let the submits go whose announcement is on disk."""
        while self._unsaved and self._unsaved[0][0] <= stored:
            self.put(self._unsaved[0][1], self._unsaved.popleft()[0], unsaved=False)

    def clear(self) -> None:
        """Forget all commands."""
        self.queue.clear()
        self._unsaved.clear()
        self.announcements.clear()

    def take_back(self, is_wanted: Callable[[Submit], bool] = lambda _: False) -> list[Submit]:
        """Remove and return the submits that are no longer wanted."""
        waiting = [each for each in self.queue if type(each) is Submit] + [each for _, each in self._unsaved]
        unwanted = [each for each in waiting if not is_wanted(each)]
        if unwanted:
            gone = {id(each) for each in unwanted}
            queue, events = list(self.queue), deque(self.announcements)
            unsaved = [each for each in self._unsaved if id(each[1]) not in gone]
            self.clear()
            for command in queue:
                announced = events.popleft() if type(command) is Submit else 0
                if id(command) not in gone:
                    self.put(command, announced, unsaved=False)
            self._unsaved.extend(unsaved)
        return unwanted
