"""A class that has parts offers their methods and properties as its own, and they look and behave like the part's."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from vidgen_nb.forwarding import forwarded, forwarded_property


class Engine:
    """A part."""

    def __init__(self) -> None:
        self._power = 1

    @property
    def power(self) -> int:
        """How strong it is."""
        return self._power

    @power.setter
    def power(self, power: int) -> None:
        if power < 0:
            raise ValueError("power must not be negative")
        self._power = power

    @property
    def cylinders(self) -> int:
        """How many there are."""
        return 4

    def drive(self, distance: float, *, fast: bool = False) -> str:
        """Drive some way."""
        return f"{distance:g} km {'fast' if fast else 'slowly'}"

    async def refuel(self, litres: float) -> float:
        """Fill the tank."""
        await asyncio.sleep(0)
        return litres


class Car:
    """A whole that has a part."""

    def __init__(self) -> None:
        self.engine = Engine()

    drive = forwarded("engine", Engine.drive)
    refuel = forwarded("engine", Engine.refuel)
    power = forwarded_property("engine", Engine.power)
    cylinders = forwarded_property("engine", Engine.cylinders)


class Trailer:
    """A whole whose part is one."""

    def __init__(self) -> None:
        self.car = Car()

    drive = forwarded("car", Car.drive)
    refuel = forwarded("car", Car.refuel)
    power = forwarded_property("car", Car.power)
    deep_power = forwarded_property("car.engine", Engine.power)


@pytest.mark.parametrize("whole", [Car, Trailer])
def test_a_method_has_the_parts_name_signature_and_docstring(whole: Any) -> None:
    """So that help, completion and the tooltips of an editor show them."""
    assert inspect.signature(whole.drive) == inspect.signature(Engine.drive)
    assert (whole.drive.__name__, whole.drive.__doc__) == ("drive", "Drive some way.")
    assert whole.power.__doc__ == "How strong it is."


@pytest.mark.parametrize("whole", [Car(), Trailer()], ids=["once", "twice"])
def test_calls_reach_the_part(whole: Any) -> None:
    """Arguments go in, the result comes out, and what the part refuses is raised."""
    assert whole.drive(3.0) == "3 km slowly" and whole.drive(distance=4.0, fast=True) == "4 km fast"
    with pytest.raises(TypeError, match="unexpected keyword argument 'slow'"):
        whole.drive(3.0, slow=True)
    assert asyncio.run(whole.refuel(40.0)) == 40.0


@pytest.mark.parametrize("whole", [Car, Trailer])
def test_a_coroutine_function_stays_one(whole: Any) -> None:
    """Libraries ask before they call it."""
    assert inspect.iscoroutinefunction(whole.refuel) and not inspect.iscoroutinefunction(whole.drive)


def test_a_property_is_read_and_set_through_all_parts() -> None:
    """With the checks of the part's setter; one without a setter can't be set."""
    trailer = Trailer()
    trailer.power = 7
    assert trailer.power == trailer.car.power == trailer.car.engine.power == trailer.deep_power == 7
    trailer.deep_power = 8
    assert trailer.power == 8
    with pytest.raises(ValueError, match="must not be negative"):
        trailer.power = -1
    with pytest.raises(AttributeError):
        trailer.car.cylinders = 6
    assert trailer.car.cylinders == 4


def test_it_calls_the_method_that_the_part_has_now() -> None:
    """A subclass of the part, or a part that was replaced, is asked."""

    class Electric(Engine):
        def drive(self, distance: float, *, fast: bool = False) -> str:
            return "silently"

    car = Car()
    car.engine = Electric()
    assert car.drive(1.0) == "silently"
