"""Independent clients on one provider, in virtual time: what they did, each one's run and all together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, overload

from vidgen_nb.analysis.simulation.clients import clients_of, run_clients
from vidgen_nb.analysis.simulation.overrides import as_scenes, check_names, checks_options
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import as_profiles, plain_number, seconds
from vidgen_nb.core.model import Mode, as_mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.exports.perfetto import write_perfetto
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.run import Run
from vidgen_nb.wording.durations import duration
from vidgen_nb.wording.standing import standings_text

__all__ = ["ClientRuns", "simulate_clients"]


class ClientRuns(Sequence[Run]):
    """The runs of independent clients, one for each, on one time axis: run seconds are the same for all."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = list(runs)

    @property
    def calls(self) -> int:
        """Submits of all clients, refused ones too."""
        return sum(len(run.attempts) for run in self.runs)

    @property
    def refused(self) -> int:
        """Submits of all clients that got a 429."""
        return sum(attempt.outcome == "rate_limited" for run in self.runs for attempt in run.attempts)

    @property
    def successes(self) -> list[float]:
        """When scenes succeeded, of all clients, in order: what goodput is counted from."""
        return sorted(
            scene.end for run in self.runs for scene in run.scenes if scene.status == "succeeded" and scene.end
        )

    @property
    def makespan(self) -> float | None:
        """When the last scene of any client had succeeded, in run seconds; None: none did."""
        return max(self.successes, default=None)

    @property
    def statuses(self) -> dict[str, int]:
        """Scenes of all clients by status."""
        return dict(Counter(scene.status for run in self.runs for scene in run.scenes))

    def goodput(self, window: float) -> list[float]:
        """Return the scenes that succeeded per second, in each window of so many seconds from start to end."""
        length = seconds("window", window, zero=False)
        counts = Counter(int(at // length) for at in self.successes)
        last = max((run.events[-1].at for run in self.runs), default=0.0)
        return [counts[place] / length for place in range(int(last // length) + 1)]

    def to_perfetto(self, path: str | os.PathLike[str]) -> Path:
        """Write all runs as one trace that https://ui.perfetto.dev opens, each client's profiles apart; see `Run`."""
        return write_perfetto(path, {f"client {number}": run.data for number, run in enumerate(self.runs, 1)})

    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, place: int) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> list[Run]: ...
    def __getitem__(self, place: int | slice) -> Run | list[Run]:
        return self.runs[place]

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>"

    def __repr__(self) -> str:
        counts = standings_text(self.statuses) or "no scenes"
        took = f" in {duration(self.makespan)}" if self.makespan is not None else ""
        calls = f"{self.calls:,} calls, {self.refused:,} of them refused with a 429"
        return f"<{len(self):,} clients: {counts}{took}; {calls}>"


@checks_options
def simulate_clients(
    clients: int,
    scenes: Any,
    profiles: Iterable[SimulatedProfile],
    *,
    mode: Mode | str = "normal",
    policy: Policy | str | Sequence[Policy | str] | None = None,
    seed: int = 0,
    arrivals: Any = None,
    **options: Any,
) -> ClientRuns:
    """Run independent clients of one provider in virtual time, and return their runs, which share one time axis.

    `clients`: how many. Each has its own queue, scheduler and policy, draws its own jitter, and knows of no other; all
    use the same accounts, `profiles`. `scenes`: of each client, as in `simulate`; their ids begin with the client's
    name, such as `c001-s001`. `policy` and `arrivals`: one for all, or a list with one for each; an arrival process is
    drawn for each client. The rest is as in `simulate`. A provider's capacity counts all clients' jobs, each client's
    scheduler its own.

    Clients that are refused together come back together, unless they wait for different times: AWS, "Exponential
    Backoff And Jitter" (2015). Raises `InputError` for what can't be simulated.

    >>> found = simulate_clients(40, 1, [SimulatedProfile("api", TokenBucket(1, per=1))], policy="ExponentialCooldown")
    >>> found.calls, found.makespan
    """
    base = Simulation(
        as_scenes(scenes), as_profiles(profiles), as_mode(mode), PerProfileCooldown(), seed=seed, **options
    )
    made = clients_of(plain_number(clients), base, policy, arrivals)
    check_names(made)
    return ClientRuns(Run(*each) for each in run_clients(made))
