"""Work in the background: on a thread, or in slices where there are none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator

import pytest

from vidgen_nb.machine import browser
from vidgen_nb.notebook.panel.background import Background


class Host:
    """Posts at once, as a panel's host does on its loop."""

    def post(self, call: Callable[[], None]) -> None:
        """Carry it out."""
        call()


def counted(turns: list[str]) -> Generator[None, None, int]:
    """Work of three slices."""
    for count in range(3):
        turns.append(f"slice {count}")
        yield
    return 3


@pytest.mark.parametrize("has_threads", [True, False])
def test_the_result_comes_either_way(monkeypatch: pytest.MonkeyPatch, has_threads: bool) -> None:
    """A function and a generator function give their results, with threads and without."""
    monkeypatch.setattr(browser, "_in_browser", not has_threads)

    async def results() -> list[int]:
        done: asyncio.Queue[int] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        background = Background(Host())  # type: ignore[arg-type]

        def take(result: int) -> None:
            loop.call_soon_threadsafe(done.put_nowait, result)

        background(lambda: 1, take)
        background(lambda: counted([]), take)
        return sorted([await done.get(), await done.get()])

    assert asyncio.run(results()) == [1, 3]


def test_others_have_their_turn_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the one loop of a browser, what is due is done between two slices."""
    monkeypatch.setattr(browser, "_in_browser", True)

    async def turns() -> list[str]:
        seen: list[str] = []
        done = asyncio.Event()
        Background(Host())(lambda: counted(seen), lambda _: done.set())  # type: ignore[arg-type]
        while not done.is_set():
            seen.append("other")
            await asyncio.sleep(0)
        return seen

    seen = asyncio.run(turns())
    first, second = seen.index("slice 0"), seen.index("slice 1")
    assert "other" in seen[first:second]
