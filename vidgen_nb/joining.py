"""A controller of one's own on somebody's emulator, such as a class's: the address and a key are enough."""

from __future__ import annotations

import os
from typing import Any, Final

from vidgen_nb.backends.account import account_of
from vidgen_nb.bundled_demo import demo_scenes
from vidgen_nb.core.model import Mode
from vidgen_nb.notebook.controller import Controller
from vidgen_nb.ports import Profile, Secret
from vidgen_nb.session.video_folder import VideoFolder

__all__ = ["KEY_VARIABLE", "join"]

KEY_VARIABLE: Final = "VIDGEN_NB_KEY"
SCENES: Final = 6


def join(
    address: str,
    key: str | Secret | None = None,
    *,
    mode: Mode | str = "boost",
    output: str | os.PathLike[str] | None = None,
    journal: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Controller:
    """Return a controller on the emulator at an address, such as that of a class, with some scenes to begin with.

        ctl = vg.join("http://10.0.0.5:8000")  # asks for the key, which no notebook then holds
        ctl

    The emulator says which account the key opens, and how fast its time passes. `key`: default: the environment
    variable `VIDGEN_NB_KEY`, or else it is asked for. `output`: folder of the videos, `demo/<name>` by default. The
    rest is as in `Controller`, but there is no journal unless you name a folder: the jobs end with the emulator. Raises
    `InputError` where no emulator answers, or where it doesn't know the key.
    """
    given = key if key is not None else os.environ.get(KEY_VARIABLE) or None
    asked = Profile("me", given) if given is not None else Profile.ask("me", "Your key: ")
    account = account_of(address, asked.api_key)
    folder = output if output is not None else os.path.join("demo", account.profile.name)  # noqa: PTH118
    controller = Controller(
        account.backend, [account.profile], mode=mode, speed=account.speed, journal=journal,
        output=VideoFolder(folder, replace=True) if output is None else output, **options,
    )  # fmt: skip
    controller.scenes = demo_scenes(SCENES)
    return controller
