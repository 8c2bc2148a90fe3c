"""The processes and threads of a trace: their numbers, names and order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Process", "Tracks", "micros"]


def micros(seconds: float) -> int:
    """Return a time as whole microseconds, the format's unit."""
    return round(seconds * 1_000_000)


class Process:
    """One process of a trace, and its threads by name; the empty name is the process itself."""

    def __init__(self, tracks: Tracks, name: str) -> None:
        self.pid = tracks.next_track()
        self.name = name
        self.threads: dict[str, int] = {"": self.pid}
        self._tracks = tracks

    def track(self, name: str) -> dict[str, int]:
        """Return the numbers of a thread, as an event has them."""
        if name not in self.threads:
            self.threads[name] = self._tracks.next_track()
        return {"pid": self.pid, "tid": self.threads[name]}


class Tracks:
    """Numbers the tracks of a trace, from 1: unique for processes and threads together."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self._tracks = self._ids = 0

    def process(self, name: str) -> Process:
        """Return a new process."""
        made = Process(self, name)
        self.processes.append(made)
        return made

    def next_track(self) -> int:
        """Return a number that no process and no thread has."""
        self._tracks += 1
        return self._tracks

    def next_id(self) -> int:
        """Return a number that no arrow and no asynchronous slice has."""
        self._ids += 1
        return self._ids

    def names(self) -> Iterator[dict[str, Any]]:
        """Yield the events that name processes and threads, and put them in order: slots by number, the rest below."""
        for place, process in enumerate(self.processes):
            yield self._metadata("process_name", process.pid, process.pid, name=process.name)
            yield self._metadata("process_sort_index", process.pid, process.pid, sort_index=place)
            for at, name in enumerate(sorted(process.threads, key=_order)):
                tid = process.threads[name]
                yield self._metadata("thread_name", process.pid, tid, name=name or process.name)
                yield self._metadata("thread_sort_index", process.pid, tid, sort_index=at)

    @staticmethod
    def _metadata(what: str, pid: int, tid: int, **args: Any) -> dict[str, Any]:
        return {"ph": "M", "name": what, "ts": 0, "pid": pid, "tid": tid, "args": args}


def _order(name: str) -> tuple[int, int, str]:
    """Return where a thread stands in its process."""
    kind, _, number = name.partition(" ")
    return (1, int(number), "") if kind == "slot" and number.isdigit() else (2 if name else 0, 0, name)
