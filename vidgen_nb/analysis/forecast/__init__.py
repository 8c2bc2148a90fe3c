"""When an open run will be finished.

`snapshot` says how it stands; `predict` simulates the rest many times, with limits drawn from those that explain the
answers so far (`limits.limit_samples`), a policy that knows what it has learned (`policy_state`), and service times
with a fitted tail (`weibull_tail`). It imports `simulation`, `limits`, the scheduler and the virtual driver.
"""
