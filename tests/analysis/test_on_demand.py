"""Fields that are worked out when somebody asks for them."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import pytest

from vidgen_nb.analysis.on_demand import OnDemand, Question


@dataclass(frozen=True, slots=True)
class Box(OnDemand):
    """A record with three fields."""

    name: str
    wide: int
    high: int
    deep: int = 1


@dataclass(frozen=True)
class Doubled(Question):
    """How deep it is."""

    half: int
    asked: list[int]

    def __call__(self) -> dict[str, int]:
        """Return it, and note that it was asked."""
        self.asked.append(self.half)
        return {"deep": 2 * self.half}

    def __hash__(self) -> int:
        return hash(self.half)


def sent(record: Box) -> Box:
    """Return what arrives in another process."""
    arrived: Box = pickle.loads(pickle.dumps(record))  # noqa: S301 - it was made here
    return arrived


def box(asked: list[str]) -> Box:
    """Return one whose width and height are worked out together."""

    def sides() -> dict[str, int]:
        asked.append("sides")
        return {"wide": 3, "high": 4}

    return Box.later({"name": "b"}, {("wide", "high"): sides})


def test_a_field_is_worked_out_once_with_those_that_come_with_it() -> None:
    """Not before somebody asks."""
    asked: list[str] = []
    made = box(asked)
    assert (made.name, made.deep, asked) == ("b", 1, [])
    assert (made.high, made.wide, made.high, asked) == (4, 3, 4, ["sides"])


def test_it_is_a_record_like_any_other() -> None:
    """Comparing, printing, copying and pickling read every field."""
    plain = Box("b", 3, 4)
    assert box([]) == plain
    assert repr(box([])) == repr(plain)
    assert sent(box([])) == copy.deepcopy(box([])) == copy.copy(box([])) == plain
    with pytest.raises(AttributeError, match="no attribute 'heavy'"):
        _ = box([]).heavy  # type: ignore[attr-defined]


def test_copies_keep_a_question() -> None:
    """Its answer is asked for there."""
    made = Box.later({"name": "b", "wide": 3, "high": 4}, {("deep",): Doubled(5, [])})
    there = sent(made)
    assert list(there.questions()) == list(made.questions()) == ["deep"]
    assert there.deep == 10
    assert not there.questions()


def test_equal_questions_are_one() -> None:
    """So that what they keep serves all records that ask the same."""
    asked: list[int] = []
    known: dict[Question, Question] = {}
    several = [Box.later({"name": "b", "wide": 3, "high": 4}, {("deep",): Doubled(n, asked)}) for n in (5, 5, 6)]
    for each in several:
        each.share(known)
    first, second, other = (each.questions()["deep"] for each in several)
    assert first is second is not other
