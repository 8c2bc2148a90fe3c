"""When an open run will be finished.

`snapshot` says how it stands; `predict` simulates the rest many times, with limits drawn from those that explain the
answers so far (`limits.limit_samples`), a policy that knows what it has learned (`policy_state`), service times with a
fitted tail (`weibull_tail`), those of another profile where few were seen (`service_kinds`), and submits that fail at
random or in an outage (`outages`). It imports `simulation`, `limits`, the scheduler and the virtual driver.
"""
