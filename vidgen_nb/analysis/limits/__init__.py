"""What a run reveals about the limits that it met.

`submit_history` reads how submits were answered; `feasible` finds every limit that explains all answers, exactly;
`candidates` chooses the one to name; `estimate` adds intervals, or the reason why there is none; `limit_samples` draws
limits for a forecast. `weighed` finds limits of what requests weigh; `header_counts` reads rate-limit headers.
It imports `records`, the core and the provider model.
"""
