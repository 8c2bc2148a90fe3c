"""What drivers agree on with those they work with: profiles with their keys, the backend's calls, sink, journal."""

from __future__ import annotations

import getpass
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene, record
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.errors import InputError, MissingKey, VidgenError
from vidgen_nb.plaintext import markup, shown

__all__ = [
    "Artifact",
    "Backend",
    "BackendError",
    "CancelAnswer",
    "Journal",
    "Operation",
    "Profile",
    "Progress",
    "Secret",
    "Sink",
]

LONGEST_NAME = 200
"""Characters of the name of a profile, or of a quota group."""
_VARIABLE = re.compile(r"(?=.{1,80}$)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_?|[A-Z][A-Z0-9]{0,15}")
"""An environment variable's name that is no key: in capitals, and in words where it is long."""
CancelAnswer = Literal["cancelled", "requested", "too late", "unsupported"]


class BackendError(VidgenError):
    """A call to a provider failed; `outcome` says as what, in the scheduler's words."""

    def __init__(self, outcome: Failure) -> None:
        super().__init__(f"{outcome.kind}: {outcome.reason}")
        self.outcome = outcome


class Secret:
    """A text that shows itself nowhere; `reveal()` is the only way to it."""

    __slots__ = ("_reveal",)

    def __init__(self, text: str) -> None:
        # a closure: neither vars() nor a dump of the slots shows the text
        self._reveal: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self._reveal()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret is not pickled: read the key again where it is needed")


class Profile:
    """One account, key or endpoint that can generate scenes.

    `capacity`: attempts it generates at once, None for no bound. `quota_group`: profiles that name the same group share
    one upstream quota and cool as one; default: the profile alone. `base_url`: where it differs from the backend's.
    The key shows in no repr, log or record.
    """

    __slots__ = ("_api_key", "base_url", "capacity", "name", "quota_group")

    def __init__(
        self,
        name: str,
        api_key: str | Secret | None = None,
        *,
        capacity: int | None = None,
        quota_group: str | None = None,
        base_url: str | None = None,
    ) -> None:
        # first of all: a traceback that shows local variables finds no key in this frame, and a repr that works
        self._api_key = api_key = _closed(api_key)
        self.name = name
        self.capacity = capacity
        self.quota_group = quota_group
        self.base_url = base_url
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"a profile needs a non-empty text as its name, not {_told(name)}")
        if isinstance(capacity, bool) or (capacity is not None and (not isinstance(capacity, int) or capacity < 1)):
            raise InputError(
                f"profile {name!r}: capacity is a whole number from 1 up, or None for no bound, not {_told(capacity)}"
            )
        if quota_group is not None and (not isinstance(quota_group, str) or not quota_group.strip()):
            raise InputError(f"profile {name!r}: quota_group is a non-empty text or None, not {_told(quota_group)}")
        if len(name) > LONGEST_NAME or len(quota_group or "") > LONGEST_NAME:
            raise InputError(f"profile {shown(name, 40)}: names have at most {LONGEST_NAME} characters")
        if api_key is not None and not _is_sendable(api_key.reveal()):
            raise InputError(
                f"profile {name!r}: an API key is plain ASCII text without spaces or line ends; was it copied whole?"
            )

    @classmethod
    def from_env(cls, name: str, variable: str | None = None, **options: Any) -> Profile:
        """Make a profile whose key stands in an environment variable (default: `<NAME>_API_KEY`).

        Raises `MissingKey` when the variable is not set or empty.
        """
        own = "".join(c if c.isalnum() else "_" for c in name).upper() + "_API_KEY"
        text = isinstance(variable, str)
        key = _closed(os.environ.get(variable or own)) if text or variable is None else None
        known = own if not variable else variable if text and _VARIABLE.fullmatch(variable) else None
        del variable  # it may be the key itself: neither the error nor a traceback's variables quote it
        if key is None and known is None:
            raise MissingKey(
                name,
                "variable= takes the name of an environment variable that is set, such as ALICE_API_KEY; what was "
                "given is none, and not shown, for it may be the key itself. A key is given as Profile(name, api_key)",
            )
        if key is None:
            raise MissingKey(name, f"set the environment variable {known}, or name another one")
        return cls(name, key, **options)

    @classmethod
    def ask(cls, name: str, prompt: str | None = None, **options: Any) -> Profile:
        """Make a profile whose key is typed in: in a notebook into a field of dots, in a terminal unseen.

        No notebook, history or variable holds it. Raises `MissingKey` for nothing typed, and `InputError` where nobody
        can be asked without everybody seeing it.
        """
        cls(name, **options)  # says what is wrong with them before the key is typed
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                # by the module: a kernel puts its own function there
                key = _closed(getpass.getpass(prompt or f"API key of {name}: "))
        except (EOFError, OSError, NotImplementedError, getpass.GetPassWarning):
            raise InputError(
                f"profile {name!r}: nobody can be asked for a key here without it being seen; use Profile.from_env"
            ) from None
        if key is None:
            raise MissingKey(name, "nothing was typed in")
        return cls(name, key, **options)

    @property
    def api_key(self) -> Secret:
        """The key, still closed; `MissingKey` when there is none."""
        if self._api_key is None:
            raise MissingKey(self.name, f"pass Profile({self.name!r}, api_key=...) or use Profile.from_env")
        return self._api_key

    @property
    def has_key(self) -> bool:
        """Whether a key was given."""
        return self._api_key is not None

    def _repr_html_(self) -> str:
        """Return a chip; no key."""
        room = "no bound" if self.capacity is None else f"{self.capacity} at once"
        group = f" · quota group {markup(self.quota_group, 120)}" if self.quota_group else ""
        key = "" if self.has_key else " · no key"
        chip = "border:1px solid currentColor;border-radius:4px;padding:1px 8px"
        return f'<span style="{chip}"><b>{markup(self.name, 120)}</b> · {room}{group}{key}</span>'

    def __repr__(self) -> str:
        return f"Profile({self.name!r}, capacity={self.capacity!r}, quota_group={self.quota_group!r})"


