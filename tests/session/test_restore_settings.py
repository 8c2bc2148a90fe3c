"""Settings, profiles and billing limits of a restored run: those on record, unless others are given."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.audit import audit
from tests.fakes import FakeBackend, profiles
from tests.session.crashes import PROMPTS, Place, Stuck, statuses, such
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import NORMAL, Mode, Operation, RetryPolicy, Scene
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.core.policy import Cooldown, GroupView, Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.policies.earliest_finish import EarliestFinish
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.ports import Profile
from vidgen_nb.provider import Concurrency, LimitState, TokenBucket
from vidgen_nb.recording.runfile import read_run
from vidgen_nb.run import Run, load_run
from vidgen_nb.session.session import Session


@dataclass(frozen=True)
class Patient(Policy):
    """A policy of a user."""

    seconds: float = 9.0

    def on_429(self, group: GroupView, outcome: RateLimited, now: float) -> Cooldown:
        """Wait."""
        return Cooldown("group", now + self.seconds)


def limited(place: Place, **options: Any) -> Path:
    """Return the journal of a run with a 429 in it, broken off."""
    backend = Stuck(lambda scene, profile, nth: RateLimited() if (scene, nth) == ("s001", 1) else None,
                    hold=frozenset(["s002"]))  # fmt: skip
    session = place.session(backend, **options)
    session.start(PROMPTS)
    return place.crash(session, lambda run: bool(run.cooldowns) and such(generating=1)(run))


def test_the_settings_of_the_run_hold(place: Place) -> None:
    """Mode, policy and the rest are those at the end of the record, with what is given on top, for good."""
    crash = limited(place, policy=PerProfileCooldown(44), seed=5, retry=RetryPolicy(3), on_ambiguous="retry")
    again = place.restored(crash)
    kept = again.runner.state.settings
    assert (kept.mode.name, kept.policy, kept.seed) == ("test", PerProfileCooldown(44), 5)
    assert (kept.retry, kept.on_ambiguous) == (RetryPolicy(3), "retry")
    again.close()
    changes: dict[str, Any] = {"mode": "normal", "policy": PerProfileCooldown(7), "retry": RetryPolicy(2, deadline=9e9)}
    place.restored(crash, seed=6, max_wait=8.0, **changes).close()
    last = place.restored(crash).runner.state.settings
    assert (last.mode, last.policy, last.retry) == (NORMAL, PerProfileCooldown(7), RetryPolicy(2, deadline=9e9))
    assert (last.seed, last.max_wait) == (6, 8.0)


def test_a_policy_of_ones_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is found by name; one that is not there any more is an error, unless another is given."""
    crash = limited(place, policy=Patient(3.5))
    before = crash.read_bytes()
    monkeypatch.setattr("vidgen_nb.recording.policies._subclasses_named", lambda *_: [])
    with pytest.raises(InputError, match=r"policy 'Patient' of this run is not known here.*pass policy="):
        place.restored(crash)
    assert crash.read_bytes() == before
    other = place.restored(crash, policy=PerProfileCooldown(8))
    assert other.policy == PerProfileCooldown(8)
    cooled = [e for e in read_run(crash)[1] if isinstance(e, ev.CooldownStarted)]
    assert cooled and all(3.4 < event.until - event.at < 3.6 for event in cooled), "what was decided stays"
    other.close()
    monkeypatch.undo()
    assert place.restored(crash, policy=Patient(3.5)).run_blocking().ended == "settled"


@dataclass(frozen=True)
class OwnLimit:
    """A limit of a user."""

    def state(self) -> LimitState:
        """Return one that admits all."""
        return TokenBucket(99, per=1).state()


def test_a_policy_that_was_told_limits(place: Place) -> None:
    """Limits stand in the record as text, and are rebuilt from it; one of your own class has to be given again."""
    told = Paced({"p1": TokenBucket(50, per=60) & Concurrency(9)})
    again = place.restored(limited(place, policy=told))
    assert again.policy == told
    assert again.run_blocking().ended == "settled"
    crash = limited(place, policy=Paced({"p1": OwnLimit()}))
    with pytest.raises(InputError, match=r"policy 'Paced' of this run can't be rebuilt.*pass policy="):
        place.restored(crash)
    again = place.restored(crash, policy=Paced({"p1": OwnLimit()}))
    assert again.run_blocking().ended == "settled"


