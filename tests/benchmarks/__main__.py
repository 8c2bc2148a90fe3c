"""All benchmarks as one table: `python -m tests.benchmarks`; exit code 1 when a target is missed.

Each part runs in a process of its own: a heap that others have used makes it slower, and hides what it holds.
`python -m tests.benchmarks metrics soak` runs those parts only.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.benchmarks import (
    against_litellm,
    journal,
    live_gantt,
    memory,
    metrics,
    open_panel,
    policies,
    shared_cooldowns,
    soak,
    throughput,
    virtual,
    wakeups,
)
from tests.benchmarks.measure import quiet, table

PARTS = (
    throughput, journal, against_litellm, memory, wakeups, live_gantt, open_panel, virtual, metrics, policies,
    shared_cooldowns, soak,
)  # fmt: skip


def main() -> int:
    """Run and print them, or those that are named."""
    wanted = [part for part in PARTS if not sys.argv[1:] or part.__name__.rpartition(".")[2] in sys.argv[1:]]
    with ProcessPoolExecutor(1, get_context("spawn"), quiet, max_tasks_per_child=1) as process:
        rows = [row for part in wanted for row in process.submit(part.measure).result()]
    print(table(rows))
    print("Rates: the best of several, taken in turns in one process.")
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
