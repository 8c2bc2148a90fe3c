"""What a run shows of the limits that it met."""
