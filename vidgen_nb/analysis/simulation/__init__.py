"""Runs in virtual time, from scratch or varied from a recorded one."""
