"""The models that a server says it serves, and what a first refusal says of the model that was asked for."""

from __future__ import annotations

from typing import Final

import httpx

from vidgen_nb.backends.wire.fields import json_object
from vidgen_nb.backends.wire.http import Answer, HttpPool, redacted_line
from vidgen_nb.core.outcomes import Failure, Permanent
from vidgen_nb.ports import BackendError, Secret

__all__ = ["ask_for_models", "if_about_model", "unlisted"]

_NOT_AMONG: Final = "model {!r} is not among the server's: {}"


async def ask_for_models(pool: HttpPool, url: httpx.URL, key: Secret) -> tuple[Answer, list[str]]:
    """Ask for the server's models: its answer, and their names; none if it does not say, or takes patterns."""
    answer = await pool.call("GET", url, "poll", key)
    listed = json_object(answer).get("data") if answer.ok else None
    names = [each.get("id") for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
    known = [name for name in names if isinstance(name, str)]
    return answer, [] if any("*" in name for name in known) else known


async def if_about_model(
    failure: Failure, model: str | None, pool: HttpPool, url: httpx.URL, key: Secret, *, gateway: bool
) -> Failure:
    """Return what the first refusal of a server means: its own list says whether it is about the model.

    `gateway`: whether a gateway refused; without a model, none knows where to send a scene.
    """
    asks = isinstance(failure, Permanent) and failure.cause in ("bad_request", "no_such_model")
    if not asks or (model is None and not gateway):
        return failure
    try:
        _, models = await ask_for_models(pool, url, key)
    except BackendError:
        return failure
    if not models or model in models:
        return failure
    return Permanent(f"{failure.reason.rstrip('.')}. {unlisted(model, models, key)}", "no_such_model")


def unlisted(model: str | None, models: list[str], key: Secret) -> str:
    """Say that a model is not served, or that none was named, and which there are."""
    listed = redacted_line(", ".join(models[:5]), key) + (", …" if len(models) > 5 else "")
    return f"model= is missing; the server has {listed}" if model is None else _NOT_AMONG.format(model, listed)
