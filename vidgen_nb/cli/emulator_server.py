"""The emulator served from the terminal until a signal ends it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from rich.console import Console
from rich.text import Text

from vidgen_nb.cli.report import write_file
from vidgen_nb.emulator import Emulator
from vidgen_nb.plaintext import one_line

__all__ = ["serve", "wait_for_end"]


def serve(emulator: Emulator, write_profiles: Path | None) -> None:
    """Print the emulator's address and keys, and wait for Ctrl-C or SIGTERM; `ended_by_signals` must be entered."""
    console = Console()
    if write_profiles is not None:
        write_file(write_profiles, _profiles_toml(emulator), "--write-profiles")
        console.print(Text(f"profiles: {write_profiles}"))
    for profile in emulator.provider.profiles.values():
        console.print(Text(f"{one_line(profile.name)}: key {profile.api_key}"))
    # last: whoever waits for this line finds everything else done
    wait_for_end(f"serving {emulator.base_url} at {emulator.clock.speed:g}x; press Ctrl-C to end it")


def wait_for_end(line: str) -> None:
    """Print a line, and wait for Ctrl-C or SIGTERM; `ended_by_signals` must be entered."""
    try:
        Console().print(Text(line), soft_wrap=True)
        threading.Event().wait()
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
