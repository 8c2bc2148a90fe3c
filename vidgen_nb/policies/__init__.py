"""The policies that come with the package, and their registry: what follows a 429, and who may submit when.

Like the core they are pure, and import only it. A policy's fields are its settings and never change; what a policy
learns in a run is in an object of its own (`_jitter`, `_limits`, `_history`), and `for_run()` returns a copy with a
fresh one. `registry` finds policies by name and describes them as data; `paced` is the room of the one that learns
limits.
"""
