"""The ports of the drivers: profiles with their keys, and the protocols of backends, sinks and journals."""

from __future__ import annotations

import getpass
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene, record
from vidgen_nb.core.money import Price, as_price
from vidgen_nb.core.outcomes import Failure
from vidgen_nb.errors import InputError, MissingKey, VidgenError
from vidgen_nb.keys import key_problem, trim_key
from vidgen_nb.leaving import Recalled, about_to_connect, about_to_leave, on_leaving, tells_when_it_leaves
from vidgen_nb.plaintext import html_line, short_repr
from vidgen_nb.secret import RenewableKey, Secret

__all__ = [
    "Artifact",
    "Backend",
    "BackendError",
    "CancelAnswer",
    "EventStore",
    "Operation",
    "Profile",
    "Progress",
    "Recalled",
    "Secret",
    "Sink",
    "about_to_connect",
    "about_to_leave",
    "on_leaving",
    "tells_when_it_leaves",
]

MAX_NAME_CHARS = 200
"""For the names of profiles and quota groups."""
_ENV_NAME = re.compile(r"(?=.{1,80}$)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+_?|[A-Z][A-Z0-9]{0,15}")
"""Names of environment variables that can't be keys: in capitals, and long ones made of words."""
CancelAnswer = Literal["cancelled", "requested", "too late", "unsupported"]


class BackendError(VidgenError):
    """A call to a provider failed; `outcome` is its classification.

    `stop`: why nothing more may be submitted in this run, because every other scene would fail in the same way; or "".
    """

    def __init__(self, outcome: Failure, *, stop: str = "") -> None:
        super().__init__(f"{outcome.kind}: {outcome.reason}")
        self.outcome = outcome
        self.stop = stop


class Profile:
    """One account, key or endpoint that can generate scenes.

    `capacity`: attempts it generates at once, None for no bound. `quota_group`: profiles with the same group share one
    upstream quota and cool together; default: the profile alone. `base_url`: if it differs from the backend's. `price`:
    what a job costs, as a number, such as 0.40, or `Price(per_second=0.10)`; None: not known. The key appears in no
    repr, log or record; spaces, line ends and a pair of quotes around it are taken off.
    `api_key` may be a function that returns it, for keys that are renewed: it is called before the first request, and
    once more whenever a server answers 401; then the request is sent again.
    """

    __slots__ = ("_api_key", "base_url", "capacity", "name", "price", "quota_group")

    def __init__(
        self,
        name: str,
        api_key: str | Secret | Callable[[], str] | None = None,
        *,
        capacity: int | None = None,
        quota_group: str | None = None,
        base_url: str | None = None,
        price: Price | float | str | None = None,
    ) -> None:
        # first, so that a traceback with local variables shows no key of this frame, and finds a working repr
        self._api_key = api_key = _as_secret(api_key)
        self.name = name
        self.capacity = capacity
        self.quota_group = quota_group
        self.base_url = base_url
        self.price = None
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"a profile needs a non-empty text as its name, not {_safe_repr(name)}")
        if isinstance(capacity, bool) or (capacity is not None and (not isinstance(capacity, int) or capacity < 1)):
            raise InputError(
                f"profile {name!r}: capacity is a whole number from 1 up, or None for no bound, "
                f"not {_safe_repr(capacity)}"
            )
        if quota_group is not None and (not isinstance(quota_group, str) or not quota_group.strip()):
            raise InputError(
                f"profile {name!r}: quota_group is a non-empty text or None, not {_safe_repr(quota_group)}"
            )
        if len(name) > MAX_NAME_CHARS or len(quota_group or "") > MAX_NAME_CHARS:
            raise InputError(f"profile {short_repr(name, 40)}: names have at most {MAX_NAME_CHARS} characters")
        self.price = as_price(price, f"profile {name!r}: price")
        problem = None if api_key is None or api_key.is_renewable else key_problem(api_key.reveal())
        if problem:
            raise InputError(f"profile {name!r}: {problem}")

    @classmethod
    def from_env(cls, name: str, variable: str | None = None, **options: Any) -> Profile:
        """Make a profile with the key of an environment variable (default: `<NAME>_API_KEY`).

        Its price, unless given, is that of `<NAME>_PRICE`, if that is set: `0.40` a job, or `0.10/s`. Raises
        `MissingKey` if the key's variable is not set or empty.
        """
        prefix = "".join(c if c.isalnum() else "_" for c in name).upper()
        own = f"{prefix}_API_KEY"
        options.setdefault("price", os.environ.get(f"{prefix}_PRICE") or None)
        is_text = isinstance(variable, str)
        key = _as_secret(os.environ.get(variable or own)) if is_text or variable is None else None
        known = own if not variable else variable if is_text and _ENV_NAME.fullmatch(variable) else None
        del variable  # it may be the key itself: neither the error nor a traceback's variables must quote it
        if key is None and known is None:
            raise MissingKey(
                name,
                "variable= takes the name of an environment variable that is set, such as ALICE_API_KEY. What was "
                "given is not one, and is not shown because it may be the key itself. Pass a key as "
                "Profile(name, api_key)",
            )
        if key is None:
            raise MissingKey(name, f"set the environment variable {known}, or choose another one")
        return cls(name, key, **options)

    @classmethod
    def ask(cls, name: str, prompt: str | None = None, **options: Any) -> Profile:
        """Make a profile whose key the user types: in a notebook into a field of dots, in a terminal invisibly.

        No notebook, history or variable holds it. Raises `MissingKey` if nothing is typed, and `InputError` if the key
        would be visible.
        """
        cls(name, **options)  # complain about the options before the key is typed
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                # through the module: a kernel puts its own function there
                key = _as_secret(getpass.getpass(prompt or f"API key of {name}: "))
        except (EOFError, OSError, NotImplementedError, getpass.GetPassWarning):
            raise InputError(f"profile {name!r}: a key typed here would be visible; use Profile.from_env") from None
        if key is None:
            raise MissingKey(name, "nothing was typed")
        return cls(name, key, **options)

    @property
    def api_key(self) -> Secret:
        """The key as a secret; `MissingKey` if there is none."""
        if self._api_key is None:
            raise MissingKey(self.name, f"pass Profile({self.name!r}, api_key=...) or use Profile.from_env")
        return self._api_key

    @property
    def has_key(self) -> bool:
        """Whether a key was given."""
        return self._api_key is not None

    def _repr_html_(self) -> str:
        """Return a chip, without the key."""
        room = "no bound" if self.capacity is None else f"{self.capacity} at once"
        group = f" · quota group {html_line(self.quota_group, 120)}" if self.quota_group else ""
        price = "" if self.price is None else f" · {html_line(str(self.price), 60)}"
        key = "" if self.has_key else " · no key"
        chip = "border:1px solid currentColor;border-radius:4px;padding:1px 8px"
        return f'<span style="{chip}"><b>{html_line(self.name, 120)}</b> · {room}{group}{price}{key}</span>'

    def __repr__(self) -> str:
        return f"Profile({self.name!r}, capacity={self.capacity!r}, quota_group={self.quota_group!r})"


