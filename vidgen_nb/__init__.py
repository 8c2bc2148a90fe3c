"""Scenes over rate-limited profiles, with a live Gantt: see README.md."""
