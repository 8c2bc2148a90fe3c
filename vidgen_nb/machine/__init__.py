"""The machine that it runs on: its troubles, and what Python in a browser has not.

`local_trouble` tells a full disk or a missing network from what a provider did. `browser` says whether this is Python
in a browser, and how to wait there; `loopback` is how clients there reach servers of the same kernel. It imports
nothing of ours.
"""
