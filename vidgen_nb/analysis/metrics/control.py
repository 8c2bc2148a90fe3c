"""The control of a run with trouble: the same run with the same luck, in which the trouble does not happen."""

from __future__ import annotations

from math import inf

from vidgen_nb.analysis.records.builder import build
from vidgen_nb.analysis.records.model import RunData
from vidgen_nb.analysis.simulation.what_if import faults_of, what_if
from vidgen_nb.errors import InputError

__all__ = ["control_of"]


def control_of(data: RunData, trouble: tuple[float, float]) -> RunData | None:
    """Return a simulated run again, without its faults that have an end and fall into the trouble.

    If there are none, it is the run itself. None: it is a live run, or one that can't be simulated again.
    """
    backend = data.header.get("backend") or {}
    if backend.get("name") != "simulated":
        return None
    faults, left_out = faults_of(backend.get("faults", ()))
    if left_out:
        return None
    others = [each for each in faults if each.end == inf or each.end <= trouble[0] or each.start >= trouble[1]]
    if len(others) == len(faults):
        return data
    try:
        return build(*what_if(data, {"faults": others}))
    except InputError:  # such as a policy whose class is not known here
        return None
