"""What all tests have in common: how an interrupt reaches them, and which of them one worker keeps together."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from xdist.dsession import WorkerController
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    "tests/in_lab/",
    "tests/replay/",
    "tests/charts/gantt/test_figure_browser.py",
    "tests/charts/test_every_chart_browser.py",
    "tests/gateways/test_litellm.py",
)
"""Folders and files whose tests share what takes long to start: a JupyterLab, a browser, a proxy."""

APART = (
    "tests/cli/",
    "tests/dashboard/",
    "tests/faults/test_matrix.py",
    "tests/gateways/",
    "tests/notebooks/",
    "tests/scenarios/",
    "tests/session/",
    "tests/sharing/",
    "tests/test_readme.py",
)
"""Folders and files of long tests that share nothing: they are handed out one by one, when all else is."""

TEARDOWN_SECONDS = 60
"""For each thing that a failed test has to clear away."""


def pytest_configure() -> None:
    """Let SIGINT interrupt these processes and their children, also where a script started them in the background.

    A shell starts such a job with SIGINT ignored, and every child inherits that: a test that interrupts a kernel or a
    command would wait for ever. Each worker of xdist comes by here, too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Bound the teardown of a test that has failed, too: pytest-timeout drops its alarm at a failure."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, TEARDOWN_SECONDS, TEARDOWN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _give_up(*_: object) -> None:
    pytest.fail(f"its teardown took more than {TEARDOWN_SECONDS} s")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out a file's tests to one worker, as those of a place in `TOGETHER`, the longest, first; `APART` last.

    To hand out all tests one by one takes the controller time that the workers need, and each of them has to set up
    what a file's tests share. xdist 3.8's own groups (`--dist loadgroup`) have no effect with pytest 9.2, which keeps
    an item's id elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        if found := next((place for place in TOGETHER if nodeid.startswith(place)), None):
            return found
        return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a worker the next unit; by itself, xdist begins with those of the most tests."""
        first = next((place for place in TOGETHER if place in self.workqueue), None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker more, once it has collected: xdist itself fails on one that has just replaced a dead one."""
        if node in self.registered_collections:
            super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Hand out what a dead worker had, and return the test that it died in, which xdist itself would run again."""
        units = self.assigned_work.pop(node)
        left = [test for unit in units.values() for test, is_done in unit.items() if not is_done]
        for place, unit in units.items():
            if left and left[0] in unit:
                unit[left[0]] = True
            if not all(unit.values()):
                self.workqueue[place] = unit
        for other in self.assigned_work:
            self._reschedule(other)
        return left[0] if left else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Have the tests handed out as above."""
    return Scheduling(config, log)
