"""Runway's tasks, and what its answers mean."""
