"""Runs in virtual time: from scratch (`simulate`), or a recorded one with something changed (`what_if`).

`recorded_requests` finds what a user did in a recorded run, and `overrides` changes one setting by name. It imports the
scheduler, the virtual driver, `records` and `limits`.
"""
