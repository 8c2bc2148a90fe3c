"""What happened in a run: its events as records, and as functions of time.

`builder` reads events once and makes the records of `model`; `live_window` does the same for a run of any length and
keeps only the latest. `timeline` turns records into spans and steps, exactly: who waits, runs, cools. `idle_time`,
`slots`, `cooldowns` and `run_state` each hold one fact that metrics, charts and the panel share. It imports the core
only.
"""
