"""Many simulated runs side by side, and what a recorded run is asked that needs another beside it.

`compare` takes policies and modes, `sweep` a grid of settings, `what_if_trials` a recorded run with something changed,
`one_more` a recorded run with one more of each thing that it has. They return `results`: the records of
`analysis/experiments`, which draw themselves. `questions` is what `run.Run` is asked.
"""
