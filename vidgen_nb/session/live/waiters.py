"""Who waits for a run: for one scene of it, or for its end."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import Future

from vidgen_nb.run import Run

__all__ = ["Waiters"]


class Waiters:
    """Futures of those who wait, one each: one of them may be cancelled."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[tuple[str | None, Future[Run]]] = []
        """With the scene that is waited for; None: the run's end."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def scenes(self) -> set[str]:
        """The scenes that are waited for."""
        return {scene for scene, _ in self._waiting if scene is not None}

    def add(self, scene: str | None) -> Future[Run]:
        """Return a future that is done when the scene has settled, or with None when the run has ended."""
        self._waiting = [each for each in self._waiting if not each[1].cancelled()]
        future: Future[Run] = Future()
        self._waiting.append((scene, future))
        return future

    def done(self, error: BaseException | None) -> Future[Run]:
        """Return a future of a run that is over."""
        future: Future[Run] = Future()
        self._finish(future, error)
        return future

    def settle(self, scenes: Container[str | None]) -> None:
        """Tell those who wait for one of these scenes."""
        settled = [future for scene, future in self._waiting if scene in scenes]
        self._waiting = [each for each in self._waiting if each[0] not in scenes]
        for future in settled:
            self._finish(future, None)

    def end(self, error: BaseException | None) -> None:
        """Tell everyone that the run has ended, and with what error."""
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            self._finish(future, error)

    def _finish(self, future: Future[Run], error: BaseException | None) -> None:
        if future.set_running_or_notify_cancel():
            if error is None:
                future.set_result(self._run)
            else:
                future.set_exception(error)
