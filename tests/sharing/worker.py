"""A kernel that shares accounts with others: `python -m tests.sharing.worker`, with its orders as JSON on stdin.

It prints a line when it is ready, begins when it reads one, and prints as JSON what happened when, by the wall clock:
`sent` a submit, `saw` a 429 that closed an account until a time, `heard` of one until a time; each with the
account's key.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import PollSchedule, Scene
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.ports import Profile
from vidgen_nb.session.session import Session
from vidgen_nb.sharing.local import LocalCooldowns
from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns

__all__ = ["main"]


def main(orders: dict[str, Any]) -> None:
    """Run scenes; profiles have names that no other worker gives them."""
    name = orders["name"]
    keys = {f"{name}-{number}": key for number, key in enumerate(orders["keys"])}
    url = orders["redis"]
    with Session(
        OpenAIVideos(orders["base_url"], poll=PollSchedule(first=2.0, longest=5.0)),
        [Profile(each, key, capacity=orders["capacity"]) for each, key in keys.items()],
        mode=orders["mode"],
        policy=PerProfileCooldown(orders["cooldown"]),
        speed=orders["speed"],
        output=orders["output"],
        shared=RedisCooldowns(url, namespace="test") if url else LocalCooldowns(),
    ) as session:
        print("ready", flush=True)
        sys.stdin.readline()
        scenes = [Scene(f"{name}-{number:03}", "a lighthouse", seconds="4") for number in range(orders["scenes"])]
        run = session.run_blocking(scenes)
        began = session.runner.current()._clock.epoch  # the header has it in milliseconds only
    moments = [moment for event in run.events if (moment := _moment(event, keys)) is not None]
    times = [[kind, key, *(began + each / orders["speed"] for each in at)] for kind, key, *at in moments]
    print(json.dumps({"moments": times, "statuses": [scene.status for scene in run.scenes]}))


def _moment(event: ev.Event, keys: dict[str, str]) -> tuple[Any, ...] | None:
    match event:
        case ev.AttemptStarted():
            return ("sent", keys[event.profile], event.at)
        case ev.CooldownStarted(scene=str()):
            return ("saw", keys[event.profile], event.at, event.until)
        case ev.CooldownImposed():
            return ("heard", keys[event.profile], event.at, event.until)
    return None


if __name__ == "__main__":
    logging.getLogger("vidgen_nb").addHandler(logging.NullHandler())
    main(json.loads(sys.stdin.readline()))
