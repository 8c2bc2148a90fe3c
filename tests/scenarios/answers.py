"""What figures say, and what runs made one by one say instead."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import unescape
from statistics import fmean, stdev
from typing import Any

import plotly.graph_objects as go
from scipy import stats

import vidgen_nb as vg

__all__ = ["curves", "makespans", "paired", "said", "trace"]


def said(figure: go.Figure) -> str:
    """Return a figure's title as plain text."""
    return unescape(re.sub("<[^>]+>", "", figure.layout.title.text.replace("<br>", " ")))


def trace(figure: go.Figure, meta: str) -> Any:
    """Return the first trace of that kind."""
    return next(each for each in figure.data if each.meta == meta)


def curves(figure: go.Figure) -> dict[str, Any]:
    """Return the curves of a sweep by their labels."""
    return {each.name: each for each in figure.data if each.meta == "mean"}


def paired(ones: Sequence[float], others: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the mean difference and its interval, by scipy."""
    apart = [one - other for one, other in zip(ones, others, strict=True)]
    half = stats.t.ppf((1 + confidence) / 2, len(apart) - 1) * stdev(apart) / math.sqrt(len(apart))
    return fmean(apart), fmean(apart) - half, fmean(apart) + half


def makespans(count: int, profiles: Any, seeds: range, **options: Any) -> list[float]:
    """Return the makespan of each seed, run one by one."""
    runs = [vg.simulate(count, profiles, seed=seed, **options) for seed in seeds]
    return [max(scene.end or 0.0 for scene in run.scenes) for run in runs]
