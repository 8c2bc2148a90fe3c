"""For a class that is put together from parts, and offers some of their methods and properties as its own.

    class Session:
        def __init__(self): self._closer = Closer(...)
        close = forwarded("_closer", Closer.close)
        is_closed = forwarded_property("_closer", Closer.is_closed)

Signature, docstring and types are those of the part, so each is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from operator import attrgetter
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

__all__ = ["forwarded", "forwarded_property"]

P = ParamSpec("P")
T = TypeVar("T")


def forwarded(part: str, method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """Return a method that calls the part's method; `part` is the name of the attribute with the part, dots allowed.

    The method of a coroutine function is one, too: that can be asked of it (`inspect.iscoroutinefunction`).
    """
    part_of, name = attrgetter(part), method.__name__

    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(part_of(self), name)(*args, **kwargs)

    async def call_and_await(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await getattr(part_of(self), name)(*args, **kwargs)

    wrapper: Any = wraps(method)(call_and_await if iscoroutinefunction(method) else call)
    method_of_whole: Callable[Concatenate[Any, P], T] = wrapper
    return method_of_whole


class forwarded_property(Generic[T]):  # noqa: N801 - used like `property`
    """A property that reads and sets the part's property."""

    def __init__(self, part: str, source: Callable[[Any], T] | forwarded_property[T]) -> None:
        """`source` is the property of the part's class; it may be a forwarded one itself."""
        found: Any = source
        self._part_of = attrgetter(part)
        self._name: str = found._name if isinstance(found, forwarded_property) else found.fget.__name__  # noqa: SLF001
        self.__doc__ = found.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            return self
        value: T = getattr(self._part_of(instance), self._name)
        return value

    def __set__(self, instance: object, value: Any) -> None:
        setattr(self._part_of(instance), self._name, value)