def _as_secret(key: Any) -> Secret | None:
    """Return a key as a secret, whatever it is, or None for an empty one."""
    if key is None or isinstance(key, Secret):
        return key
    if callable(key):
        return RenewableKey(key)
    text = trim_key(key) if isinstance(key, str) else key
    return Secret(text) if text else None


def _safe_repr(value: object) -> str:
    """Return a wrong value for an error message: only its type if it may be a misplaced key."""
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and not value.strip()):
        return repr(value)
    return f"a {type(value).__name__}"


@record
class Progress:
    """What a poll found."""

    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float | None = None
    """0 to 1, or None if the server does not say."""
    poll_after: float | None = None
    """Seconds the server asks to wait before the next poll, or None."""
    artifact: Artifact | None = None
    """The result, if it succeeded."""
    outcome: Failure | None = None
    """The failure, if it failed."""
    cost: int | None = None
    """What the server says that it charges, in millionths of a US dollar; None: it does not say."""


class Sink(Protocol):
    """Where a download goes: into a temporary file, which gets its final name once it is complete."""

    path: str | None
    """Where the result is once it is committed; None if nothing was written."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Check the length (bytes, None: unknown) and the type, and give the file its name.

        Raises `BackendError` with a `Transient` outcome if the file is cut off or not a video.
        """

    def discard(self) -> None:
        """Remove what was written but not committed."""


class Backend(Protocol):
    """One wire format. Every call may raise `BackendError`, which carries the outcome; anything else is a bug.

    A backend may have three more methods. `check_scene(scene)` raises `InputError` for a scene that can't be sent, for
    example because its image is missing; the session calls it before it queues any scene. Before that it calls
    `with_absolute_paths(scene)`, which returns the scene to queue instead, with absolute paths: the current folder may
    have changed when the scene is sent. `async probe(profile)` tries the key without a submit; it raises `BackendError`
    with `ProfileUnusable` if the server refuses it.

    It may have an attribute `max_submits`: how many submits can be under way at once; further ones are not decided
    before, since they would wait unseen. None, or none there: no bound. It is read again whenever one was accepted.

    A submit that has not left is called back by whatever happens meanwhile: a stop, a pause, a 429 of its group. Until
    the call of `submit` the driver sees to it. What waits longer, say for a connection, is called back only where
    `submit` says how far it is: `about_to_connect()` when it begins to wait, and `about_to_leave()` just before it
    sends anything. Without them, every submit counts as sent once `submit` is called: it goes on after a stop or a
    429, and where the run is abandoned its scene is held.

    So is that of a program that is killed, however far it was, unless `submit` is marked as one that
    `tells_when_it_leaves`: then the journal notes that moment, and a scene that has not left waits again.
    """

    name: str
    poll_schedule: PollSchedule

    def check(self, profile: Profile) -> None:
        """Raise `InputError` if the profile can't work with this backend, before anything is sent."""

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; return the provider's handle."""

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask how far a job is."""

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Write the result into the sink and commit it."""

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel a job if the provider can."""

    async def aclose(self) -> None:
        """Close all connections."""

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header records about the backend; no keys."""


class EventStore(Protocol):
    """Where a driver keeps events. After each write, its owner calls the driver's `release_stored()`, on its loop."""

    @property
    def stored(self) -> int:
        """How many events of the run are on disk."""

    @property
    def error(self) -> Exception | None:
        """Why it can't be written, or None."""

    def append(self, events: Sequence[Event]) -> None:
        """Accept events, and return at once."""

    def note_left(self, scene: str, number: int) -> None:
        """Write, before it returns, that an attempt's submit leaves; `JournalError` if it can't be written."""
