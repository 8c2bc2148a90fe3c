"""Independent clients of one provider: each has a queue, a scheduler and a policy of its own, and knows of no other.

Profiles of one run share its queue, so a scene that one of them bounces goes to the next, and what they do is planned
together. Programs that use the same accounts without knowing of each other do neither: that is what clients are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from vidgen_nb.analysis.records.fast_dataclass import collector_paused
from vidgen_nb.analysis.simulation.simulate import Simulation
from vidgen_nb.analysis.validation import is_number, listed
from vidgen_nb.core import events as ev
from vidgen_nb.core.model import Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.drivers.virtual import run_together
from vidgen_nb.errors import InputError
from vidgen_nb.policies.registry import as_policy

__all__ = ["client_name", "clients_of", "run_clients"]


def client_name(place: int) -> str:
    """Return the name of a client, counted from 0: c001 is the first."""
    return f"c{place + 1:03}"


def clients_of(count: Any, simulation: Simulation, policies: Any, arrivals: Any) -> list[Simulation]:
    """Return so many clients like this one; policies and arrivals may differ from client to client.

    Each has the same scenes under ids of its own, such as `c001-s001`: their service times differ.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"clients is how many, 1 or more, not {count!r}")
    chosen = _for_each(count, "policy", policies, is_one=isinstance(policies, str | Policy))
    is_one = hasattr(arrivals, "times") or (isinstance(arrivals, Sequence) and all(map(is_number, arrivals)))
    coming = _for_each(count, "arrivals", arrivals, is_one=is_one)
    return [
        replace(
            simulation,
            scenes=[_own(client_name(place), scene) for scene in simulation.scenes],
            policy=simulation.policy if policy is None else as_policy(policy),
            arrivals=_drawn(each, simulation, place),
        )
        for place, policy, each in zip(range(count), chosen, coming, strict=True)
    ]


def _luck(seed: int, place: int) -> Random:
    """Return what a client's jitter is drawn from: other numbers than every other client's."""
    return Random(f"{seed}\x1f{client_name(place)}")  # noqa: S311 - no secret


def _drawn(arrivals: Any, simulation: Simulation, place: int) -> Any:
    """Return a client's arrivals; a process, which has `times`, is drawn for each client anew."""
    if not hasattr(arrivals, "times"):
        return arrivals
    return list(arrivals.times(len(simulation.scenes), _luck(simulation.seed, place).getrandbits(32)))


def _for_each(count: int, name: str, value: Any, *, is_one: bool) -> list[Any]:
    """Return a value for each client, from one for all or a list with one for each."""
    if value is None or is_one:
        return [value] * count
    several = listed(name, value, "one for all clients, or a list with one for each")
    if len(several) != count:
        raise InputError(f"{name} has {len(several)} values for {count} clients: give one for all, or one for each")
    return several


def _own(client: str, scene: Scene) -> Scene:
    return Scene(f"{client}-{scene.id}", scene.prompt, **scene.params)


def run_clients(clients: Sequence[Simulation]) -> list[tuple[dict[str, Any], list[ev.Event]]]:
    """Run clients of one provider together in virtual time, and return each one's header and events.

    The provider is that of the first. Each client draws its jitter from (seed, its place), service times come from the
    seed and the scene alone.
    """
    with collector_paused():
        provider = clients[0].provider()
        drivers = [client.driver(provider, _luck(client.seed, place)) for place, client in enumerate(clients)]
        run_together(drivers)
        found = []
        for place, (client, driver) in enumerate(zip(clients, drivers, strict=True)):
            events = driver.scheduler.events
            header = {**client.header(driver.asked), "client": client_name(place), "clients": len(clients)}
            found.append((header, events))
        return found
