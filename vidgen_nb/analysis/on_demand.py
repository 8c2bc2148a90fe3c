"""Records some of whose fields are worked out when somebody first asks for them, and then kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

__all__ = ["OnDemand", "Question", "Way"]

Way = Callable[[], Mapping[str, Any]]
"""Works out some fields, and returns them by name."""


class Question:
    """A way that holds all that it needs and little else: copies of a record keep it, also in other processes."""

    def __call__(self) -> Mapping[str, Any]:
        """Work out some fields, and return them by name."""
        raise NotImplementedError


class OnDemand:
    """Base of a frozen dataclass with slots: a field that has no value yet gets it when it is read.

    Whoever compares or prints a record reads all of its fields; so does a copy, but for what a `Question` answers.
    """

    __slots__ = ("_ways",)
    _ways: dict[str, Way]

    @classmethod
    def later(cls, known: Mapping[str, Any], ways: Mapping[tuple[str, ...], Way]) -> Self:
        """Return a record with known fields, and others that `ways` work out: by the names of the fields, how."""
        every = {name: way for names, way in ways.items() for name in names}
        made = cls(**known, **dict.fromkeys(every))
        for name in every:
            object.__delattr__(made, name)
        object.__setattr__(made, "_ways", every)
        return made

    def questions(self) -> dict[str, Question]:
        """Return the questions whose answer nobody has asked for, by field."""
        ways: dict[str, Way] = getattr(self, "_ways", {})
        return {name: way for name, way in ways.items() if isinstance(way, Question)}

    def answered(self) -> dict[str, Any]:
        """Return the values of all fields, but for those of questions."""
        left = self.questions()
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in left}  # type: ignore[arg-type]  # a dataclass

    def share(self, known: dict[Question, Question]) -> None:
        """Put questions that are equal to a known one in its place: it is answered once."""
        for name, question in self.questions().items():
            self._ways[name] = known.setdefault(question, question)

    def __reduce__(self) -> tuple[Any, ...]:
        return _record, (type(self), self.answered(), self.questions())

    if not TYPE_CHECKING:  # a type checker would believe in any attribute

        def __getattr__(self, name: str) -> Any:
            """Work out a field that has no value yet, with all that come with it."""
            way = None if name == "_ways" else getattr(self, "_ways", {}).get(name)
            if way is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            found = way()
            for each, value in found.items():
                object.__setattr__(self, each, value)
                self._ways.pop(each, None)  # with all that it holds
            return found[name]


def _record(kind: type[OnDemand], known: dict[str, Any], questions: dict[str, Question]) -> OnDemand:
    return kind.later(known, {(name,): question for name, question in questions.items()})
