"""Where two runs part: the first moment at which one decided what the other did not."""

from __future__ import annotations

from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.analysis.experiments.parting import Parting, parting_of
from vidgen_nb.core.events import CancelRequested, CooldownImposed

FOUR = vg.demo_profiles()


def parted(one: dict[str, Any], other: dict[str, Any], scenes: int = 24, **both: Any) -> Parting | None:
    """Return where two runs part that differ in these arguments of `simulate`."""
    given: dict[str, Any] = {"scenes": scenes, "profiles": FOUR, "mode": "boost"} | both
    runs = [vg.simulate(**given | own) for own in (one, other)]
    return parting_of({"one": runs[0].data, "other": runs[1].data})


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({}, {}, None),
        (
            {"latency": 0.4}, {"latency": 0.4, "profiles": vg.demo_profiles(6)},
            (0.0, "s005", "s005 starts on alice (next in turn)", "s005 starts on p5 (next in turn)"),
        ),
        (
            {"scenes": 4}, {"scenes": 3},
            (0.0, "s004", "s004 starts on delta (next in turn)", "s004 is not among its scenes"),
        ),
        (
            {}, {"faults": [vg.Fault("content", scene="s003")]},
            (0.0, "s003", "s003 succeeds at 18.6 s", "s003 fails (content)"),
        ),
        (
            {"latency": 0.4}, {"latency": 0.4, "mode": "normal"},
            (0.0, "s002", "s002 starts on bruno (next in turn)", "s002 starts on bruno at 0.4 s (next in turn)"),
        ),
        (
            {"policy": vg.PerProfileCooldown(10)}, {"policy": vg.PerProfileCooldown(60)},
            (0.0, "s009", "alice rests until 10.0 s (429 rate)", "alice rests until 60.0 s (429 rate)"),
        ),
        (
            {"arrivals": [3.0] * 24}, {"arrivals": [4.0] * 24},
            (3.0, "s001", "s001 starts on alice (next in turn)", "s001 starts on alice at 4.0 s (next in turn)"),
        ),
        (
            {"scenes": 1, "cooldowns": [CooldownImposed("bruno", 5.0, "known")]},
            {"scenes": 1, "cooldowns": [CooldownImposed("bruno", 6.0, "known")]},
            (0.0, None, "bruno rests until 5.0 s (known)", "bruno rests until 6.0 s (known)"),
        ),
        (
            {"scenes": 2}, {"scenes": 2, "requests": [(5.0, CancelRequested("s002"))]},
            (5.0, "s002", "s002 succeeds at 19.6 s", "s002 is cancelled (cancelled by the user)"),
        ),
    ],
)  # fmt: skip
def test_the_first_difference(one: dict[str, Any], other: dict[str, Any], found: Any) -> None:
    """The moment, the scene, and what each did, from the reasons that were recorded."""
    said = parted(one, other)
    assert (said and (round(said.at, 1), said.scene, said.did["one"], said.did["other"])) == found


def test_order_within_a_moment_is_no_difference() -> None:
    """Profiles in another order get the same scenes at other places: that is one. Equal sets of decisions are none."""
    assert parted({}, {"profiles": FOUR[::-1]}) is not None
    run = vg.simulate(6, FOUR, mode="boost").data
    assert parting_of({"one": run, "other": run}) is None


def test_words_name_at_most_six_profiles() -> None:
    """A pause of ten profiles does not fill the page; foreign names are shown on one line."""
    tight = [vg.SimulatedProfile("p0", vg.TokenBucket(1, per=60), vg.Constant(5))]
    many = [*tight, *(vg.SimulatedProfile(f"p{n}\n", None, vg.Constant(5), 1) for n in range(1, 10))]
    found = parted({"policy": "GlobalPause"}, {"policy": "PerProfileCooldown"}, 30, profiles=many)
    assert found is not None
    assert "p0, p1, p2, p3, p4, p5 and 4 more rest until" in found.did["one"]
    assert "\n" not in str(found)
