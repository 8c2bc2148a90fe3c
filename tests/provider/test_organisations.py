"""An organisation above its accounts: one more limit, for all of them together."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import Any

import pytest

from tests.audit import audit
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs.simulated_profiles import load_simulated
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import (
    Concurrency,
    Constant,
    FixedWindow,
    Job,
    Limit,
    Organisation,
    Provider,
    Refused,
    SimulatedProfile,
    SlidingWindow,
    TokenBucket,
)
from vidgen_nb.run import Run, load_run, simulate

TEAM = Organisation("team", TokenBucket(6, per=60))
TOLD = PerProfileCooldown(honour_retry_after=True)


def accounts(organisation: Organisation | None, limit: Limit | None, **options: Any) -> list[SimulatedProfile]:
    """Return three equal accounts."""
    made = SimulatedProfile("a", limit, Constant(5), organisation=organisation)
    return [replace(made, name=name, api_key="", **options) for name in "abc"]


def accepted(run: Run) -> list[float]:
    """Return when submits were accepted."""
    return [event.at for event in run.events if isinstance(event, ev.Accepted)]


@pytest.mark.parametrize("kind", [TokenBucket, FixedWindow, SlidingWindow])
def test_its_limit_is_shared(kind: type[Limit]) -> None:
    """Three accounts with plenty each are admitted what their organisation is, exactly as one account would be."""
    limit = kind(6, per=60)  # type: ignore[call-arg]
    together = simulate(60, accounts(Organisation("team", limit), None), mode="boost", policy=TOLD)
    alone = simulate(60, [SimulatedProfile("a", limit, Constant(5))], mode="boost", policy=TOLD)
    assert accepted(together) == pytest.approx(accepted(alone), abs=1e-3)
    audit(together.events, BOOST)


def test_both_levels_hold() -> None:
    """Each account keeps below its own curve, and all together below the organisation's."""
    own = SlidingWindow(3, per=60)
    run = simulate(60, accounts(TEAM, own), mode="boost", policy=TOLD)
    times = accepted(run)
    assert all(bisect_right(times, at + 1e-6) <= 6 + at * 6 / 60 + 1e-6 for at in times)
    for name in "abc":
        mine = [each.start for each in run.attempts if each.profile == name and each.outcome == "succeeded"]
        assert all(later - earlier >= 60 - 1e-5 for earlier, later in zip(mine, mine[3:], strict=False))
    free = simulate(60, accounts(None, own), mode="boost", policy=TOLD)
    assert times[-1] > accepted(free)[-1]


def test_a_refusal_of_the_one_leaves_the_other_as_it_was() -> None:
    """What the organisation refuses uses up nothing of the account's own limit, and the other way round."""
    provider = Provider(accounts(Organisation("team", FixedWindow(2, per=60)), FixedWindow(1, per=100)))
    answers = [provider.submit(name, name, 0.0) for name in "aabc"]
    assert answers[1:] == [Refused("rate", 100.0, 100.0), answers[2], Refused("rate", 60.0, 60.0)]
    assert isinstance(provider.submit("c", "c", 60.0), Job)


def test_jobs_at_once() -> None:
    """A concurrency limit of the organisation counts all accounts' jobs, until each ends or is cancelled."""
    provider = Provider(accounts(Organisation("team", Concurrency(2)), Concurrency(2, over="queue")))
    first, second = provider.submit("a", "1", 0.0), provider.submit("b", "2", 0.0)
    assert isinstance(first, Job)
    assert isinstance(second, Job)
    assert provider.submit("c", "3", 4.9) == Refused("concurrency")
    assert provider.cancel(second, 4.9)
    assert isinstance(provider.submit("c", "3", 4.9), Job)
    assert isinstance(provider.submit("c", "4", 5.0), Job)
    assert provider.submit("c", "5", 5.0) == Refused("concurrency")


@pytest.mark.parametrize("told", [True, False])
def test_quota_groups_within_it(told: bool) -> None:
    """Groups within an organisation, known to the client or not: all three levels hold, and all scenes succeed."""
    group = accounts(TEAM, TokenBucket(3, per=60), quota_group="pair")[:2]
    run = simulate(40, [*group, accounts(TEAM, None)[2]], mode="boost", told_groups=told, policy=TOLD)
    times = accepted(run)
    assert run.metrics().scenes == {"succeeded": 40}
    assert all(bisect_right(times, at + 1e-6) <= 6 + at * 6 / 60 + 1e-6 for at in times)
    pair = sorted(each.start for each in run.attempts if each.profile != "c" and each.outcome == "succeeded")
    assert all(bisect_right(pair, at + 1e-6) <= 3 + at * 3 / 60 + 1e-6 for at in pair)
    assert run.what_if().events == run.events


def test_over_wait_knows_it() -> None:
    """A cooldown as long as the server asks ends at the true reset, whichever limit refused."""
    tight = Organisation("team", SlidingWindow(4, per=200))
    run = simulate(40, accounts(tight, FixedWindow(3, per=30))[:1], mode="boost", policy=TOLD)
    over = run.metrics().over_wait
    assert over is not None
    assert over.max == pytest.approx(0.0, abs=1e-3)
    assert len(over.values) == len(run.cooldowns)


def test_one_more_account_buys_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A copy of an account belongs to the organisation as well, also in a run that was saved and read."""
    run = simulate(60, accounts(TEAM, None), mode="boost", policy=TOLD)
    read = load_run(run.save(tmp_path / "run.jsonl"))
    assert read.what_if().events == run.events
    assert read.what_if(profiles=6).metrics().makespan == pytest.approx(run.metrics().makespan, abs=1e-3)


def test_from_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A file of profiles has the organisation in each of them."""
    path = tmp_path / "profiles.toml"
    limits = '[{kind = "token_bucket", n = 6, per = 60}]'
    path.write_text(f'[[profile]]\nname = "a"\norganisation = {{name = "team", limits = {limits}}}\n')
    assert load_simulated(path)[0].organisation == TEAM
    path.write_text('[[profile]]\nname = "a"\norganisation = "team"\n')
    with pytest.raises(FileFormatError, match="an organisation is a table with name and limits"):
        load_simulated(path)


def test_what_makes_no_sense() -> None:
    """Two limits under one name, jobs that queue, no limit, or a name alone: an error says so."""
    other = Organisation("team", TokenBucket(7, per=60))
    with pytest.raises(InputError, match="organisation 'team' has two limits"):
        Provider([SimulatedProfile("a", organisation=TEAM), SimulatedProfile("b", organisation=other)])
    with pytest.raises(InputError, match="jobs queue at a profile's limit"):
        Organisation("team", Concurrency(2, over="queue"))
    with pytest.raises(InputError, match="limit is one such as TokenBucket"):
        Organisation("team", None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"organisation is Organisation\(name, limit\)"):
        SimulatedProfile("a", organisation="team")  # type: ignore[arg-type]
