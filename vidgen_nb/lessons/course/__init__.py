"""The exercises of the course, one for each of its notebooks, by name.

Each goal was chosen by a search so that it can be reached, and not by the default; `tests/lessons/test_course.py` holds
that a known solution passes and the naive answer fails. Solutions stand in notebooks of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from vidgen_nb.lessons.course.hidden_limits import limits
from vidgen_nb.lessons.course.many_clients import jitter, retry_budget
from vidgen_nb.lessons.course.policies import beat_paced, global_pause, retry_after
from vidgen_nb.lessons.course.recorded import inference, next_profile
from vidgen_nb.lessons.course.resume import resume
from vidgen_nb.lessons.course.settings import slots, tail
from vidgen_nb.lessons.exercise import Exercise

__all__ = ["EXERCISES"]

EXERCISES: Final[Mapping[str, Callable[[], Exercise]]] = {
    "next-profile": next_profile,
    "limits": limits,
    "retry-after": retry_after,
    "global-pause": global_pause,
    "jitter": jitter,
    "slots": slots,
    "tail": tail,
    "retry-budget": retry_budget,
    "inference": inference,
    "beat-paced": beat_paced,
    "resume": resume,
}
"""In the order of the course's notebooks, 00 to 10."""
