"""Charts of many simulated runs: they take `Trials` (`analysis/experiments`), with a case for each setting.

`comparisons` has a row for each case, `sweeps` a curve over the first axis, `spreads` every run as a dot, `rankings`
the cases by what they bring, `tables` several metrics side by side.
"""
