"""Cooldowns shared between sessions that use the same accounts: within one process, and through Redis between machines.

May import the core's events, the ports, the clock and plaintext; nothing else imports redis-py.

Theory of operation. A session has a `CooldownExchange`. It publishes the 429s that its own scheduler saw, and collects
the cooldowns that other sessions published, for the session to apply to its scheduler. It reaches the others through a
`Connection`, which a `SharedCooldowns` makes: `LocalCooldowns` within this process (the default), `RedisCooldowns`
through a server. What is shared is known by account (`account_of`): a keyed hash, never the API key. A shared cooldown
never becomes shorter (R6), and only spans of wall time are exchanged: clocks and speeds of sessions differ.

To share cooldowns in another way, write a class with `salt` and `join`, as in `port.py`, and pass it as `shared=`.
"""
