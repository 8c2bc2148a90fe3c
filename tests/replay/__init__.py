"""Replays: what they hold, and as files in a real browser."""
