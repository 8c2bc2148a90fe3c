"""The command line: `vidgen-nb demo`, `run`, `restore`, `emulator`, `gantt`.

Exit codes: 0 every scene succeeded, 1 not every scene did, 2 something given is wrong, 130 interrupted by Ctrl-C,
143 ended by SIGTERM.

May import everything below it, and each command only what it needs, when it is called: `--help` should be quick. Only
`vidgen_nb.__main__` imports this room. Typer parses (`commands`), rich prints (`console`, `run_progress`, `report`).
What comes from outside is always printed as text, never as markup.
"""

from vidgen_nb.cli.commands import app, main

__all__ = ["app", "main"]
