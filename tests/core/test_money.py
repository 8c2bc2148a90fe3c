"""Prices, and amounts that add up."""

from __future__ import annotations

import math
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.core.money import amount_text, as_price, from_micros, micros

SCENE = vg.Scene("s001", "a lighthouse", seconds="8")


@pytest.mark.parametrize(
    ("given", "costs"),
    [
        (0.40, 400_000),
        (2, 2_000_000),
        ("0.40", 400_000),
        ("0.10/s", 800_000),
        ("0.10 / s EUR", 800_000),
        ("0.10/sec", 800_000),
        ("0.10 /second USD", 800_000),
        ("5credits", 5_000_000),
        ({"per_second": 0.1, "currency": "credits"}, 800_000),
        (vg.Price(per_job=0.05, per_second=0.07), 610_000),
        (0, 0),
    ],
)
def test_what_a_job_costs(given: Any, costs: int) -> None:
    """A number is a price per job; a text, a table of a file or a `Price` says so or per second of video."""
    price = as_price(given)
    assert price is not None and price.of(SCENE) == costs


@pytest.mark.parametrize(
    ("params", "costs"),
    [({"seconds": 4}, 400_000), ({"duration": "5s"}, 500_000), ({"duration_seconds": 6.5}, 650_000), ({}, None),
     ({"seconds": "long"}, None), ({"seconds": ""}, None), ({"seconds": "", "duration": "5"}, 500_000)],
)  # fmt: skip
def test_how_long_a_video_is(params: dict[str, Any], costs: int | None) -> None:
    """Its scene says so under the names that APIs have for it; else the price may, or it is not known."""
    scene = vg.Scene("s1", "a fox", **params)
    assert vg.Price(per_second=0.1).of(scene) == costs
    assert vg.Price(per_second=0.1, seconds=10).of(vg.Scene("s1", "a fox")) == 1_000_000


@pytest.mark.parametrize(
    "wrong",
    [-1, True, math.inf, math.nan, "free", "1.2.3", "0.1/min", [1], {"per_minute": 1}, {"currency": ""}, 1e12, 1e-9,
     "1e30", "5 per second", "0.4 job", "0.10/s per", "0.10/sUSD", "0.10 ſ", {"seconds": 4}, {}],
)  # fmt: skip
def test_what_is_no_price(wrong: Any) -> None:
    """It says what a price looks like."""
    with pytest.raises(vg.InputError, match="price is a number per job"):
        as_price(wrong)
    with pytest.raises(vg.InputError, match="profile 'alice': price"):
        vg.Profile("alice", price=wrong)
    with pytest.raises(vg.InputError, match="profile 'alice': price"):
        vg.SimulatedProfile("alice", price=wrong)


@pytest.mark.parametrize("seconds", ["00:04", "1 minute", "long", True, 1e300])
def test_a_length_that_cannot_be_read_has_no_price(seconds: Any) -> None:
    """The price's own `seconds` are for scenes that name none: this one may be a minute."""
    assert vg.Price(per_second=0.1, seconds=4).of(vg.Scene("s1", "a fox", duration=seconds)) is None


def test_a_currency_code_is_one_in_any_case() -> None:
    """So that what a provider tells in US dollars counts."""
    assert vg.Price(0.4, currency="usd") == vg.Price(0.4)
    assert vg.Price(0.4, currency="Credits").currency == "Credits"


def test_a_key_in_its_place_is_not_quoted() -> None:
    """Two variables of the environment are easily mixed up."""
    with pytest.raises(vg.InputError, match="this text is none") as raised:
        as_price("sk-oops")
    assert "oops" not in str(raised.value)


def test_amounts_add_up() -> None:
    """Ten tenths are one, and a tenth and two tenths show as 0.3."""
    assert from_micros(micros(0.1) + micros(0.2)) == 0.3
    assert sum(micros(0.1) for _ in range(10)) == micros(1)


def test_how_amounts_read() -> None:
    """Two places, or more where they are needed."""
    texts = [amount_text(micros(amount), currency) for amount, currency in
             [(1.2, "USD"), (0, "USD"), (0.0025, "USD"), (1234.5, "EUR"), (-0.5, "USD"), (30, "credits")]]  # fmt: skip
    assert texts == ["$1.20", "$0.00", "$0.0025", "1,234.50 EUR", "-$0.50", "30.00 credits"]
    assert str(vg.Price(0.5, 0.1)) == "$0.50 + $0.10 a second"


def test_a_price_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`<NAME>_PRICE` beside `<NAME>_API_KEY`, unless one is given."""
    monkeypatch.setenv("ALICE_API_KEY", "sk-alice")
    assert vg.Profile.from_env("alice").price is None
    monkeypatch.setenv("ALICE_PRICE", "0.10/s")
    assert vg.Profile.from_env("alice").price == vg.Price(per_second=0.10)
    assert vg.Profile.from_env("alice", price=0.4).price == vg.Price(0.4)


def test_any_amount_is_read_as_text() -> None:
    """An amount beyond all sense, as a file may hold it, is a long number and no error."""
    assert amount_text(micros(1.797e302)) == amount_text(micros(math.inf)) == "$1" + amount_text(micros(1e300))[2:]
    assert amount_text(micros(-math.inf)).startswith("-$1,000")
