"""What a hand did while a run went on."""

from __future__ import annotations

from vidgen_nb.analysis.records.hand_marks import MAX_LIVE_MARKS, HandMarks, hand_marks
from vidgen_nb.analysis.records.live_window import Recent
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import BOOST, NORMAL, RetryPolicy
from vidgen_nb.policies.cooldowns import PerProfileCooldown

BEFORE = [
    ev.ModeChanged(NORMAL, at=0.0), ev.PolicyChanged(PerProfileCooldown(), at=0.0),
    ev.ProfileAdded("p1", 3, at=0.0), ev.BillingLimitChanged(30, at=0.0), ev.RunStarted(at=0.0),
]  # fmt: skip


def test_each_is_said_in_a_few_words() -> None:
    """What was set before the run began is none."""
    hands = [
        ev.ModeChanged(BOOST, at=1.0), ev.PolicyChanged(PerProfileCooldown(), at=2.0), ev.Paused(at=3.0),
        ev.Unpaused(at=4.0), ev.ProfileChanged("p1", 5, at=5.0), ev.ProfileRemoved("p1", at=6.0),
        ev.ProfileAdded("p1", 5, at=7.0), ev.CooldownReleased("p1", at=8.0), ev.BillingLimitChanged(None, at=9.0),
        ev.CancelRequested("s1", at=10.0), ev.CancelRequested(at=11.0), ev.Stopped(at=12.0),
    ]  # fmt: skip
    marks = hand_marks([*BEFORE, *hands])
    assert [mark.at for mark in marks] == [event.at for event in hands]
    assert [mark.text for mark in marks] == [
        "mode: normal → boost", "policy: PerProfileCooldown", "paused: nothing new is submitted", "resumed",
        "parallel on p1: 3 → 5", "p1 off", "p1 on", "cooldown of p1 released", "spending cap: none", "cancelled s1",
        "cancelled everything", "stopped: what was running went on",
    ]  # fmt: skip


def test_a_restore_is_no_hand() -> None:
    """What a program does to take over is none, nor what is set until Run is pressed again."""
    broken = [
        ev.Stopped(ev.StopReason.BROKEN_OFF, at=5.0), ev.CooldownReleased("p1", at=5.0),
        ev.RunRestored(0.0, 1.0, 0, RetryPolicy(), "hold", 60.0, at=9.0), ev.ModeChanged(BOOST, at=9.5),
        ev.RunStarted(at=10.0),
    ]  # fmt: skip
    assert hand_marks([*BEFORE, *broken]) == []
    assert [mark.text for mark in hand_marks([*BEFORE, *broken, ev.Paused(at=11.0)])] == [
        "paused: nothing new is submitted"
    ]


def test_a_live_window_keeps_the_latest() -> None:
    """As the records of a whole run have them."""
    hands: list[ev.Event] = [ev.Paused(at=float(at)) for at in range(1, 100)]
    recent = Recent()
    recent([*BEFORE, *hands])
    found = recent.data().marks
    assert found == hand_marks([*BEFORE, *hands])[-MAX_LIVE_MARKS:]
    assert len(HandMarks().marks) == 0
