"""All benchmarks, a table for each part: `python -m tests.benchmarks`; exit code 1 when a target is missed.

Each part runs in a process of its own: a heap that others have used makes it slower, and hides what it holds.
`python -m tests.benchmarks metrics soak` runs those parts only.
"""

from __future__ import annotations

import sys
import traceback
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
    """Run and print them, or those that are named; a part that fails says so, and the next one is run."""
    names = {part.__name__.rpartition(".")[2]: part for part in PARTS}
    missed, failed = False, []
    for name in sys.argv[1:] or names:
        print(f"\n{name}: {(names[name].__doc__ or '').splitlines()[0]}", flush=True)
        try:
            with ProcessPoolExecutor(1, get_context("spawn"), quiet) as process:
                rows = process.submit(names[name].measure).result()
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are wanted all the same
            traceback.print_exc()
            failed.append(name)
        else:
            print(table(rows), flush=True)
            missed = missed or any(row.missed for row in rows)
    print("\nRates: the best of several, taken in turns in one process.")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(missed or bool(failed))


if __name__ == "__main__":
    sys.exit(main())
