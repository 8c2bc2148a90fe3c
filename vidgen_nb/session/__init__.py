"""A session: scheduler, driver, backend and journal put together, without any UI.

`Session` (session.py) is what a script or a notebook talks to. It owns one event loop, on a thread of its own or the
caller's, and everything that changes lives there: `Runner` decides which run goes on and which one begins, `live/`
holds the run itself. Requests come from any thread and are handed over to the loop; what a session shows may be read
from anywhere.

    Session ─▶ RunControl ─▶ Runner ─▶ LiveRun ─▶ RealtimeDriver ─▶ Scheduler
                               │          │
                 SessionState ─┘          └─▶ Journal, RunLog, VideoFolder

No scheduling is decided here. This room may import everything below it, and neither widgets nor plotly.
"""
