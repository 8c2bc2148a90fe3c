"""What is written down of a run: its events as JSON lines, and its log lines.

A saved run and a journal have one format (`runfile`, `codec`): a header line, then a line for each event. `journal`
writes events while they happen, and which submits have left (`left_lines`), on top of `disk`, a file that survives
crashes; `folder` finds the journals in a folder. `policies` turns a recorded policy into one that can decide, and
`runlog` writes events as log lines.

It may import the core, `policies` and `provider`, but neither drivers nor sessions.
"""
