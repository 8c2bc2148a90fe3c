"""What all charts draw with.

`palette` has the colours and marks of each state, `text` the words, `layout` sizes, title and axes, `curves` the styles
of lines. `shapes` are the parts of a Gantt in pixels and seconds; `traces`, `lines` and `fold` draw them with plotly.
`engine` imports plotly, fast.
"""
