"""The numbers of a run: makespan, waits, slot time, fairness, recovery."""
