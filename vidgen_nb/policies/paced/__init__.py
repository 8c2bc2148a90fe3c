"""`Paced`: learns each quota group's limit from what it sees, and submits just below it.

Theory of operation. `policy` hands each submit and answer to the tracker of its group (`group_limits`). A group whose
limit the user gave has a `KnownLimit`. Every other group has a `HeaderLearner` (`rate_headers`), which follows
rate-limit headers while they hold true, and is otherwise a `LimitLearner` (`limit_learner`).

A learner keeps all limits that would explain what was accepted and refused (`candidates`, over a `submit_log`). What
follows from them is a `belief`: how likely a submit is to be accepted at a time, and how likely it has to be. That
depends on the scenes still to come over this group (`prospects`): each group risks as many 429s as its own scenes are
worth, whatever others spend. Where scenes come while others run, more are expected. `outage` and `noise` tell a limit
from a server that refuses everything, or at random.
"""
