"""Questions to a run: reads events and records only."""
