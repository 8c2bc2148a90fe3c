"""Money: what a job costs, and amounts in whole millionths of a currency, so that sums are exact.

Amounts inside are such millionths ("micros"); what people give and read are numbers of the currency, such as 0.40.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError

__all__ = ["MICROS", "Price", "amount_text", "as_max_cost", "as_price", "from_micros", "micros"]

MICROS: Final = 1_000_000
MAX_AMOUNT: Final = 1e9
"""More is a mistake, of money and of seconds."""
LARGEST: Final = 1e300
"""More in millionths is no number any more."""
CODE_LENGTH: Final = 3
"""Letters of a currency's code."""
LENGTH_PARAMETERS: Final = ("seconds", "duration", "duration_seconds")
"""A scene's parameters that may say how long its video is; the first that is there counts."""
_CURRENCY: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,15}")
_TEXT: Final = re.compile(r"\s*([0-9.]+)\s*(/\s*s(?:ec(?:ond)?)?\b)?\s*([A-Z]{3}|credits)?\s*", re.ASCII)
"""Of other currencies than `credits` the codes only: what else follows a number may be a unit, such as "per second"."""


def micros(amount: float) -> int:
    """Return an amount in millionths, rounded; beyond all sense, as a file may hold it, it is the largest there is."""
    return round(max(-LARGEST, min(amount, LARGEST)) * MICROS)


def from_micros(amount: int) -> float:
    """Return an amount of millionths as a number of the currency: three times 0.1 is 0.3."""
    return amount / MICROS


def amount_text(amount: int, currency: str = "USD") -> str:
    """Return an amount of millionths as people read it: `$1.20`, `0.0025 EUR`.

    >>> amount_text(1_200_000)
    '$1.20'
    """
    whole, rest = divmod(abs(amount), MICROS)
    digits = f"{rest:06}".rstrip("0").ljust(2, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}${whole:,}.{digits}" if currency == "USD" else f"{sign}{whole:,}.{digits} {currency or 'USD'}"


@dataclass(frozen=True)
class Price:
    """What a job costs on a profile: so much per job, so much per second of video, or both.

    >>> Price(per_second=0.10).of(Scene("s001", "a lighthouse", seconds=8))
    800000

    A plain number, wherever a price is given, is a price per job; as text it may be `"0.10/s"`, `"0.40 EUR"` or
    `"5 credits"`. Raises `InputError` for an amount that is no number from 0 up.
    """

    per_job: float = 0.0
    per_second: float = 0.0
    """Per second of video: times the scene's `seconds` (or `duration`)."""
    currency: str = "USD"
    """All profiles of a session have the same."""
    seconds: float | None = None
    """How long a video is whose scene has no parameter for it; None: then its price is not known."""
    failed: bool = False
    """Whether the provider also charges for a job that it accepted and that failed. Most don't."""

    def __post_init__(self) -> None:
        for name in ("per_job", "per_second"):
            object.__setattr__(self, name, _amount(name, getattr(self, name)))
        if self.seconds is not None and not _amount("seconds", self.seconds) > 0:
            raise InputError(f"Price: seconds is the length of a video, more than 0, not {self.seconds!r}")
        if not isinstance(self.currency, str) or not _CURRENCY.fullmatch(self.currency):
            raise InputError(f"Price: currency is a short text such as 'USD' or 'credits', not {self.currency!r}")
        if len(self.currency) == CODE_LENGTH:  # 'usd' is no other currency
            object.__setattr__(self, "currency", self.currency.upper())
        if not isinstance(self.failed, bool):
            raise InputError(f"Price: failed is True or False, not {self.failed!r}")

    def of(self, scene: Scene) -> int | None:
        """Return what one job of a scene costs, in millionths.

        None: it is not known how long the scene's video is: nothing says so, or its parameter is no number of seconds.
        """
        if not self.per_second:
            return micros(self.per_job)
        names = [name for name in LENGTH_PARAMETERS if scene.params.get(name) not in (None, "")]
        seconds = _seconds(scene.params[names[0]]) if names else self.seconds
        return None if seconds is None else micros(self.per_job) + round(micros(self.per_second) * seconds)

    def __str__(self) -> str:
        parts = [amount_text(micros(self.per_job), self.currency)] if self.per_job or not self.per_second else []
        if self.per_second:
            parts.append(f"{amount_text(micros(self.per_second), self.currency)} a second")
        return " + ".join(parts)


def as_price(value: Any, what: str = "price") -> Price | None:
    """Return a price from what people give: a `Price`, a number (per job), a text, or a table of a file; None: none.

    >>> as_price("0.10/s")
    Price(per_job=0.0, per_second=0.1, currency='USD', seconds=None, failed=False)
    """
    if value is None or isinstance(value, Price):
        return value
    try:
        if isinstance(value, Mapping):
            if value.keys().isdisjoint(("per_job", "per_second")):  # else it would be free
                raise InputError("neither per_job nor per_second is given")
            return Price(**value)
        if isinstance(value, str):
            return _from_text(value)
        return Price(per_job=value)
    except (TypeError, InputError) as error:
        raise InputError(
            f"{what} is a number per job, such as 0.40, a text such as '0.10/s', or Price(per_second=0.10): {error}"
        ) from None


def as_max_cost(value: Any) -> float | None:
    """Return how much a run may cost, or None for no bound; `InputError` for anything else."""
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= MAX_AMOUNT:
        raise InputError(f"max_cost is an amount of money above 0, such as 5.00, or None for no bound, not {value!r}")
    return float(value)


def _from_text(text: str) -> Price:
    found = _TEXT.fullmatch(text)
    if found is None:  # quoted only if it may be meant as one: a key may have come here by mistake
        raise InputError(f"{text!r} is no price" if text.strip()[:1] in "0123456789.,+-$€£¥" else "this text is none")
    number, a_second, currency = found.groups()
    try:
        amount = float(number)
    except ValueError:
        raise InputError(f"{text!r} is no price") from None
    return Price(**{"per_second" if a_second else "per_job": amount}, currency=currency or "USD")  # type: ignore[arg-type]


def _amount(name: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_AMOUNT:
        raise InputError(f"Price: {name} is a number from 0 up, not {value!r}")
    if value and not micros(value):  # it would be free
        raise InputError(f"Price: {name} is at least a millionth, or 0, not {value!r}")
    return float(value)


def _seconds(value: Any) -> float | None:
    """Return a length in seconds as a parameter has it: 8, "8", "8s"; None: it can't be read, as "00:08"."""
    if isinstance(value, str):
        value = value.strip().removesuffix("s")
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds <= MAX_AMOUNT else None
