"""What the holder of a key is told: what it opens, and how fast time passes. No real API has such a route."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vidgen_nb.emulator.app import Call, Dialect

__all__ = ["ACCOUNT_PATH", "account_route"]

ACCOUNT_PATH: Final = "/account"
"""The key is a bearer token here, in every dialect."""


def account_route(dialect: Dialect) -> Route:
    """Return the route."""
    state = dialect.state

    async def account(call: Call) -> Response:
        call.profile = Dialect.owner(dialect, call.request)
        profile = state.provider.profiles[call.profile]
        known = {"name": profile.name, "capacity": profile.capacity}
        return JSONResponse(known | {"speed": state.clock.speed, "dialect": state.dialect, "root": dialect.root})

    return dialect.route(ACCOUNT_PATH, "GET", account, public=True)  # it looks for the key itself
