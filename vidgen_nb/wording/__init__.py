"""The words and the number formats that people read: each is written here and nowhere else.

Panel, charts, tables, report, dashboard, command line and messages take them from here, so that one run reads the same
everywhere: how a scene stands and why a run ended (`standing`), durations (`durations`), counts and shares (`numbers`);
amounts of money are written by `core.money`. Plain functions of plain values; this room imports none of ours.
"""
