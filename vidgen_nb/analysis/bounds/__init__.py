"""Lower bounds on the makespan, which no scheduler can beat.

`admissions` says how many jobs a limit can admit by a time, `fleet` how many all profiles together can finish, and
`lower_bound` finds the first time by which that is enough. It imports the provider model only.
"""
