"""The what-if explorer: each parameter of a simulation is a control, and a change shows at once what becomes of it.

It may import the run and the experiments, and everything below them; of the panel it uses what makes a widget answer
while a cell blocks, and the picture of a saved notebook. Nothing of the panel knows it.

**One value.** A setting is a frozen `ExplorerState` (`state.py`), which is simulated as `simulate` does it. Its text
(`state_text.py`, of terms such as `token_bucket(2,60)` in `terms.py`) is read back to the same value. `form.py` says
what each control shows of it, and `changes.py` what each control changes. The page, a cell and a pasted text all end in
`Exploration._accept`: it simulates first, so what can't be simulated changes nothing.

**The ghost** is the setting before the last gesture: a slider that is moved gives many settings, and one ghost.

**Fast enough to follow a slider.** The page is one widget (`page.py`, `explorer.js`, `gantt.js`), and draws the rows of
the Gantt itself: an answer is some 10 to 30 kB of bars, where a plotly figure takes longer to redraw than all else. One
message is under way at a time; what is changed meanwhile goes together in the next one, so there is never a backlog.
What takes longer than the run, the bound and what is made of it, is asked for by the page once the hand rests.

**Without threads.** A comparison over many seeds goes on in slices, each of which the page asks for (`comparing.py`):
between two of them, the kernel answers the sliders. So it works in Pyodide, too.
"""
