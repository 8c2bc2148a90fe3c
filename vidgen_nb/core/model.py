"""What the scheduler schedules, and by which settings: scenes, operations, modes, retries, polling."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final, TypeVar, dataclass_transform

from vidgen_nb.core.retries import PollSchedule, RetryBudget, RetryPolicy, is_count
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import html_line, one_line, short_repr

__all__ = [
    "BOOST",
    "MODES",
    "NORMAL",
    "Artifact",
    "Mode",
    "Operation",
    "PollSchedule",
    "RateInfo",
    "RetryBudget",
    "RetryPolicy",
    "Scene",
    "as_max_billed",
    "as_mode",
    "record",
]

T = TypeVar("T")
MAX_SCENE_ID_CHARS: Final = 1000
"""A scene's id names files and rows, and is sent in a header."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a slotted dataclass that mypy treats as frozen.

    Ten of these are made per scene on the hot path, and one that is really frozen costs twice as much to create. So the
    type checker keeps the promise instead of `__setattr__`.
    """
    return dataclass(slots=True)(cls)


class Scene:
    """One job: an id, a prompt, and parameters that go to the API as they are.

    >>> Scene("s001", "a lighthouse at dawn", seconds=4)
    Scene('s001', 'a lighthouse at dawn', seconds=4)

    Raises `InputError` for an empty id or prompt, an id longer than `MAX_SCENE_ID_CHARS`, or a parameter that JSON
    can't hold. The repr shortens long values.
    """

    __slots__ = ("id", "params", "prompt")

    id: str
    prompt: str
    params: Mapping[str, Any]

    def __init__(self, id: str, prompt: str, **params: Any) -> None:  # noqa: A002 - the public name is `id`
        if not isinstance(id, str) or not id.strip():
            raise InputError(f"a scene needs a non-empty text as its id, not {id!r}")
        if len(id) > MAX_SCENE_ID_CHARS:
            raise InputError(
                f"a scene's id has at most {MAX_SCENE_ID_CHARS:,} characters, not {len(id):,}: {short_repr(id, 40)}"
            )
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError(f"scene {id!r} has an empty prompt: say what to generate")
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "params", _as_json(id, params) if params else _NO_PARAMS)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Scene can't be changed; make a new one instead of setting {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_scene, (self.id, self.prompt, dict(self.params)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scene):
            return NotImplemented
        return (self.id, self.prompt, self.params) == (other.id, other.prompt, other.params)

    def __hash__(self) -> int:
        return hash((self.id, self.prompt))

    def _repr_html_(self) -> str:
        """Return id, prompt and parameters, as a notebook shows them."""
        extras = "".join(f" · {html_line(name, 40)} {html_line(str(value), 80)}" for name, value in self.params.items())
        return f"<b>{html_line(self.id, 120)}</b> {html_line(self.prompt)}<small>{extras}</small>"

    def __repr__(self) -> str:
        extras = "".join(f", {one_line(name, 40)}={short_repr(value)}" for name, value in self.params.items())
        return f"Scene({short_repr(self.id)}, {short_repr(self.prompt)}{extras})"


def _as_json(scene: str, params: dict[str, Any]) -> Mapping[str, Any]:
    """Return a copy of the parameters as JSON holds them (lists for tuples), independent of the caller's objects."""
    if not _may_be_seconds(params.get("seconds")):
        raise InputError(f"scene {scene!r}: seconds must be more than 0, and finite, not {params['seconds']!r}")
    try:
        text = json.dumps(params, allow_nan=False, default=_path_as_text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"scene {scene!r} has a parameter that can't be sent as JSON: {error}") from None
    return MappingProxyType(json.loads(text))


def _path_as_text(value: object) -> str:
    """Return a path as its text; bytes are refused because every recorded run would hold them, too."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("bytes are not recorded: save them as a file and give its path, or give a data URI")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_NO_PARAMS: Final[Mapping[str, Any]] = MappingProxyType({})


def _scene(id: str, prompt: str, params: dict[str, Any]) -> Scene:  # noqa: A002
    return Scene(id, prompt, **params)


@record
class RateInfo:
    """What the headers of an answer say about a quota group's rate limit; each field may be missing."""

    limit: int | None = None
    """Requests that the limit admits in all."""
    remaining: int | None = None
    """Requests that are left."""
    reset: float | None = None
    """Seconds from the answer until the whole limit is available again."""
    window: float | None = None
    """Seconds that the limit applies to."""


@record
class Operation:
    """The provider's own handle of an accepted attempt; JSON-serialisable."""

    id: str
    """The provider's job id."""
    backend: str = ""
    """Name of the backend that submitted it."""
    urls: dict[str, str] | None = None
    """URLs the server gave (status, result, cancel), where it gives any."""
    poll_after: float | None = None
    """Seconds the server asked to wait before the first poll, or None."""
    rate: RateInfo | None = None
    """The rate limit according to the answer to the submit, or None."""
    cost: int | None = None
    """What the provider says that it charges, in millionths of a US dollar, or None."""


@record
class Artifact:
    """A result that can be fetched."""

    kind: str
    """`with_key` (download needs the profile's key), `public` (a URL that must never see a key) or `inline`."""
    url: str = ""
    """Where it is; empty for inline data and for results addressed by the operation."""
    data: str = ""
    """Base64 data of an inline result; empty if the fetch asks for it again, because events are kept."""


def _may_be_seconds(value: object) -> bool:
    """Say whether a value can be a duration; texts that are not numbers are left to the API."""
    try:
        return value is None or 0 < float(value) < math.inf  # type: ignore[arg-type]
    except ValueError:
        return True
    except TypeError:
        return False


@dataclass(frozen=True)
class Mode:
    """How much runs at once; None means no bound. `normal` is for steadiness, `boost` for throughput."""

    name: str
    max_submitting: int | None = None
    """Submits without an answer at once, in the whole run."""
    max_generating: int | None = None
    """Attempts submitting or generating at once, on each profile."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError(f"a mode needs a non-empty text as its name, not {self.name!r}")
        for label, value in (("max_submitting", self.max_submitting), ("max_generating", self.max_generating)):
            if value is not None and not is_count(value):
                raise InputError(f"mode {self.name!r}: {label} is a whole number from 1 up, or None, not {value!r}")


NORMAL: Final = Mode("normal", max_submitting=1, max_generating=4)
BOOST: Final = Mode("boost")
MODES: Final[Mapping[str, Mode]] = MappingProxyType({mode.name: mode for mode in (NORMAL, BOOST)})


def as_mode(mode: Mode | str) -> Mode:
    """Return the mode of that name, or the mode itself; `InputError` for an unknown name."""
    if isinstance(mode, Mode):
        return mode
    try:
        return MODES[mode]
    except (KeyError, TypeError):
        raise InputError(f"unknown mode {mode!r}: choose one of {', '.join(MODES)}, or pass a Mode(...)") from None


def as_max_billed(value: int | None) -> int | None:
    """Return how many submits may be accepted in a run, or None for no bound; `InputError` for anything else."""
    if value is not None and not is_count(value):
        raise InputError(f"max_billed is a whole number of submits from 1 up, or None for no bound, not {value!r}")
    return value
