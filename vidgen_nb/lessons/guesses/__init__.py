"""Guesses: the question and its form, and what comes of it when the result is known."""
