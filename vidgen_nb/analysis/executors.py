"""Carries out many simulated runs: here, in threads or processes, or on a dask cluster; with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, Protocol

from vidgen_nb.analysis.trials import Case, Trial, check_sendable, run_trials
from vidgen_nb.errors import InputError

__all__ = ["Submitter", "carry_out"]

CHUNK = 5
"""Runs per task: sending a task costs about as much as a short run."""


class Submitter(Protocol):
    """What is asked of an executor: any of concurrent.futures, or a dask.distributed client."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Begin a call and return its future."""


def carry_out(
    cases: Sequence[Case], seeds: Sequence[int], executor: Submitter | None, *, progress: bool
) -> list[Trial]:
    """Run each case with each seed and return the trials, case by case, seed by seed.

    An interrupt (Ctrl-C, or a notebook's stop button) ends it with those that had finished.
    """
    step = 1 if executor is None else CHUNK
    tasks = [(case, seeds[at : at + step]) for case in cases for at in range(0, len(seeds), step)]
    done: dict[tuple[str, int], Trial] = {}
    with _bar(len(cases) * len(seeds), shown=progress) as advance:

        def take(trials: list[Trial]) -> None:
            before = len(done)
            done.update(((trial.case, trial.seed), trial) for trial in trials)
            advance(len(done) - before)

        try:
            if executor is None:
                for task in tasks:
                    take(run_trials(*task))
            else:
                _elsewhere(tasks, executor, take)
        except KeyboardInterrupt:
            pass  # what is finished is kept
    return [done[key] for case in cases for seed in seeds if (key := (case.name, seed)) in done]


def _elsewhere(
    tasks: Sequence[tuple[Case, Sequence[int]]], executor: Submitter, take: Callable[[list[Trial]], None]
) -> None:
    """Have an executor run tasks, and take each result as it comes; after an interrupt those that are there."""
    if not callable(getattr(executor, "submit", None)):
        raise InputError(f"executor is one of concurrent.futures, or a dask.distributed Client, not {executor!r}")
    dask = type(executor).__module__.partition(".")[0] == "distributed"
    if not dask and not isinstance(executor, ThreadPoolExecutor):
        check_sendable({case.name: case for case, _ in tasks}.values())
    futures = []
    try:
        options = {"pure": False} if dask else {}
        futures += [executor.submit(run_trials, *task, **options) for task in tasks]
        for future in _as_completed(futures, dask=dask):
            take(future.result())
    except BrokenExecutor as error:
        raise InputError(
            f"the executor's processes broke off ({error}). Had they begun before a class or function of this notebook "
            "was defined, or do they not know it, put it into a module that both can import; or leave executor= out"
        ) from error
    except KeyboardInterrupt:
        for future in futures:
            if future.done() and not future.cancelled() and future.exception() is None:
                take(future.result())
        raise
    finally:
        for future in futures:
            if not future.done():
                future.cancel()


def _as_completed(futures: list[Any], *, dask: bool) -> Iterable[Any]:
    if dask:
        from distributed import as_completed as completed

        return completed(futures)  # type: ignore[no-any-return, no-untyped-call, unused-ignore]
    if not all(isinstance(future, Future) for future in futures):
        raise InputError("this executor's futures are none of concurrent.futures; use one of those, or a dask client")
    return as_completed(futures)


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Any]:
    """Show a bar, in a terminal or a notebook; give what moves it on."""
    if not shown:
        yield lambda runs: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("runs", total=total)
        yield lambda runs: progress.advance(task, runs)
