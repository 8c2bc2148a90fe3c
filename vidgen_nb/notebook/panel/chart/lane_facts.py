"""What the label of a lane says and offers: in use or not, how much is under way, why it rests, how full its limit is.

Plain data for `lanes.js`, which escapes all text.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, NamedTuple

from vidgen_nb.analysis.limits.gauges import Gauge
from vidgen_nb.charts.drawing.text import AT_PROVIDER
from vidgen_nb.clock import local_time
from vidgen_nb.notebook.panel.status.run_feed import LatestCooldown
from vidgen_nb.plaintext import one_line
from vidgen_nb.wording.durations import countdown, duration
from vidgen_nb.wording.numbers import count

__all__ = ["Account", "clock_words", "lane_facts"]

_CAUSES = {"auth": "key refused", "credit": "no credit left", "day_quota": "daily quota used"}
_TOLD = ("succeeded", "failed", "cancelled")
SHORT_SECONDS = 6000
"""A rest that takes longer is told by its end, not counted down."""


class Account(NamedTuple):
    """What is known of one profile now."""

    name: str
    in_use: bool
    may_go: bool
    """It may be taken out of use: it is not the last one."""
    known: bool
    """It can be used again; False: only an earlier run had it."""
    generating: int
    at_provider: int
    """Of these, how many its provider has queued."""
    room: int | None
    """How many it may generate at once; None: any number."""
    seconds_left: float | None
    """Run seconds until it is back; inf: no end is known; None: it does not rest."""
    latest: LatestCooldown
    outcomes: dict[str, int]
    """Its ended attempts, by outcome."""
    gauge: Gauge


def lane_facts(account: Account, speed: float, *, now: datetime | None = None) -> dict[str, Any]:
    """Return one lane's label. `speed`: run seconds per wall second; `now`: by default the present."""
    state, note, more = _rest(account, speed, now or local_time())
    name, gauge = one_line(account.name, 60), account.gauge
    room = "" if account.room is None else f"/{account.room}"
    lines = [name, _tally(account.outcomes) or "nothing has run here yet"]
    if account.at_provider:
        lines.append(f"{account.at_provider:,} of the {account.generating:,} running are {AT_PROVIDER}")
    if more:
        lines.append(more)
    if gauge.level is not None:
        level = f"{gauge.level:.1f}".removesuffix(".0")
        lines.append(f"{level} of {count(gauge.size, 'submit')} left now ({gauge.limit}; {gauge.source})")
    elif gauge.limit:
        lines.append(f"limit: {gauge.limit}")
    return {
        "name": account.name,
        "label": name,
        "on": account.in_use,
        "fixed": not account.known or (account.in_use and not account.may_go),
        "state": state,
        "count": f"{account.generating}{room}",
        "note": note,
        "release": state in ("rest", "out"),
        "limit": gauge.limit or "no limit met yet",
        "share": None if gauge.level is None else round(min(1.0, gauge.level / max(1, gauge.size)), 3),
        "size": gauge.size,
        "tip": "\n".join(lines),
    }


def _rest(account: Account, speed: float, now: datetime) -> tuple[str, str, str]:
    """Return the state (`off`, `busy`, `ready`, `rest`, `out`), its few words, and what the tooltip adds."""
    left, latest = account.seconds_left, account.latest
    if not account.in_use:
        return "off", "off", "out of the rotation: it gets no new work"
    if left is None:
        return ("busy" if account.generating else "ready"), "", ""
    reason = one_line(latest.reason, 120)
    if latest.unusable or math.isinf(left):
        cause = _CAUSES.get(latest.cause, "out of use")
        back = "" if math.isinf(left) else f"; back {clock_words(now, left / speed)}"
        return "out", f"{cause}{back}", reason
    asked = "" if latest.retry_after is None else f" (the server asked for {duration(latest.retry_after)})"
    if left > SHORT_SECONDS:
        return "rest", f"back {clock_words(now, left / speed)}", reason + asked
    return "rest", countdown(left), reason + asked


def clock_words(now: datetime, seconds: float) -> str:
    """Return the time of day so many seconds from `now`, with the day if it is another one."""
    then = now.fromtimestamp(now.timestamp() + seconds, now.tzinfo)
    days = (then.date() - now.date()).days
    day = "" if days == 0 else "tomorrow " if days == 1 else f"{then:%a %d %b} "
    return f"{day}{then:%H:%M}"


def _tally(outcomes: dict[str, int]) -> str:
    """Return how its attempts ended, in words; zeros are left out."""
    parts = [f"{outcomes[kind]:,} {kind}" for kind in _TOLD if outcomes.get(kind)]
    if limited := outcomes.get("rate_limited"):
        parts.append(f"{count(limited, 'rate-limit refusal')} (429)")
    if doubtful := outcomes.get("ambiguous"):
        parts.append(f"{doubtful:,} in doubt")
    other = sum(number for kind, number in outcomes.items() if kind in ("transient", "permanent", "unusable"))
    if other:
        parts.append(f"{other:,} failed")
    return ", ".join(parts)