def test_a_policy_within_another_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for as one that stands alone, and found or asked for before anything is sent."""
    crash = limited(place, policy=EarliestFinish(Patient(3.5)))
    again = place.restored(crash)
    assert again.policy == EarliestFinish(Patient(3.5))
    again.close()
    told = EarliestFinish(Paced({"p1": OwnLimit()}))
    crash = limited(place, policy=told)
    with pytest.raises(InputError, match=r"policy 'Paced' of this run can't be rebuilt.*pass policy="):
        place.restored(crash)
    again = place.restored(crash, policy=told)
    assert again.run_blocking().ended == "settled"


def test_another_backend(place: Place) -> None:
    """Jobs of one API are not asked about at another, which knows none of them: nothing is written then."""

    class Named(FakeBackend):
        async def submit(self, scene: Scene, profile: Profile) -> Operation:
            return replace(await super().submit(scene, profile), backend="first")

    session = place.session(Named(hold=frozenset(["s001"])))
    session.start(PROMPTS[:1])
    crash = place.crash(session, such(generating=1))
    before = crash.read_bytes()
    with pytest.raises(InputError, match=r"'s001' of this run is a job of the backend 'first'"):
        place.restored(crash)
    assert crash.read_bytes() == before
    right = FakeBackend()
    right.name = "first"
    assert place.restored(crash, right).run_blocking().ended == "settled"


def billing(place: Place) -> Path:
    """Return the journal of a run that was killed when its limit of two was reached, one of them under way."""
    session = place.session(FakeBackend(hold=frozenset(["s002"])), max_billed=2)
    session.start(PROMPTS[:5])
    return place.crash(session, lambda run: any(isinstance(event, ev.BillingLimitReached) for event in run.events))


def test_the_limit_counts_on(place: Place) -> None:
    """What was accepted before a kill counts, and a restored run submits nothing beyond; nor does the panel's."""
    crash = billing(place)
    fake = FakeBackend()
    again = place.restored(crash, fake)
    assert again.run_blocking().ended == "max_billed" and fake.submits == []
    again.close()
    other = place.kept(Session(fake, profiles("p1", "p2"), output=place.videos, journal=place.folder / "other"))
    (place.folder / "other").mkdir()
    shutil.copy(crash, place.folder / "other" / f"{load_run(crash).header['run']}.jsonl")
    other.restore_last_run()
    assert other.max_billed == 2
    assert other.run_blocking().ended == "max_billed" and fake.submits == []


def test_of_two_limits_the_smaller_one_holds(place: Place) -> None:
    """A session that may spend less than the run it takes up spends less."""
    crash = billing(place)
    folder = place.folder / "other"
    folder.mkdir()
    shutil.copy(crash, folder / f"{load_run(crash).header['run']}.jsonl")
    given = profiles("p1", "p2")
    other = place.kept(Session(FakeBackend(), given, output=place.videos, journal=folder, max_billed=1))
    other.restore_last_run()
    assert other.max_billed == 1


def test_a_restore_that_fails_changes_no_setting(place: Place) -> None:
    """A run whose jobs are of a profile that is not here is refused, and the session is as it was."""
    session = place.session(Stuck(hold=frozenset(["s001"])))
    session.start(PROMPTS[:1])
    crash, folder = place.crash(session, such(generating=1)), place.folder / "other"
    folder.mkdir()
    shutil.copy(crash, folder / f"{load_run(crash).header['run']}.jsonl")
    other = place.kept(Session(FakeBackend(), profiles("p9"), mode="boost", max_billed=7, journal=folder))
    with pytest.raises(InputError, match="p1"):
        other.restore_last_run()
    assert (other.mode.name, other.max_billed, other.run_blocking(["a scene"]).ended) == ("boost", 7, "settled")


def test_a_higher_limit_begins_nothing_by_itself(place: Place) -> None:
    """A run that was killed at its limit waits for `run()`, as every other: a second kill leaves nothing in doubt."""
    fake = FakeBackend()
    again = place.restored(billing(place), fake, max_billed=4)
    assert not statuses(again).keys() - {"s001", "s002", "s003", "s004", "s005"}
    assert list(statuses(again).values()).count("queued") == 3
    assert again.run_blocking().ended == "max_billed"
    assert len(fake.submits) == 2


def test_other_profiles(place: Place) -> None:
    """New ones join, capacities change; what ran on one that is gone is held with its name, if that is meant."""
    session = place.session(Stuck(hold=frozenset(["s001", "s002"])))
    session.start(PROMPTS[:2])
    crash = place.crash(session, such(generating=2))
    given = [*profiles("p2", capacity=1), *profiles("p3", quota_group="team")]
    before = crash.read_bytes()
    with pytest.raises(InputError, match=r"'s001' .* job of the profile 'p1', .* \(p2, p3\): .* without=\['p1'\]"):
        place.restored(crash, profiles=given)
    assert crash.read_bytes() == before
    again = place.restored(crash, profiles=given, without=["p1"])
    found = {scene.profile: scene for scene in (again.last_run or Run({}, [])).scenes}
    assert found["p2"].status == "generating" and found["p1"].status == "held"
    assert "without the profile 'p1'" in (found["p1"].error or "")
    assert again.last_run is not None and again.last_run.data.capacities["p2"] == 1
    run = again.run_blocking([Scene("more", "a fox"), Scene("and more", "an owl")])
    assert {scene.profile for scene in run.scenes[2:]} <= {"p2", "p3"}
    audit(run.events, Mode("test", 3, 3))


def test_what_can_not_be_chosen_at_a_restore(place: Place) -> None:
    """A profile that the run never had, and another journal, are errors before anything is written."""
    crash = limited(place)
    before = crash.read_bytes()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"without": ["nosuch"]}, r"without: 'nosuch' is no profile of this run \(p1, p2\)"),
        ({"without": "p1 "}, "without: 'p1 ' is no profile"),
        ({"journal": place.runs}, "journal: .* goes on in the same file"),
    ]
    for options, text in wrong:
        with pytest.raises(InputError, match=text):
            place.restored(crash, **options)
        assert crash.read_bytes() == before
    place.restored(crash, without=["p2"])


def test_profiles_that_cannot_be(place: Place) -> None:
    """A name that was a group's in the run is an error before anything is written."""
    crash = limited(place)
    before = crash.read_bytes()
    with pytest.raises(InputError, match="use two names"):
        place.restored(crash, profiles=[*profiles("p9", quota_group="p1")], without=["p1", "p2"])
    assert crash.read_bytes() == before
    place.restored(crash)
