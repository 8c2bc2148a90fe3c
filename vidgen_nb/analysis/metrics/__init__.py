"""The numbers of a run: makespan, waits, slot time, fairness, recovery.

`measure` puts them together, from the facts that `results`, `slot_time` and the others compute; `model` says what each
number means, and `summary` shows them as text and tables. Charts take makespan, waits, goodput, counts and seconds of
cooldown from `results`, so that no chart differs from `run.metrics()`. It imports `records`, `bounds` and the provider
model.
"""
