"""Many simulated runs side by side: `compare` for policies and modes, `sweep` for a grid of settings.

Seeds are common random numbers, so cases are compared seed by seed (`trials`). `executors` runs them here, in processes
or on a cluster; `student_t` has the confidence intervals. It imports `simulation` and `metrics`.
"""
