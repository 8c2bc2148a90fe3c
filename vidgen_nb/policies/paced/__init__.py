"""Paced: learns each profile's limit from what it sees, and submits just below it."""
