"""The options that several commands have, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vidgen_nb.core.money import as_price
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.ports import Backend, Profile

__all__ = [
    "BackendName", "BaseUrlOption", "CaOption", "CooldownOption", "HonourOption", "MaxCostOption", "ModeOption",
    "PauseOption", "PolicyOption", "PriceOption", "make_backend", "make_policy", "with_price",
]  # fmt: skip

ModeName = Literal["normal", "boost"]
PolicyName = Literal["per-profile", "global-pause", "exponential", "paced"]
BackendName = Literal["openai-videos", "google-interactions", "runway"]

ModeOption = Annotated[
    ModeName, typer.Option(help="normal: one submit at a time, at most 4 running per profile. boost: no limit.")
]
PolicyOption = Annotated[
    PolicyName,
    typer.Option(
        help="After a 429: cool its profile, pause everything, cool ever longer, or learn the limits and pace submits."
    ),
]
CooldownOption = Annotated[
    float, typer.Option(help="Seconds of cooldown; at least 1, doubled by each further 429 in a row.", min=0)
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        help="Address of the server with its version, such as http://127.0.0.1:8000/v1; default: the hosted API's own."
    ),
]
CaOption = Annotated[
    Path | None, typer.Option("--ca", help="Certificates (PEM) of a private CA, trusted besides the usual ones.")
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(help="Submit nothing that could make the run cost more, by the profiles' prices.", min=0.000001),
]
PriceOption = Annotated[
    str | None,
    typer.Option(help='What a job costs on profiles that give no price: "0.40", or "0.10/s" per second of video.'),
]
PauseOption = Annotated[
    int,
    typer.Option(
        "--pause-after-same-failure",
        help="Stop when so many scenes fail one after the other for the same reason; 0: never.",
        min=0,
    ),
]
HonourOption = Annotated[
    bool, typer.Option("--honour-retry-after", help="Use the server's Retry-After instead of --cooldown.")
]


def with_price(profiles: list[Profile], price: str | None) -> list[Profile]:
    """Return the profiles, those without a price with this one."""
    given = as_price(price, "--price")
    for profile in profiles:
        profile.price = profile.price or given
    return profiles


def make_backend(name: BackendName, base_url: str | None, model: str | None, ca: Path | None) -> Backend:
    """Return the backend of that name; `InputError` where it needs an address and has none."""
    from vidgen_nb.backends.google.interactions import GoogleInteractions
    from vidgen_nb.backends.openai.videos import OpenAIVideos
    from vidgen_nb.backends.runway.tasks import Runway

    if base_url is None and name == "openai-videos":
        raise InputError(f"--base-url is missing: {name} has no hosted server to default to")
    backends: dict[str, type[Any]] = {
        "openai-videos": OpenAIVideos,
        "google-interactions": GoogleInteractions,
        "runway": Runway,
    }
    given = {"base_url": base_url, "model": model, "verify": ca}
    made: Backend = backends[name](**{option: value for option, value in given.items() if value is not None})
    return made


def make_policy(name: PolicyName, cooldown: float, honour_retry_after: bool) -> Policy:
    """Return the policy of that name; `InputError` for an option that it does not have."""
    if name == "per-profile":
        return PerProfileCooldown(cooldown, honour_retry_after=honour_retry_after)
    if honour_retry_after:
        raise InputError(f"--honour-retry-after works with --policy per-profile, not with {name}")
    if name == "global-pause":
        return GlobalPause(cooldown)
    return ExponentialCooldown(jitter="full") if name == "exponential" else Paced()
