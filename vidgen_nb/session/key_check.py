"""Whether the profiles' keys are good, found out without a submit that costs money."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, overload

from vidgen_nb.core.model import record
from vidgen_nb.core.outcomes import ProfileUnusable
from vidgen_nb.errors import InputError
from vidgen_nb.patience import Patience
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.ports import Backend, BackendError, Profile
from vidgen_nb.session.runner import Runner

__all__ = ["KeyCheck", "KeyChecker", "KeyChecks"]

CHECK_TIMEOUT: Final = 20.0
"""Wall seconds that a server has to answer in."""
_WORDS: Final = {True: "ok", False: "refused", None: "unknown"}


@record
class KeyCheck:
    """Whether a profile's key is good."""

    profile: str
    ok: bool | None
    """None: unknown, for example because the server did not answer."""
    message: str


class KeyChecks(Sequence[KeyCheck]):
    """The checks of all profiles, in their order; shown as a table."""

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
            f"<tr>{''.join(f'<td>{html_line(text)}</td>' for text in _texts(check))}</tr>" for check in self._checks
        )
        return f"<table><tr><th>profile</th><th>key</th><th></th></tr>{rows}</table>"

    def __repr__(self) -> str:
        rows = [_texts(check) for check in self._checks]
        name, mark = (max((len(row[place]) for row in rows), default=0) for place in (0, 1))
        return "\n".join(f"{row[0]:{name}}  {row[1]:{mark}}  {row[2]}".rstrip() for row in rows)


class KeyChecker:
    """Tries the keys of a session's profiles."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def check(self) -> KeyChecks:
        """Try every profile's key without a submit that costs money, and return what the server says.

            session.check()  # alice  ok
                             # bruno  refused  HTTP 401 invalid_api_key: Incorrect API key provided.

        All are tried at once, each for at most 20 s; what goes wrong with one stands in its record. Also during a run.
        """
        self._runner.check_may_block()
        self._runner.check_is_open()
        return self._runner.loop.wait_for(self._check_all)

    async def acheck(self) -> KeyChecks:
        """As `check`, to be awaited, on whichever loop."""
        self._runner.check_is_open()
        if self._runner.loop.is_current():
            return await self._check_all()
        return await self._runner.loop.awaited(self._check_all)

    async def _check_all(self) -> KeyChecks:
        backend, profiles = self._runner.resources.backend, self._runner.state.profiles.values()
        return KeyChecks(await asyncio.gather(*(_check_key(backend, profile) for profile in profiles)))


async def _check_key(backend: Backend, profile: Profile) -> KeyCheck:
    probe = getattr(backend, "probe", None)
    if probe is None:
        return KeyCheck(profile.name, None, f"the backend {backend.name!r} can't tell without a submit")
    try:
        backend.check(profile)
        async with Patience(CHECK_TIMEOUT):
            await probe(profile)
    except BackendError as error:
        bad = isinstance(error.outcome, ProfileUnusable)
        return KeyCheck(profile.name, False if bad else None, one_line(error.outcome.reason))
    except InputError as error:
        return KeyCheck(profile.name, False, one_line(str(error)))
    except TimeoutError:
        return KeyCheck(profile.name, None, f"no answer within {CHECK_TIMEOUT:g} s")
    except Exception as bug:  # noqa: BLE001 - one profile's trouble must not hide what the others say
        return KeyCheck(profile.name, None, f"a bug in backend {backend.name!r}: {type(bug).__name__}")
    return KeyCheck(profile.name, True, "")


def _texts(check: KeyCheck) -> tuple[str, str, str]:
    return one_line(check.profile), _WORDS[check.ok], check.message
