"""`Paced`: learns each quota group's limit from what it sees, and submits just below it.

Theory of operation. `policy` hands each submit and answer to the tracker of its group (`group_limits`). A group whose
limit the user gave has a `KnownLimit`. Every other group has a `HeaderLearner` (`rate_headers`), which follows
rate-limit headers while they hold true, and is otherwise a `LimitLearner` (`limit_learner`): it learns one of the
models in `limit_models`. Where 429s tell no reset, `probing` finds it by trying, and `outage` tells a slow limit from a
server that refuses everything. All groups share one `RiskBudget` of 429s.
"""
