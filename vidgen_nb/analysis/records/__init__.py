"""A run's events as records, series and a timeline, whole or as a live window."""
