"""What an answer says of a job: its status, and where its result is.

May import the modules of `backends.wire` beside it. The vocabulary of statuses and the usual places of a result stand
here once, for all backends.
"""
