"""Cooldowns shared by sessions that use the same accounts: in one process, and through Redis between machines."""
