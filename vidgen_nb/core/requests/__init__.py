"""What is asked of a run: by users and the session (`requests`), and by the limits that a user has set (`limits`).

`handlers` says which part of the scheduler handles which event.
"""
