"""The scheduler: pure, without asyncio, clock, I/O or global randomness. Time is an argument."""
