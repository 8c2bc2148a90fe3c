"""Drivers feed the scheduler and carry out its commands; they decide nothing."""
