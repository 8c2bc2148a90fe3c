"""What the panel says of a run in words and numbers: state, progress, sentence, errors, and their data.

`RunFeed` reads a run's events as they come; the other modules turn what it knows into widgets and HTML.
"""