def _closed(key: Any) -> Secret | None:
    """Return a key as a secret, whatever it is, or None for an empty one."""
    if key is None or isinstance(key, Secret):
        return key
    text = key.strip() if isinstance(key, str) else key
    return Secret(text) if text else None


def _told(value: object) -> str:
    """Return how an error tells a wrong value: by its type alone where it may be a key in the wrong place."""
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and not value.strip()):
        return repr(value)
    return f"a {type(value).__name__}"


def _is_sendable(key: object) -> bool:
    return isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key


@record
class Progress:
    """What a poll found."""

    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float | None = None
    """0 to 1, or None where the server does not say."""
    poll_after: float | None = None
    """Seconds the server asks to wait before the next poll, or None."""
    artifact: Artifact | None = None
    """The result, when it succeeded."""
    outcome: Failure | None = None
    """What the failure is, when it failed."""


class Sink(Protocol):
    """Where a download goes: bytes into a temporary file, which gets its name only when it is complete."""

    path: str | None
    """Where the result is, once it is committed; None where nothing was written."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Check the length (bytes, None: unknown) and the type, and give the file its name.

        Raises `BackendError` with a `Transient` outcome when the file is cut off or is not a video.
        """

    def discard(self) -> None:
        """Remove what was written and not committed."""


class Backend(Protocol):
    """One wire format. Every call may raise `BackendError`, which carries the outcome; anything else is a bug.

    A backend may have three methods more. `check_scene(scene)` raises `InputError` for a scene that can't be sent, such
    as one whose image is missing; the session asks before it queues any scene. `with_absolute_paths(scene)` is asked
    before that, and returns the scene to be queued in its place: its relative paths as absolute ones, for the current
    folder may be another when the scene is sent. `async probe(profile)` tries the key without a submit; it raises
    `BackendError` with `ProfileUnusable` where the server refuses it.
    """

    name: str
    poll_schedule: PollSchedule

    def check(self, profile: Profile) -> None:
        """Raise `InputError` if the profile can't work with this backend, before anything is sent."""

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; return the provider's handle."""

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job."""

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Write the result into the sink and commit it."""

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel a job where the provider can."""

    async def aclose(self) -> None:
        """Close what is open."""

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend; no keys."""


class Journal(Protocol):
    """Writes events down. After each write the driver's `stored()` is to be called, on its loop."""

    @property
    def stored(self) -> int:
        """So many events of the run are on disk."""

    @property
    def error(self) -> Exception | None:
        """Why it can't go on, or None."""

    def append(self, events: Sequence[Event]) -> None:
        """Take events, and return at once."""
