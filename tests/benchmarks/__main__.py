"""All benchmarks as one table: `python -m tests.benchmarks`; exit code 1 when a target is missed."""

from __future__ import annotations

import logging
import sys

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
from tests.benchmarks.measure import table

PARTS = (
    throughput, journal, against_litellm, memory, wakeups, live_gantt, open_panel, virtual, metrics, policies,
    shared_cooldowns, soak,
)  # fmt: skip


def main() -> int:
    """Run and print them."""
    # log lines of level WARNING are made, as by default, and go nowhere
    logging.getLogger("vidgen_nb").addHandler(logging.NullHandler())
    rows = [row for part in PARTS for row in part.measure()]
    print(table(rows))
    print("Rates: the best of several, taken in turns in this one process.")
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
