"""Many simulated runs side by side: compare, sweep, and their executors."""
