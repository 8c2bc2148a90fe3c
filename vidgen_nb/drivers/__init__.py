"""Drivers feed the scheduler and carry out its commands; they decide nothing.

`realtime` runs a scheduler against a backend, on asyncio: `outbox` keeps commands until they leave, `calls` carries
them out, `answers` checks what a backend returned, `observers` passes events on, `stuck_jobs` handles a backend's bugs.
`virtual` runs the same scheduler against the provider model, in virtual time, and `standstill` ends such a run if it
can never settle.

A driver may import the core, `ports`, `provider` and what is below them, but no backend and no other room beside it.
"""
