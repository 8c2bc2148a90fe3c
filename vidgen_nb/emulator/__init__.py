"""The provider model served over HTTP, in the wire format of a real API; on loopback, unless told otherwise.

May import the provider, the ports (for profiles) and the clock; Starlette and uvicorn live here and in the dashboard.

Theory of operation. `Emulator` (server) runs uvicorn in a thread of its own. Its ASGI app (`app`) finds out which
simulated profile a key belongs to, waits the latency, calls the dialect's handler, and logs the request. A dialect only
translates: it parses the request, asks the provider to submit, poll or cancel a job, and writes the answer as the real
API does. What the provider decides (limits, service times, faults) is the same in every dialect, and what its accounts
did is kept as the events of a run (`seen`).

To add a dialect:

1. Write `dialects/<api>_errors.py`: a table with the answer for each cause of a refusal (`rate`, `concurrency`,
   `day_quota`, `credit`, `auth`, `overload`, `content`, `bad_request`) and each failure of a job.
2. Write `dialects/<api>.py` with a class that extends `Dialect`: `routes`, `envelope`, and `owner` if the key is not a
   bearer token in `Authorization`. Its keyword-only parameters are options of `Emulator`.
3. Add it to `DIALECTS` in `server`, under the name of the backend for the same API.
4. Say in its docstring which sources the wire format is from, and what is made up.
5. Run the backend on it, and the API's own SDK if there is one: see `tests/emulator/dialects`.
"""

from vidgen_nb.emulator.app import SCENE_HEADER, RequestRecord
from vidgen_nb.emulator.server import Emulator

__all__ = ["SCENE_HEADER", "Emulator", "RequestRecord"]
