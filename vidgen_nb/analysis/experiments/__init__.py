"""Many simulated runs as records: one per case and seed, and what sets the cases apart.

Seeds are common random numbers, so cases are compared seed by seed (`trials`). `executors` runs them here, in processes
or on a cluster; `student_t` has the confidence intervals. It imports `simulation` and `metrics`.
"""
