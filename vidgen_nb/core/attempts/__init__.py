"""What happens to an attempt from its submit to its end.

`ledger` is at the bottom: every begin, end, requeue and settlement goes through it. `retry_budget` and `unwritable`
keep track of scenes that have to wait. `cancellation` ends jobs early, `lifecycle` follows accepted jobs to their
results, `asking` decides what follows where that fails, and `failures` what follows from all other errors.
"""
