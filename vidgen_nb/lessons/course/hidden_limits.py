"""Notebook 01: three accounts with limits that are hidden, and twelve submits to tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from random import Random
from typing import Any, Final

from vidgen_nb.analysis.validation import seconds
from vidgen_nb.errors import InputError
from vidgen_nb.lessons.exercise import Exercise
from vidgen_nb.lessons.goals import Verdict
from vidgen_nb.lessons.measurement import Measurement
from vidgen_nb.plaintext import short_repr
from vidgen_nb.provider import FixedWindow, SlidingWindow, TokenBucket

__all__ = ["HiddenAccounts", "limits"]

LIMITS: Final = {
    "token bucket": TokenBucket(2, per=60),
    "fixed window": FixedWindow(2, per=60),
    "sliding window": SlidingWindow(2, per=60),
}
NAMES: Final = ("a", "b", "c")
MOST_SUBMITS: Final = 12


class HiddenAccount:
    """One of the three; it answers a submit at a time that you say."""

    def __init__(self, name: str, accounts: HiddenAccounts) -> None:
        self.name = name
        self._accounts = accounts

    def submit(self, *, at: float) -> str:
        """Submit at this run second, and return "accepted" or "429"; times of one account must not go back."""
        return self._accounts.submit(self.name, at)

    def __repr__(self) -> str:
        told = self._accounts.told[self.name]
        return f"<account {self.name}: {', '.join(f'{answer} at {at:g} s' for at, answer in told) or 'not asked yet'}>"


class HiddenAccounts(Mapping[str, HiddenAccount]):
    """Three accounts by name, each with another kind of limit; after an answer they are dealt again."""

    def __init__(self) -> None:
        self._deals = 0
        self.deal()

    def deal(self) -> None:
        """Give the accounts their limits in another order, and all submits back."""
        kinds = list(LIMITS)
        Random(f"hidden limits {self._deals}").shuffle(kinds)  # noqa: S311 - no secret
        self._deals += 1
        self.kinds = dict(zip(NAMES, kinds, strict=True))
        """The truth. Who looks here has only themselves to blame."""
        self._states = {name: LIMITS[kind].state() for name, kind in self.kinds.items()}
        self.told: dict[str, list[tuple[float, str]]] = {name: [] for name in NAMES}
        """What each account has answered, as (run second, answer)."""

    @property
    def possible(self) -> int:
        """How many of the six ways to deal fit all that the accounts have answered."""
        return sum(
            all(self._fits(name, kind) for name, kind in zip(NAMES, kinds, strict=True))
            for kinds in permutations(LIMITS)
        )

    def _fits(self, name: str, kind: str) -> bool:
        state = LIMITS[kind].state()
        return all((state.admit(at) is None) == (answer == "accepted") for at, answer in self.told[name])

    @property
    def left(self) -> int:
        """Submits that are left."""
        return MOST_SUBMITS - sum(map(len, self.told.values()))

    def submit(self, name: str, at: float) -> str:
        """Submit to an account; `InputError` without a submit left, or back in time."""
        now = seconds("at", at)
        if not self.left:
            raise InputError(f"all {MOST_SUBMITS} submits are used: check an answer, or .deal() for three new accounts")
        told = self.told[name]
        if told and now < told[-1][0]:
            raise InputError(
                f"account {name} was asked at {told[-1][0]:g} s already: time does not go back to {now:g} s"
            )
        answer = "accepted" if self._states[name].admit(now) is None else "429"
        told.append((now, answer))
        return answer

    def __getitem__(self, name: str) -> HiddenAccount:
        if name not in NAMES:
            raise KeyError(name)
        return HiddenAccount(name, self)

    def __iter__(self) -> Any:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __repr__(self) -> str:
        return f"<accounts {', '.join(NAMES)}: {self.left} of {MOST_SUBMITS} submits left>"


class _AllTold:
    """Each account's kind is named, and what the accounts have answered leaves no other way."""

    def words(self) -> str:
        """Return what is asked."""
        return "the kind of each account named, as their answers show"

    def judge(self, measured: Measurement) -> Verdict:
        """Count those that are right."""
        found = next(iter(measured.runs.values()))
        right, ways = found["right"], found["possible"]
        text, is_luck = f"kinds: {right} of {len(NAMES)} are right", right == len(NAMES) and ways > 1
        if is_luck:
            text += f", but that was luck: {ways} ways to deal fit what the accounts answered"
        return Verdict("kinds", text, right == len(NAMES) and not is_luck, f"{right} of {len(NAMES)}",
                       look="The accounts were dealt again: all submits are back.")  # fmt: skip


def limits() -> Exercise:
    """Return the exercise of notebook 01."""
    accounts = HiddenAccounts()

    def measure(answer: dict[str, str], seed: int) -> dict[str, int]:
        right = sum(accounts.kinds[name] == kind for name, kind in answer.items())
        ways = accounts.possible
        accounts.deal()
        return {"right": right, "possible": ways}

    return Exercise(
        name="limits",
        title="01 · Three hidden limits",
        task="Accounts a, b and c admit 2 submits per 60 s each: one by a token bucket, one by a fixed window that is "
        f"aligned to 0 s, one by a sliding window. Tell them apart with at most {MOST_SUBMITS} submits in all: "
        'ex.given["accounts"]["a"].submit(at=0).',
        given={"accounts": accounts},
        facts={kind: repr(limit) for kind, limit in LIMITS.items()},
        answer="any",
        measure=measure,
        read=_read_kinds,
        wanted='a dict such as {"a": "token bucket", "b": "fixed window", "c": "sliding window"}',
        seeds=[0],
        goals=[_AllTold()],
        hints=[
            "Use up an account's two submits at once, then ask when each kind would admit the next one.",
            "A bucket gets a token every 30 s. A fixed window begins anew at 60 s, whenever it was used up.",
            "Use them up late in the first minute: 50, 50, then 61 and 81 s.",
        ],
    )


def _names(given: Any, kind: str, limit: Any) -> bool:
    """Say whether a limit, its class or a text such as "Token Bucket" or "token_bucket" names this kind."""
    plain = "".join(each for each in str(given).lower() if each.isalpha())
    return given == limit or given is type(limit) or plain == kind.replace(" ", "")


def _read_kinds(answer: Any) -> dict[str, str]:
    found = {}
    given = answer if isinstance(answer, Mapping) else {}
    for name, kind in given.items():
        text = next((each for each, limit in LIMITS.items() if _names(kind, each, limit)), "")
        if name not in NAMES or text not in LIMITS:
            raise InputError(f"{name!r}: {kind!r}? Accounts are a, b and c; kinds are {', '.join(LIMITS)}")
        found[str(name)] = text
    if len(found) < len(NAMES):
        raise InputError(f"name the kind of a, b and c, such as {{'a': 'token bucket', ...}}, not {short_repr(answer)}")
    return found
