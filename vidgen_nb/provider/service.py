"""How long a job takes: service-time distributions, drawn once per scene.

The service time of (scene, profile) is mean_p · z_i. z_i depends on (seed, scene id) alone, so a scene is equally long
or short under every policy, on every profile and in every attempt: comparisons are paired. All distributions are read
at the same quantile u_i, so profiles may differ in more than their mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b as _blake2b
from statistics import NormalDist
from struct import unpack
from typing import Final

from vidgen_nb.errors import InputError

__all__ = ["Constant", "Empirical", "Exponential", "LogNormal", "Service", "uniform", "uniforms"]

_NORMAL: Final = NormalDist()
# libm differs in the last digit between platforms: z is rounded to the digits that agree
_DIGITS: Final = 9
_WHOLE_NUMBERS: Final = 1.5 * 2.0**52
"""Floats of this size have no fraction: adding it rounds to a whole number."""


def uniform(*key: object) -> float:
    """Return a key's number strictly between 0 and 1, the same on every Python version and platform."""
    text = "\x1f".join(map(str, key)).encode("utf-8", "surrogatepass")
    bits = int.from_bytes(_blake2b(text, digest_size=8).digest(), "big") >> 12
    return (bits + 0.5) / 4503599627370496.0  # 2**52


def uniforms(*key: object, last: Iterable[object]) -> list[float]:
    """Return `uniform(*key, each)` for each of `last`, several times as fast."""
    prefix = _blake2b("".join(f"{each}\x1f" for each in key).encode("utf-8", "surrogatepass"), digest_size=8)
    copy, digests = prefix.copy, []
    for each in last:
        whole = copy()
        whole.update(str(each).encode("utf-8", "surrogatepass"))
        digests.append(whole.digest())
    return [((bits >> 12) + 0.5) / 4503599627370496.0 for bits in unpack(f">{len(digests)}Q", b"".join(digests))]


def _rounded(zs: list[float]) -> list[float]:
    """Return `round(z, _DIGITS)` of each, several times as fast.

    A whole number of billionths, divided by a billion, is the float that is next to it. Which whole number is nearest
    is beyond doubt unless two are about equally near, or the float has too few digits to tell.
    """
    whole = _WHOLE_NUMBERS
    return [
        nearest / 1e9
        if -0.499 < (scaled := z * 1e9) - (nearest := scaled + whole - whole) < 0.499 and scaled < 4e12
        else round(z, _DIGITS)
        for z in zs
    ]


class Service:
    """A distribution of service times; `mean` in seconds."""

    __slots__ = ()
    mean: float

    def z(self, u: float) -> float:
        """Return the quantile `u` (0 < u < 1) of service time / mean."""
        raise NotImplementedError

    def seconds(self, u: float) -> float:
        """Return the quantile `u` of the service time, in seconds."""
        return self.mean * round(self.z(u), _DIGITS)

    def all_seconds(self, us: Iterable[float]) -> list[float]:
        """Return `seconds` of each quantile."""
        return list(map(self.seconds, us))


def _check(service: Service, name: str, value: object, *, zero: bool = False) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or value < 0 or (value == 0 and not zero):  # type: ignore[operator]
        least = "0 or more" if zero else "more than 0"
        raise InputError(f"{type(service).__name__}: {name} must be a finite number, {least}, not {value!r}")


@dataclass(frozen=True, slots=True)
class Constant(Service):
    """Every job takes `mean` seconds. Raises `InputError` for a negative one."""

    mean: float

    def __post_init__(self) -> None:
        _check(self, "seconds", self.mean, zero=True)

    def z(self, u: float) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True, slots=True)
class Exponential(Service):
    """Exponential service times of `mean` seconds. Raises `InputError` for a mean that is not above 0."""

    mean: float

    def __post_init__(self) -> None:
        _check(self, "mean", self.mean)

    def z(self, u: float) -> float:
        """Return -ln(1 - u)."""
        return -math.log1p(-u)

    def all_seconds(self, us: Iterable[float]) -> list[float]:
        """Return `seconds` of each quantile: the same numbers, in half the time."""
        mean, log1p = self.mean, math.log1p
        return [mean * z for z in _rounded([-log1p(-u) for u in us])]


@dataclass(frozen=True, slots=True)
class LogNormal(Service):
    """Log-normal service times of `mean` seconds and coefficient of variation `cv` (deviation / mean).

    With s² = ln(1 + cv²): z = exp(s·Φ⁻¹(u) - s²/2). Raises `InputError` for a mean that is not above 0, cv < 0.
    """

    mean: float
    cv: float

    def __post_init__(self) -> None:
        _check(self, "mean", self.mean)
        _check(self, "cv", self.cv, zero=True)

    def z(self, u: float) -> float:
        """Return the quantile of a log-normal variable of mean 1."""
        variance = math.log1p(self.cv**2)
        return math.exp(math.sqrt(variance) * _NORMAL.inv_cdf(u) - variance / 2)

    def all_seconds(self, us: Iterable[float]) -> list[float]:
        """Return `seconds` of each quantile: the same numbers, in half the time."""
        variance = math.log1p(self.cv**2)
        deviation, half, mean, exp = math.sqrt(variance), variance / 2, self.mean, math.exp
        return [mean * z for z in _rounded([exp(deviation * x - half) for x in map(_NORMAL.inv_cdf, us)])]


@dataclass(frozen=True, slots=True, init=False)
class Empirical(Service):
    """Service times drawn from measured `samples` (seconds), each equally likely.

    Raises `InputError` without samples, for a negative one, or if all are 0.
    """

    samples: tuple[float, ...]
    mean: float = field(repr=False)

    def __init__(self, samples: Iterable[float]) -> None:
        ordered = tuple(samples)
        if not ordered:
            raise InputError("Empirical: give at least one sample, in seconds")
        for sample in ordered:
            _check(self, "each sample", sample, zero=True)
        mean = math.fsum(ordered) / len(ordered)
        _check(self, "the samples' mean", mean)
        object.__setattr__(self, "samples", tuple(sorted(ordered)))
        object.__setattr__(self, "mean", mean)

    def z(self, u: float) -> float:
        """Return the sample at the quantile, divided by the mean."""
        return self.samples[int(u * len(self.samples))] / self.mean
