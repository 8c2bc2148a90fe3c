"""The emulator served from the terminal until a signal ends it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vidgen_nb.cli.report import write_file
from vidgen_nb.core.events import EndReason, RunEnded
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError
from vidgen_nb.inputs import class_profiles, load_simulated
from vidgen_nb.machine.addresses import address_for_others, is_loopback
from vidgen_nb.plaintext import one_line
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.demo_profiles import demo_profiles
from vidgen_nb.provider.model import default_key
from vidgen_nb.recording.journal import Journal

__all__ = ["Served", "serve", "simulated_profiles", "wait_for_end"]

WORK_SECONDS = 0.5


@dataclass(frozen=True)
class Served:
    """An emulator, and what is told of it."""

    emulator: Emulator
    host: str
    keys: Path | None
    """The file with the keys of a class."""
    record: Path | None
    """The file in which what everybody does is recorded."""


def simulated_profiles(
    profiles: Path | None, students: int | None, keys: Path | None
) -> tuple[list[SimulatedProfile], Path | None]:
    """Return the accounts to serve, and the file of their keys if they are a class's."""
    if students is None:
        if keys is not None:
            raise InputError(
                "--keys goes with --class; without it, api_key in the file of --profiles is a profile's key"
            )
        return load_simulated(profiles) if profiles is not None else demo_profiles(), None
    if profiles is not None:
        raise InputError("give --class or --profiles: one of the two says which accounts there are")
    file = keys if keys is not None else Path("keys.toml")
    return class_profiles(students, keys=file), file


def serve(served: Served, write_profiles: Path | None) -> None:
    """Print the emulator's address and keys, and wait for Ctrl-C or SIGTERM; `ended_by_signals` must be entered."""
    console, emulator = Console(), served.emulator
    if write_profiles is not None:
        write_file(write_profiles, _profiles_toml(emulator), "--write-profiles")
        console.print(Text(f"profiles: {write_profiles}"))
    for profile in emulator.provider.profiles.values():
        if profile.api_key == default_key(profile.name):  # any other is a secret
            console.print(Text(f"{one_line(profile.name)}: key {profile.api_key}"))
    recorder = None if served.record is None else _Recorder(emulator, served.record)
    for line in _of_class(served):
        console.print(Text(line), soft_wrap=True)
    # last: whoever waits for this line finds everything else done
    last = f"serving {emulator.base_url} at {emulator.clock.speed:g}x; press Ctrl-C to end it"
    try:
        wait_for_end(last, None if recorder is None else recorder.write)
    finally:
        if recorder is not None:
            recorder.end()


def _of_class(served: Served) -> Iterator[str]:
    """Yield what a teacher needs to know."""
    if served.keys is not None:
        yield f"keys: {served.keys}, one for each student; nobody else should read it"
    if not is_loopback(served.host):
        root = served.emulator.base_url.replace("127.0.0.1", address_for_others(), 1).rsplit("/", 1)[0]
        yield f"for the class: vg.join({root!r}), if that is how others reach this machine (plain HTTP: no secrets)"
    elif served.keys is not None:
        root = served.emulator.base_url.rsplit("/", 1)[0]
        yield f"for the class, on this machine: vg.join({root!r}); --host 0.0.0.0 lets other machines in"
    if served.record is not None:
        yield f"everybody's lanes, live, in a notebook: vg.watch({str(served.record)!r})"


class _Recorder:
    """Writes what an emulator sees into a run's file."""

    def __init__(self, emulator: Emulator, path: Path) -> None:
        self._emulator, self._written = emulator, 0
        self._journal = Journal.create(path, emulator.header(path.stem))
        self.write()

    def write(self) -> None:
        """Write what is new."""
        events = self._emulator.events
        self._journal.append(events[self._written :])
        self._written = len(events)

    def end(self) -> None:
        """Write the rest, and that it ended."""
        self.write()
        self._journal.append([RunEnded(EndReason.STOPPED, at=self._emulator.clock.now())])
        self._journal.release()


def wait_for_end(line: str, work: Callable[[], None] | None = None) -> None:
    """Print a line, and wait for Ctrl-C or SIGTERM; `ended_by_signals` must be entered. `work`: done twice a second."""
    never = threading.Event()
    try:
        Console().print(Text(line), soft_wrap=True)
        while not never.wait(None if work is None else WORK_SECONDS):
            if work is not None:
                work()
    except KeyboardInterrupt:
        # a console of its own: a signal in the middle of the line before leaves that in the other one's buffer
        Console().print("stopped", markup=False)


def _profiles_toml(emulator: Emulator) -> str:
    """Return the client's side of the profiles; an emulator's keys are no secrets."""
    tables = []
    for profile in emulator.provider.profiles.values():
        lines = ["[[profile]]", f"name = {_toml_string(profile.name)}", f"api_key = {_toml_string(profile.api_key)}"]
        if profile.capacity is not None:
            lines.append(f"capacity = {profile.capacity}")
        if profile.quota_group is not None:
            lines.append(f"quota_group = {_toml_string(profile.quota_group)}")
        if (price := profile.price) is not None:
            given = {"per_job": price.per_job, "per_second": price.per_second, "seconds": price.seconds}
            values = [f"{name} = {value}" for name, value in given.items() if value]
            lines.append(f"price = {{{', '.join([*values, f'currency = {_toml_string(price.currency)}'])}}}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _toml_string(text: str) -> str:
    """Return a TOML basic string; its escapes are JSON's."""
    return json.dumps(text)
