"""Many simulated runs, carried out here, in threads or processes, or on a dask cluster; with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from vidgen_nb.analysis.experiments.cases import Case, Trial, check_sendable, run_trials
from vidgen_nb.errors import InputError
from vidgen_nb.machine.browser import in_browser

__all__ = ["Submitter", "run_cases"]

RUNS_PER_TASK = 5
"""Runs per task: sending a task costs about as much as a short run."""

EXECUTOR_HINT = "give one that is open, such as within its `with` block, or leave executor= out"

Result = TypeVar("Result")


class Submitter(Protocol):
    """What an executor must offer: all of concurrent.futures do, and a dask.distributed client."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Begin a call and return its future."""


def run_cases(
    cases: Sequence[Case],
    seeds: Sequence[int],
    executor: Submitter | None,
    *,
    progress: bool,
    into: Callable[[list[Trial], int], Result],
) -> Result:
    """Run each case with each seed; return `into(trials, number of all)`.

    Trials are in order of case and seed. An interrupt (Ctrl-C, or a notebook's stop button) returns those that had
    finished. An error is raised with them as its attribute `finished`.
    """
    step = 1 if executor is None else RUNS_PER_TASK
    tasks = [(case, seeds[at : at + step]) for case in cases for at in range(0, len(seeds), step)]
    done: dict[tuple[str, int], Trial] = {}

    def finished() -> Result:
        keys = ((case.name, seed) for case in cases for seed in seeds)
        return into([done[key] for key in keys if key in done], len(cases) * len(seeds))

    with _progress_bar(len(cases) * len(seeds), shown=progress) as advance:

        def take(trials: list[Trial]) -> None:
            before = len(done)
            done.update(((trial.case, trial.seed), trial) for trial in trials)
            advance(len(done) - before)

        try:
            if executor is None:
                for task in tasks:
                    take(run_trials(*task))
            else:
                _run_on_executor(tasks, executor, take)
        except KeyboardInterrupt:
            pass  # the runs that had finished are returned
        except Exception as error:
            if done:
                _attach_finished(error, finished())
            raise
    return finished()


def _attach_finished(error: Any, finished: object) -> None:
    """Attach the finished runs to an error, if it takes attributes."""
    with suppress(Exception):
        error.finished = finished
        error.add_note(f"this error's `finished` (in a notebook: sys.last_value.finished) is {finished!r}")


def _run_on_executor(
    tasks: Sequence[tuple[Case, Sequence[int]]], executor: Submitter, take: Callable[[list[Trial]], None]
) -> None:
    """Have an executor run tasks and take each result as it arrives; after an error, those that have arrived."""
    if not callable(getattr(executor, "submit", None)):
        raise InputError(f"executor is one of concurrent.futures, or a dask.distributed Client, not {executor!r}")
    on_dask = type(executor).__module__.partition(".")[0] == "distributed"
    dask = on_dask and not isinstance(executor, Executor)  # a client's get_executor() is one of concurrent.futures
    if not on_dask and not isinstance(executor, ThreadPoolExecutor):
        check_sendable({case.name: case for case, _ in tasks}.values())
    futures: list[Any] = []
    try:
        futures += (_submitted(executor, task, {"pure": False} if dask else {}) for task in tasks)
        for future in _as_completed(futures, dask=dask):
            take(future.result())
    except BaseException as error:
        for future in futures:
            with suppress(Exception):  # a cluster may be gone
                if future.done() and not future.cancelled() and future.exception() is None:
                    take(future.result())
        if isinstance(error, CancelledError):
            raise InputError(f"the executor was shut down before all runs had finished: {EXECUTOR_HINT}") from error
        if not isinstance(error, BrokenExecutor):
            raise
        raise InputError(
            f"the executor's processes broke off ({error}). If a class or function of this notebook was defined after "
            "they had started, or they don't know it, move it to a module that both can import; or leave executor= out"
        ) from error
    finally:
        for future in futures:
            if not future.done():
                future.cancel()


def _submitted(executor: Submitter, task: tuple[Case, Sequence[int]], options: Mapping[str, Any]) -> Any:
    """Return the future of a task; `InputError` if the executor takes no more."""
    try:
        return executor.submit(run_trials, *task, **options)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise InputError(f"the executor takes no work ({error}): {EXECUTOR_HINT}") from error


def _as_completed(futures: list[Any], *, dask: bool) -> Iterable[Any]:
    if dask:
        from distributed import as_completed as completed

        return completed(futures)  # type: ignore[no-any-return, no-untyped-call, unused-ignore]
    if not all(isinstance(future, Future) for future in futures):
        raise InputError(
            "this executor's futures are not those of concurrent.futures; use one of those, or a dask client"
        )
    return as_completed(futures)


@contextmanager
def _progress_bar(total: int, *, shown: bool) -> Iterator[Any]:
    """Show a progress bar in a terminal or a notebook; yield the function that moves it on."""
    if not shown:
        yield lambda runs: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    threads = not in_browser()  # which draw it by themselves
    with Progress(*columns, console=Console(stderr=True), auto_refresh=threads) as progress:
        task = progress.add_task("runs", total=total)
        yield lambda runs: progress.update(task, advance=runs, refresh=not threads)
