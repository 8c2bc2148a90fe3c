"""How a session runs scenes: options of a session without a panel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import FakeBackend
from tests.notebook.conftest import Changes
from vidgen_nb.core.model import BOOST, Mode
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.run_options import RunOptions
from vidgen_nb.policies.cooldowns import GlobalPause, PerProfileCooldown
from vidgen_nb.session.session import Session

Make = Callable[..., RunOptions]


class Mine(Policy):
    """A user's own policy, without settings."""

    def on_429(self, group: Any, outcome: Any, now: float) -> Any:
        """Cool as usual."""
        return PerProfileCooldown().on_429(group, outcome, now)


@pytest.fixture
def make(session: Session, changes: Changes) -> Make:
    """Return a function that makes options, wired to the session as a controller does it."""

    def make(set_speed: Callable[[float], None] | None = None) -> RunOptions:
        options = RunOptions(session, changes, set_speed)
        session.runner.on_change = options.remember
        return options

    return make


def test_options_are_the_sessions_settings(make: Make, session: Session) -> None:
    """Each reads the session and sets it; nothing is kept twice."""
    options = make()
    options.mode, options.policy_name, options.cooldown_seconds, options.seed = "boost", "GlobalPause", 12.0, 9
    policy: Policy = session.policy
    assert (session.mode, policy, options.seed) == (BOOST, GlobalPause(12.0), 9)
    session.policy = PerProfileCooldown(5.0, honour_retry_after=True)
    assert (options.policy_name, options.cooldown_seconds, options.honour_retry_after) == (
        "PerProfileCooldown", 5.0, True,
    )  # fmt: skip


def test_the_cap_belongs_to_boost(make: Make, session: Session, changes: Changes) -> None:
    """It is kept while another mode is set, and bounds boost when that is chosen."""
    options = make()
    options.cap = 3
    assert (session.mode.name, changes.count) == ("normal", 1)
    options.mode = "boost"
    assert (session.mode.max_generating, options.cap) == (3, 3)
    with pytest.raises(InputError):
        options.cap = 0
    assert options.cap == 3


def test_ones_own_policy_and_mode_can_be_chosen_again(make: Make, session: Session) -> None:
    """By name, once they were used."""
    options, mine, slow = make(), Mine(), Mode("slow", max_submitting=1, max_generating=1)
    session.policy, options.mode = mine, slow
    options.policy_name, options.mode = "GlobalPause", "normal"
    assert options.own == {"Mine": mine, "slow": slow}
    options.policy_name, options.mode = "Mine", "slow"
    assert session.policy is mine and session.mode == slow
    assert (options.cooldown_seconds, options.honour_retry_after) == (None, None)
    with pytest.raises(InputError, match="Mine has no setting 'seconds'"):
        options.cooldown_seconds = 3.0


def test_a_profile_that_is_not_in_use_stays_known(make: Make, session: Session) -> None:
    """So it can be used again, with the key that it had."""
    options, before = make(), session.profiles
    options.in_use = ["p2"]
    assert (list(session.profiles), sorted(options.known_profiles)) == (["p2"], ["p1", "p2"])
    options.in_use = ["p1", "p2"]
    assert session.profiles == before
    for names, message in (([], "choose at least one profile"), (["p9"], "no profile is named p9")):
        with pytest.raises(InputError, match=message):
            options.in_use = names


def test_only_a_simulated_provider_has_a_speed(make: Make, session: Session, backend: FakeBackend) -> None:
    """It follows the session's, and so does a run under way: what it waits for comes so much sooner."""
    real = make()
    assert not real.simulated
    with pytest.raises(InputError, match="a real API runs in real time"):
        real.speed = 5.0
    followed: list[float] = []
    options = make(followed.append)
    options.speed = 5.0
    assert options.simulated and (followed, options.speed) == ([5.0], 5.0)
    with pytest.raises(InputError, match="speed must be a finite number above 0"):
        options.speed = 0.0
    assert options.speed == 5.0
    backend.script = lambda scene, profile, nth: RateLimited() if nth == 1 else None
    session.policy = PerProfileCooldown(3000.0)
    for name in list(session.profiles)[1:]:
        session.remove_profile(name)
    session.start(["a lighthouse"])
    while not session.cooling:
        time.sleep(0.005)
    began = session.now
    options.speed = 100_000.0
    run = session.wait(10)
    assert (run.ended, [each.outcome for each in run.attempts]) == ("settled", ["rate_limited", "succeeded"])
    assert run.attempts[1].start >= run.cooldowns[0].end >= began + 2900
