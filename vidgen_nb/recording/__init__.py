"""What is written down of a run: its events as JSON lines, and its log lines."""
