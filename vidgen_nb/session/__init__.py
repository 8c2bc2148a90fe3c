"""Scheduler, driver, backend and journal put together: live and restored runs, without any UI."""
