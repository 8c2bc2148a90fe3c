"""Where two runs with the same luck part: the first moment at which one decided something that the other did not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.core import events as ev
from vidgen_nb.plaintext import one_line

__all__ = ["Parting", "parted_words", "parting_of"]

_PLACES: Final = 6
"""Decimals of a second: what lies closer together happened at the same time."""
_MAX_NAMED: Final = 6

Decision = (
    ev.AttemptStarted | ev.SceneRequeued | ev.RetryGranted | ev.SceneSettled | ev.Fetched | ev.CooldownStarted
    | ev.CooldownEnded | ev.RunEnded
)  # fmt: skip
"""What runs are compared by. Reasons are not: two policies may do the same for different ones."""


class Parting(NamedTuple):
    """The first difference between two runs."""

    at: float
    """Run seconds."""
    scene: str | None
    """The scene that was decided about; None: it was about none."""
    did: Mapping[str, str]
    """What each run did, in words, by the run's name."""

    def __str__(self) -> str:
        about = "" if self.scene is None else f", over {one_line(self.scene, 40)}"
        each = "; ".join(f"{one_line(name, 60)}: {one_line(words, 400)}" for name, words in self.did.items())
        return f"They part at {self.at:,.1f} s{about}. {each}."


def parted_words(parting: Parting | None) -> str:
    """Return a sentence on where runs part, or that they don't."""
    return "They decide the same, all the way." if parting is None else str(parting)


def parting_of(runs: Mapping[str, RunData]) -> Parting | None:
    """Return where two runs, given by their names, part; None: they decide the same, all the way."""
    decisions = {name: _by_time(data) for name, data in runs.items()}
    for at in sorted(set().union(*decisions.values())):
        now = {name: each.get(at, []) for name, each in decisions.items()}
        if apart := _apart(*now.values()):
            alone = dict(zip(now, apart, strict=True))
            scene = next((name for each in chain(*apart) if (name := _scene(each)) is not None), None)
            rests = any(isinstance(each, ev.CooldownStarted) and each.scene == scene for each in chain(*apart))
            did = {
                name: _words(data, at, scene, now[name] if rests else (), alone[name]) for name, data in runs.items()
            }
            return Parting(at, scene, did)
    return None


def _apart(mine: Sequence[Decision], its: Sequence[Decision]) -> tuple[list[Decision], list[Decision]] | None:
    """Return what only one and what only the other decided; None: both decided the same."""
    one, other = Counter(map(_key, mine)), Counter(map(_key, its))
    if one == other:
        return None
    return [each for each in mine if one[_key(each)] > other[_key(each)]], [
        each for each in its if other[_key(each)] > one[_key(each)]
    ]


def _by_time(data: RunData) -> dict[float, list[Decision]]:
    """Return a run's decisions, those of one moment together."""
    found: dict[float, list[Decision]] = defaultdict(list)
    for event in data.events:
        if isinstance(event, Decision):
            found[round(event.at, _PLACES)].append(event)
    return found


def _key(event: Decision) -> tuple[Any, ...]:
    """Return what was decided, without its reason."""
    match event:
        case ev.AttemptStarted():
            return "start", event.scene, event.profile
        case ev.SceneRequeued():
            return "requeue", event.scene, event.profile, _rounded(event.not_before)
        case ev.RetryGranted():
            return "grant", event.scene, _rounded(event.not_before)
        case ev.SceneSettled():
            return "settle", event.scene, event.status
        case ev.Fetched():
            return "fetch", event.scene
        case ev.CooldownStarted():
            return "rest", event.profiles, _rounded(event.until), event.unusable
        case ev.CooldownEnded():
            return "wake", event.profiles
        case ev.RunEnded():
            return "end", event.reason


def _rounded(at: float | None) -> float | None:
    return None if at is None else round(at, _PLACES)


def _scene(event: Decision) -> str | None:
    return getattr(event, "scene", None)


def _words(data: RunData, at: float, scene: str | None, now: Sequence[Decision], alone: Sequence[Decision]) -> str:
    """Say what a run did about a scene at a moment, so far as the other did not, or else what it did next.

    `now`: all that it decided then, if it is about who rests: what both did is told, too.
    """
    own = [each for each in alone if _scene(each) == scene]
    rests = [each for each in now if isinstance(each, ev.CooldownStarted) and each.scene == scene is not None]
    if rests and (not own or isinstance(own[0], ev.CooldownStarted)):
        return "; ".join(_rest_words(rests))
    if own:
        return _event_words(own[0], at)
    if scene is not None and all(each.id != scene for each in data.scenes):
        return f"{one_line(scene, 40)} is not among its scenes"
    later = (each for each in data.events if isinstance(each, Decision) and round(each.at, _PLACES) > at)
    following = next((each for each in later if scene is None or _scene(each) == scene), None)
    if following is None:
        return "nothing more happens" + (f" to {one_line(scene, 40)}" if scene is not None else "")
    return _event_words(following, at)


def _rest_words(rests: Sequence[ev.CooldownStarted]) -> Iterator[str]:
    """Yield who rests until when, and why; those that rest equally long together."""
    together: dict[tuple[float, str, bool], list[str]] = defaultdict(list)
    for each in rests:
        together[(each.until, each.reason, each.unusable)] += each.profiles
    for (until, reason, unusable), profiles in together.items():
        many = len(dict.fromkeys(profiles)) > 1
        verb = ("are" if many else "is") + " out of the rotation" if unusable else "rest" if many else "rests"
        when = "with no known end" if until == float("inf") else f"until {until:,.1f} s"
        yield f"{_listed(dict.fromkeys(profiles))} {verb} {when} ({one_line(reason, 60)})"


def _listed(names: Mapping[str, Any]) -> str:
    """Return names as a list in words."""
    shown = [one_line(name, 40) for name in names][:_MAX_NAMED]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _event_words(event: Decision, at: float) -> str:
    """Return one decision in words; its time too, if it came later."""
    when = "" if round(event.at, _PLACES) == at else f" at {event.at:,.1f} s"
    match event:
        case ev.AttemptStarted():
            why = f" ({one_line(event.reason, 60)})"
            return f"{one_line(event.scene, 40)} starts on {one_line(event.profile, 40)}{when}{why}"
        case ev.SceneRequeued():
            why = f" ({one_line(event.outcome.reason, 60)})" if event.outcome.reason else ""
            return f"{one_line(event.scene, 40)} comes back from {one_line(event.profile, 40)}{when}{why}"
        case ev.RetryGranted():
            return f"{one_line(event.scene, 40)} may be tried again{when} ({one_line(event.reason, 60)})"
        case ev.SceneSettled():
            verb = "fails" if event.status == "failed" else f"is {event.status}"
            return f"{one_line(event.scene, 40)} {verb}{when} ({one_line(event.reason, 60)})"
        case ev.Fetched():
            return f"{one_line(event.scene, 40)} succeeds{when}"
        case ev.CooldownStarted():
            return next(_rest_words([event])) + when
        case ev.CooldownEnded():
            return f"{_listed(dict.fromkeys(event.profiles))} may go on{when}"
        case ev.RunEnded():
            return f"the run ends{when} ({event.reason.value})"
