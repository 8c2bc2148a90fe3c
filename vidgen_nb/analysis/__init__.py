"""What a run shows, and what another one would: everything that is computed from recorded or simulated events.

A question, and the room that answers it:

- What happened? `records`: events become scenes, attempts, cooldowns and moves; who waited, ran and was idle when.
- How well did it go? `metrics`: makespan, waits, slot time, goodput, fairness, recovery. Each number of a run is
  computed here or in `records`, once; charts and the panel show that one.
- What was the best possible? `bounds`: lower bounds on the makespan.
- What are the provider's limits? `limits`: estimates from how submits were answered.
- What if? `simulation`: a run in virtual time, from scratch or with a recorded one changed.
- Which policy is better? `experiments`: many simulations side by side.
- When will it be finished? `forecast`: the rest of an open run, simulated.

`validation` checks the arguments of all of them. Nothing here draws, sends or writes anything; it may import the core,
the policies, the provider model, the virtual driver, inputs and recording, and none of charts, session or notebook.
"""
