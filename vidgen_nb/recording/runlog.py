"""Events as log lines (logger `vidgen_nb`): profile, scene, reason and, for a cooldown, the seconds left.

Other people's text (ids, reasons) is reduced to one line without control characters; prompts are not logged at all.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vidgen_nb.core import events as ev
from vidgen_nb.core.money import amount_text, micros
from vidgen_nb.core.outcomes import Unwritable
from vidgen_nb.plaintext import one_line

__all__ = ["RunLog", "cooling_line"]

log = logging.getLogger("vidgen_nb")

Lines = dict[type[ev.Event], Callable[[Any], tuple[int, str] | None]]

MAX_PROFILES_PER_LINE = 12


class RunLog:
    """An observer that logs events; it remembers the profile of each scene, starting from the `past` events."""

    def __init__(self, past: Iterable[ev.Event] = ()) -> None:
        self._on: dict[str, str] = {}
        for each in past:
            if isinstance(each, ev.AttemptStarted):
                self._on[each.scene] = each.profile
            elif isinstance(each, ev.AskedAgain):
                self._on[each.scene.id] = each.profile
        self._warnings: Lines = {
            ev.AttemptStarted: self._note,
            ev.AskedAgain: self._asked_again,
            ev.SubmitAgainRequested: lambda e: (
                logging.WARNING,
                f"{e.scene} is submitted again, as asked: its earlier job may exist, and be billed, too",
            ),
            ev.SceneRequeued: self._requeued,
            ev.SceneSettled: self._settled,
            ev.CallFailed: self._call_failed,
            ev.CooldownStarted: self._cooldown,
            ev.Stopped: lambda e: (logging.WARNING, f"stopping: {e.reason}"),
            ev.BillingLimitReached: lambda e: (
                logging.WARNING,
                f"stopping: max_billed={e.max_billed} submits were accepted; the other scenes keep waiting",
            ),
            ev.SpendingCapReached: lambda e: (
                logging.WARNING,
                f"stopping: no waiting scene fits under max_cost={_amount(e.max_cost)}; the others keep waiting",
            ),
            ev.SameFailureRepeated: lambda e: (
                logging.WARNING,
                f"paused: the last {len(e.scenes)} scenes failed for the same reason: {e.reason}. unpause() goes on",
            ),
            ev.RunEnded: lambda e: (
                logging.INFO if e.reason == ev.EndReason.SETTLED else logging.WARNING,
                f"run ended: {e.reason}",
            ),
        }
        self._all: Lines = {
            **self._warnings,
            ev.RunStarted: lambda e: (logging.INFO, "run started"),
            ev.SceneEdited: lambda e: (
                logging.INFO,
                f"{e.scene.id} was edited: its next attempt submits what it is now",
            ),
            ev.RunRestored: lambda e: (logging.INFO, f"run restored at {e.speed:g}x; run() continues it"),
            ev.AttemptStarted: self._started,
            ev.Fetched: self._fetched,
            ev.CooldownEnded: self._back,
            ev.ModeChanged: lambda e: (logging.INFO, f"mode is {e.mode.name} from now on"),
            ev.RetryGranted: lambda e: (logging.INFO, f"{e.scene} may try again: {e.reason}"),
            ev.PolicyChanged: lambda e: (logging.INFO, f"policy is {e.policy!r} from now on"),
            ev.BillingLimitChanged: lambda e: (logging.INFO, f"max_billed is {e.max_billed} from now on"),
            ev.SpendingCapChanged: lambda e: (logging.INFO, f"max_cost is {_amount(e.max_cost)} from now on"),
            ev.PriceChanged: lambda e: (logging.INFO, f"a job on {e.profile} costs {e.price} from now on"),
            ev.Paused: lambda e: (logging.INFO, "paused: no new submissions"),
            ev.Unpaused: lambda e: (logging.INFO, "unpaused"),
        }

    def __call__(self, events: Sequence[ev.Event]) -> None:
        """Log new events; lines below the log's level are not even made."""
        lines = self._all if log.isEnabledFor(logging.INFO) else self._warnings
        for event in events:
            line = lines.get(type(event))
            if line is not None and (found := line(event)) is not None:
                level, text = found
                log.log(level, "[%7.1f s] %s", event.at, one_line(text))

    def _note(self, event: ev.AttemptStarted) -> None:
        self._on[event.scene] = event.profile

    def _asked_again(self, event: ev.AskedAgain) -> tuple[int, str]:
        self._on[event.scene.id] = event.profile
        return logging.WARNING, f"{event.scene.id}: its job {event.job!r} on {event.profile} is asked about again"

    def _started(self, event: ev.AttemptStarted) -> tuple[int, str]:
        self._note(event)
        return logging.INFO, f"{event.scene} → {event.profile}, attempt {event.number}: {event.reason}"

    def _fetched(self, event: ev.Fetched) -> tuple[int, str]:
        where = f" → {event.path}" if event.path else ""
        return logging.INFO, f"{event.scene} succeeded on {self._on.get(event.scene)}{where}"

    def _requeued(self, event: ev.SceneRequeued) -> tuple[int, str]:
        wait = "" if event.not_before is None else f", {event.not_before - event.at:.1f} s to wait"
        return (
            logging.WARNING,
            f"{event.scene} left {event.profile}, {event.reason}{wait}: {event.outcome.reason}",
        )

    def _settled(self, event: ev.SceneSettled) -> tuple[int, str]:
        on = f" on {event.profile}" if event.profile else ""
        level = logging.INFO if event.status == "cancelled" else logging.ERROR
        return level, f"{event.scene} {event.status}{on}: {event.reason}"

    def _call_failed(self, event: ev.CallFailed) -> tuple[int, str] | None:
        if event.phase == "submit":  # what follows from that has a line of its own
            return None
        more = "; nothing is submitted until this works" if isinstance(event.outcome, Unwritable) else ""
        return (
            logging.WARNING,
            f"{event.phase} of {event.scene} on {self._on.get(event.scene)} failed: {event.outcome.reason}{more}",
        )

    def _cooldown(self, event: ev.CooldownStarted) -> tuple[int, str]:
        names = _name_list(event.profiles)
        after = f" after {event.scene}" if event.scene else ""
        left = "no end known" if math.isinf(event.until) else f"{event.until - event.at:.1f} s remaining"
        what = "out of the rotation" if event.unusable else "cooling"
        return logging.WARNING, f"{names} {what}{after}, {left}: {event.reason}"

    def _back(self, event: ev.CooldownEnded) -> tuple[int, str]:
        return logging.INFO, f"{_name_list(event.profiles)} back from cooldown; one probe goes first"


def cooling_line(left: Mapping[str, float], waiting: int) -> str:
    """Return the report of R5: which profiles cool, and for how much longer."""
    soonest = sorted(left.items(), key=lambda each: each[1])
    each = _name_list([f"{name} {'no end known' if math.isinf(s) else f'{s:.1f} s'}" for name, s in soonest])
    return one_line(f"all profiles cool: {each} remaining; {waiting} scene{'s' * (waiting != 1)} waiting")


def _name_list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_PROFILES_PER_LINE} more" if len(names) > MAX_PROFILES_PER_LINE else ""
    return ", ".join(names[:MAX_PROFILES_PER_LINE]) + more


def _amount(amount: float | None) -> str:
    """Return an amount of the prices' currency, whichever it is."""
    return "off" if amount is None else amount_text(micros(amount)).removeprefix("$")
