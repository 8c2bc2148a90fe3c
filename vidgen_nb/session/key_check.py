"""What a session can do before money is spent, and against spending too much: try the keys, bound what is billed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, overload

from vidgen_nb.core.model import as_max_billed, record
from vidgen_nb.core.outcomes import ProfileUnusable
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.plaintext import clean, markup
from vidgen_nb.ports import Backend, BackendError, Profile
from vidgen_nb.session.runner import Lifecycle

__all__ = ["KeyCheck", "KeyChecks", "Precautions"]

LONGEST_CHECK: Final = 20.0
"""Wall seconds that a server has to answer."""
_MARKS: Final = {True: "ok", False: "refused", None: "not known"}


@record
class KeyCheck:
    """Whether a profile's key is good."""

    profile: str
    ok: bool | None
    """None: that can't be told, because the server did not answer, say."""
    message: str


class KeyChecks(Sequence[KeyCheck]):
    """The checks of all profiles, in their order; shows itself as a table."""

    def __init__(self, checks: Sequence[KeyCheck]) -> None:
        self._checks = tuple(checks)

    @overload
    def __getitem__(self, index: int) -> KeyCheck: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[KeyCheck, ...]: ...
    def __getitem__(self, index: int | slice) -> KeyCheck | tuple[KeyCheck, ...]:
        return self._checks[index]

    def __len__(self) -> int:
        return len(self._checks)

    def __iter__(self) -> Iterator[KeyCheck]:
        return iter(self._checks)

    @property
    def ok(self) -> bool:
        """Whether every key is known to be good."""
        return all(check.ok for check in self._checks)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{''.join(f'<td>{markup(text)}</td>' for text in _texts(check))}</tr>" for check in self._checks
        )
        return f"<table><tr><th>profile</th><th>key</th><th></th></tr>{rows}</table>"

    def __repr__(self) -> str:
        rows = [_texts(check) for check in self._checks]
        name, mark = (max((len(row[place]) for row in rows), default=0) for place in (0, 1))
        return "\n".join(f"{row[0]:{name}}  {row[1]:{mark}}  {row[2]}".rstrip() for row in rows)


class Precautions(Lifecycle):
    """The part of a `Session` that keeps it from costing more than it should."""

    def check(self) -> KeyChecks:
        """Try every profile's key without a submit that costs money, and return what the server says.

            session.check()  # alice  ok
                             # bruno  refused  HTTP 401 invalid_api_key: Incorrect API key provided.

        All are tried at once, each for at most 20 s; what goes wrong with one stands in its record. Also during a run.
        """
        self._may_block()
        if self._closed:
            raise SessionError("this session is closed: make a new one")
        return asyncio.run_coroutine_threadsafe(self._checked(), self._home.loop).result()

    async def acheck(self) -> KeyChecks:
        """As `check`, to be awaited, on whichever loop."""
        if self._closed:
            raise SessionError("this session is closed: make a new one")
        if self._home.here():
            return await self._checked()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._checked(), self._home.loop))

    @property
    def max_billed(self) -> int | None:
        """How many submits of a run may be accepted, those in doubt among them; None: no bound.

        It may be set during a run. When it is reached, the run stops, and `run.ended` is `max_billed`: the rest stays
        queued, and goes on by `run()` once the limit is higher.
        """
        return self._settings.max_billed

    @max_billed.setter
    def max_billed(self, max_billed: int | None) -> None:
        self._change(max_billed=as_max_billed(max_billed))

    async def _checked(self) -> KeyChecks:
        backend, profiles = self._settings.backend, list(self._settings.profiles.values())
        return KeyChecks(await asyncio.gather(*(_try(backend, profile) for profile in profiles)))


async def _try(backend: Backend, profile: Profile) -> KeyCheck:
    probe = getattr(backend, "probe", None)
    if probe is None:
        return KeyCheck(profile.name, None, f"the backend {backend.name!r} can't tell without a submit")
    try:
        backend.check(profile)
        async with asyncio.timeout(LONGEST_CHECK):
            await probe(profile)
    except BackendError as error:
        bad = isinstance(error.outcome, ProfileUnusable)
        return KeyCheck(profile.name, False if bad else None, clean(error.outcome.reason))
    except InputError as error:
        return KeyCheck(profile.name, False, clean(str(error)))
    except TimeoutError:
        return KeyCheck(profile.name, None, f"no answer within {LONGEST_CHECK:g} s")
    except Exception as bug:  # noqa: BLE001 - one profile's trouble must not hide what the others say
        return KeyCheck(profile.name, None, f"a bug in backend {backend.name!r}: {type(bug).__name__}")
    return KeyCheck(profile.name, True, "")


def _texts(check: KeyCheck) -> tuple[str, str, str]:
    return clean(check.profile), _MARKS[check.ok], check.message
