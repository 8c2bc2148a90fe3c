"""Nested event loops, for people whose own code calls `asyncio.run` in a cell. Nothing here needs them."""

from __future__ import annotations

import asyncio
import importlib
import warnings

__all__ = ["enable_nested"]


def enable_nested() -> str:
    """Let `asyncio.run` and `run_until_complete` work inside a cell; return the name of the module that does it.

    It uses nest_asyncio2 if that is installed (it comes with ipykernel 7.4), and nest_asyncio otherwise. This patches
    asyncio for the whole process and can't be undone, so it is never done unasked. Warns if nest_asyncio 1.6.0 was
    applied before: with ipykernel 7.1 and later, a nested run then loses the cells that wait behind it.
    """
    if hasattr(asyncio, "_nest_patched") and not hasattr(asyncio, "_nest_asyncio2"):
        warnings.warn(
            "nest_asyncio was applied before: on ipykernel 7.1 and later a nested run then loses the cells behind it, "
            "and nest_asyncio2 can't fix that any more. Restart the kernel, and call enable_nested() first",
            RuntimeWarning,
            stacklevel=2,
        )
    for name in ("nest_asyncio2", "nest_asyncio"):
        try:
            nest = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        nest.apply()
        return name
    raise ImportError("nested loops need nest-asyncio: pip install nest-asyncio2")
