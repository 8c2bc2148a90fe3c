"""A class that is put together from parts, and offers methods and properties of theirs as its own.

    class Session:
        def __init__(self): self._closer = Closer(...)
        close = forwarded("_closer", Closer.close)
        is_closed = forwarded_property("_closer", Closer.is_closed)

Signature, docstring and types are the part's; only the part is named twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

__all__ = ["forwarded", "forwarded_property"]

P = ParamSpec("P")
T = TypeVar("T")


def forwarded(part: str, method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """Return a method that calls the part's; `part` is the attribute that holds it, with dots if it lies deeper."""
    part_of, name = attrgetter(part), method.__name__

    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = getattr(part_of(self), name)(*args, **kwargs)
        return result

    return wraps(method)(call)


class forwarded_property(Generic[T]):  # noqa: N801 - used like `property`
    """A property that reads and sets the part's."""

    def __init__(self, part: str, source: Callable[[Any], T] | forwarded_property[T]) -> None:
        """`source`: the property of the part's class, which may be forwarded itself."""
        found: Any = source
        self._part_of = attrgetter(part)
        self.name: str = found.name if isinstance(found, forwarded_property) else found.fget.__name__
        self.__doc__ = found.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            return self
        value: T = getattr(self._part_of(instance), self.name)
        return value

    def __set__(self, instance: object, value: Any) -> None:
        setattr(self._part_of(instance), self.name, value)
