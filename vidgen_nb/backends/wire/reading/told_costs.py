"""What an answer says that a job costs, in US dollars.

| who | where | source |
|---|---|---|
| OpenRouter | `usage.cost` of a job that is done | openrouter.ai/docs, VideoGenerationUsage |
| LiteLLM's proxy | the header `x-litellm-response-cost` of the submit's answer | docs.litellm.ai |

OpenAI, Google and Runway tell no cost with a job.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.core.money import micros

__all__ = ["cost_of_job", "cost_of_submit"]

COST_HEADER = "x-litellm-response-cost"


def cost_of_submit(answer: Answer) -> int | None:
    """Return what the answer to a submit says that the job costs, in millionths; None: it doesn't say.

    A gateway that does not know a model's price says 0.
    """
    return _amount(answer.header(COST_HEADER)) or None


def cost_of_job(data: Any) -> int | None:
    """Return what a job that is done says that it cost, in millionths; None: it doesn't say."""
    usage = data.get("usage") if isinstance(data, Mapping) else None
    return _amount(usage.get("cost")) if isinstance(usage, Mapping) else None


def _amount(value: object) -> int | None:
    try:
        amount = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return micros(amount) if 0 <= amount < 1e6 else None
