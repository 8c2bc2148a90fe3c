"""What a session says of its costs, and what it does where they reach their cap or where scenes fail alike."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from tests.fakes import FakeBackend, profiles
from tests.session.sessions import PROMPTS, Ends, seen
from vidgen_nb.core import events as ev
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.run import Run


def test_what_a_run_costs(make: Ends) -> None:
    """Spent, committed and to come, per profile and in all, while it runs and after it; a saved run says the same."""
    backend = FakeBackend(hold=frozenset({"s002"}))
    session = make(backend, price=0.4, count=2)
    assert str(session.cost) == "$0.00 spent"
    fetched, accepted = seen(session, ev.Fetched), seen(session, ev.Accepted)
    session.pause()
    session.start(PROMPTS)
    assert (session.cost.spent, session.cost.committed, session.cost.forecast) == (0, 0, 1.2)
    session.unpause()
    assert fetched.wait(10) and accepted.wait(10)
    backend.let_go()
    run = session.wait(10)
    cost = session.cost
    assert (cost.spent, cost.committed, cost.forecast, cost.total, cost.wasted) == (1.2, 0, 0, 1.2, 0)
    assert sum(each.spent for each in cost.profiles.values()) == pytest.approx(1.2)
    assert cost.scenes == dict.fromkeys(["s001", "s002", "s003"], 0.4)
    assert (run.cost.spent, run.metrics().cost, run.metrics().cost_per_video) == (1.2, 1.2, 0.4)
    assert "cost         $1.20, $0.40 a video" in repr(run.metrics())


def test_the_cap_ends_a_run_and_a_higher_one_goes_on(make: Ends) -> None:
    """`max_cost` may be set at any time; what is left waits for a higher one."""
    session = make(FakeBackend(), price="0.10/s", max_cost=1.0)
    scenes = [vg.Scene(f"s{number}", "a fox", seconds=4) for number in range(1, 5)]
    run = session.run_blocking(scenes)
    assert run.ended == "spending cap reached"
    assert (session.cost.spent, session.left_over, session.cost.max_cost) == (0.8, 2, 1.0)
    session.max_cost = 1.2
    assert session.run_blocking() is run
    assert session.cost.spent == 1.2
    session.max_cost = None
    assert session.run_blocking().ended == "settled"


def test_a_cap_needs_prices(make: Ends, tmp_path: Path) -> None:
    """Of every profile, at once, and of every scene; in one currency."""
    with pytest.raises(vg.InputError, match="max_cost needs the price of every profile, and 'p1' has none"):
        vg.Session(FakeBackend(), profiles("p1"), output=tmp_path, max_cost=1)
    session = make(FakeBackend(), count=1, price="0.10/s")
    session.max_cost = 5
    with pytest.raises(vg.InputError, match="scene 's001' does not say how long its video is"):
        session.run_blocking(["a fox"])
    with pytest.raises(vg.InputError, match="'p9' has none"):
        session.add_profile(*profiles("p9"))
    with pytest.raises(vg.InputError, match="in EUR and USD"):
        session.add_profile(*profiles("p9", price=vg.Price(0.4, currency="EUR")))
    with pytest.raises(vg.InputError, match="in EUR and USD"):
        vg.Session(FakeBackend(), [*profiles("a", price=1), *profiles("b", price="1 EUR")], output=tmp_path)
    with pytest.raises(vg.InputError, match="scene 's001' does not say how long its video is, in seconds"):
        session.run_blocking([vg.Scene("s001", "a fox", seconds="01:30")])
    session.set_price("p1", vg.Price(per_second=0.10, seconds=5))
    assert session.run_blocking(["a fox"]).cost.spent == 0.5
    with pytest.raises(vg.InputError, match="price in EUR"):
        session.set_price("p1", "0.50 EUR")


def test_what_waits_keeps_its_price(make: Ends) -> None:
    """Under a cap no edit, price or cap is taken after which nobody knows what a waiting scene costs."""
    session = make(FakeBackend(), count=1, price="0.10/s")
    session.pause()
    session.start([vg.Scene("s001", "a fox", seconds=4), "an owl"])
    with pytest.raises(vg.InputError, match="'s002' does not say how long"):
        session.max_cost = 5
    session.edit_scene("s002", seconds=4)
    session.max_cost = 5
    with pytest.raises(vg.InputError, match="'s002' does not say how long"):
        session.edit_scene("s002", seconds=None)
    session.set_price("p1", 0.40)
    session.edit_scene("s002", seconds=None)
    with pytest.raises(vg.InputError, match="'s002' does not say how long"):
        session.set_price("p1", "0.10/s")
    session.unpause()
    assert session.wait(10).cost.spent == 0.8


def test_the_cap_is_one_of_each_run(make: Ends) -> None:
    """What runs again, or is added, is of the same run; new scenes after a settled one begin another."""
    session = make(FakeBackend(), price=0.4, max_cost=0.9)
    first = session.run_blocking(PROMPTS[:2])
    session.run_again(["s001"])
    assert (session.wait(10).ended, session.cost.spent) == ("spending cap reached", 0.8)
    session.cancel("s001")
    second = session.run_blocking(PROMPTS[:2])
    assert (first.cost.spent, second.cost.spent) == (0.8, 0.8)


def test_a_restored_run_knows_what_was_spent(tmp_path: Path) -> None:
    """Prices, costs and the cap stand in the journal; a higher cap goes on."""
    options: dict[str, Any] = {"output": tmp_path / "videos", "journal": tmp_path / "runs"}
    with vg.Session(FakeBackend(), profiles("p1", price=0.4), max_cost=0.9, **options) as session:
        session.run_blocking(PROMPTS)
    with pytest.raises(vg.InputError, match="max_cost needs the price"):
        vg.Session.restore(tmp_path / "runs", FakeBackend(), profiles("p1"), output=tmp_path / "videos")
    again = profiles("p1", price=0.5)
    with vg.Session.restore(tmp_path / "runs", FakeBackend(), again, output=tmp_path / "videos") as session:
        assert (session.cost.spent, session.max_cost) == (0.8, 0.9)
        session.max_cost = 1.3
        run = session.run_blocking()
        assert (run.ended, session.cost.spent) == ("settled", 1.3), "what is left costs the new price"


def blocked(*scenes: str) -> FakeBackend:
    """Return a backend whose content policy blocks these scenes."""
    return FakeBackend(lambda scene, *_: Permanent("a face", "content") if scene in scenes else None)


def test_the_same_failure_three_times_holds_new_work_back(make: Ends) -> None:
    """It says why; `unpause()` goes on, also after what was under way has settled."""
    session = make(blocked("s001", "s002", "s003"))
    run = session.run_blocking([f"prompt {number}" for number in range(6)])
    assert run.ended == "paused after the same failure"
    assert session.paused and session.pause_reason == "the last 3 scenes failed for the same reason: a face"
    session.unpause()
    assert session.wait(10) is run
    assert (run.ended, session.paused, session.pause_reason) == ("settled", False, "")
    assert [scene.status for scene in run.scenes] == ["failed"] * 3 + ["succeeded"] * 3


def test_it_can_be_off(make: Ends) -> None:
    """`pause_after_same_failure=None`."""
    session = make(blocked("s001", "s002", "s003", "s004"), pause_after_same_failure=None)
    assert session.run_blocking([f"prompt {number}" for number in range(6)]).ended == "settled"


def test_retry_failed_leaves_moderated_scenes_alone(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """With the same prompt they would fail again; edited, by name, or if asked for, they run."""
    answers: dict[str, Any] = {"s001": Permanent("a face", "content"), "s002": Permanent("size")}
    session = make(FakeBackend(lambda scene, *_: answers.pop(scene, None)))
    run = session.run_blocking(PROMPTS)
    caplog.set_level(logging.WARNING, "vidgen_nb")
    assert session.retry_failed() == ["s002"]
    session.wait(10)
    assert "1 scene blocked by the provider's content policy is left alone: edit the prompt" in caplog.text
    assert session.retry_failed() == []
    with pytest.raises(vg.InputError, match="'s002' is succeeded"):
        session.retry_failed("s002")
    assert session.retry_failed([vg.Scene("s001", "a fox without a face")]) == ["s001"]
    session.wait(10)
    assert next((scene.prompt, scene.status) for scene in run.scenes) == ("a fox without a face", "succeeded")


def test_on_end_is_called_once_with_the_run(make: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """Before whoever waits goes on; what it raises is shown, and loses nothing."""
    ended: list[tuple[Run, str | None, str]] = []

    def on_end(run: Run) -> None:
        ended.append((run, run.ended, threading.current_thread().name))
        raise RuntimeError("no mail server")

    session = make(FakeBackend(), on_end=on_end)
    run = session.run_blocking(PROMPTS)
    assert [each[:2] for each in ended] == [(run, "settled")]
    assert [scene.status for scene in run.scenes] == ["succeeded"] * 3
    assert "no mail server" in caplog.text
    session.run_blocking(["another"])
    assert len(ended) == 2
    with pytest.raises(vg.InputError, match="on_end is a function"):
        make(FakeBackend(), on_end="mail")


def test_on_end_is_not_awaited(make: Ends) -> None:
    """An `async def` would never run: that is said before anything else is."""

    async def on_end(_run: Run) -> None: ...

    with pytest.raises(vg.InputError, match="on_end is called, not awaited"):
        make(FakeBackend(), on_end=on_end)


def test_on_end_may_start_the_next_run(make: Ends) -> None:
    """Which is one of its own."""
    more = [["another"], ["a third"]]
    session: vg.Session = make(FakeBackend(), on_end=lambda _run: session.start(more.pop()) if more else None)
    assert len(session.run_blocking(PROMPTS).scenes) == 3
    assert session.wait(10).ended == "settled" and not more
