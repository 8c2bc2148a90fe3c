"""Lower bounds on the makespan, which no scheduler can beat.

`admissions` says how many jobs a limit can admit by a time, and `fleet` how many all profiles together can finish.
`closed_form` finds the first time by which that is enough, for the scenes released from each moment on;
`linear_program` takes slots and admissions together, and `prices` proves what it finds. `lower_bound` puts them
together. It imports the provider model only; scipy is needed for the program alone.
"""
