"""The pages: a list of runs, and one for each run, which asks for what is new while the run goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vidgen_nb.charts.report.figures import figures_of, packed, plotly_js
from vidgen_nb.charts.report.page import REPORT_SCRIPT, document, parts_of, skeleton
from vidgen_nb.dashboard.followed_run import FollowedRun
from vidgen_nb.dashboard.past_runs import PastRun, PastRuns
from vidgen_nb.errors import VidgenError
from vidgen_nb.plaintext import html_line, one_line
from vidgen_nb.run import Run

__all__ = ["make_app"]

HEADERS = {
    # nothing is loaded from elsewhere, and nobody can put the prompts into a page of theirs
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_SCRIPT = Path(__file__).parent / "dashboard.js"
Handler = Callable[[Request], Awaitable[Response]]


def make_app(folder: Path) -> Starlette:
    """Return the ASGI app that shows the runs in a folder. It has no address that changes anything."""
    followed: dict[str, FollowedRun] = {}

    def page_of_list(_: Request) -> Response:
        content = f"<h1>Runs in {html_line(str(folder), 120)}</h1><div id='vg-list'>{_table(folder)}</div>"
        return _html("Runs", content, list_of_runs=True)

    def new_list(_: Request) -> Response:
        return JSONResponse({"table": _table(folder)}, headers=HEADERS)

    def page_of_run(request: Request) -> Response:
        if (found := _found(folder, request)) is None:
            return PlainTextResponse("no such run", 404, headers=HEADERS)
        empty = dict.fromkeys(("lead", "tiles", "accounts", "scenes", "settings"), "")
        title = f"<h1>{html_line(found.name, 120)} <span id='vg-live'></span></h1>"
        return _html(found.name, f"<p><a href='../'>‹ all runs</a></p>{title}{skeleton(empty, figures=True)}")

    def state_of_run(request: Request) -> Response:
        if (found := _found(folder, request)) is None:
            return PlainTextResponse("no such run", 404, headers=HEADERS)
        try:
            return JSONResponse(state_now(found, request.query_params.get("version")), headers=HEADERS)
        except (VidgenError, OSError) as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - lines that are each as they should be, and not together
            why = f"this run can't be shown, its file may be damaged ({type(error).__name__})"
        followed.pop(found.path.name, None)
        return JSONResponse({"error": one_line(why, 300)}, headers=HEADERS)

    def state_now(found: PastRun, known: str | None) -> dict[str, Any]:
        run = followed.setdefault(found.path.name, FollowedRun(found.path)).read()
        version = f"{len(run.events)} {found.stand}"  # a run that breaks off adds no event
        state: dict[str, Any] = {"events": len(run.events), "version": version, "live": found.is_live}
        if known != version:
            videos = folder.absolute().parent
            state["title"] = f"{_progress(run)} · {one_line(found.name, 80)}"
            state["parts"] = parts_of(run.data, run.metrics(), run.cost, videos=videos, stands=found.stand)
            state["figures"] = packed(figures_of(run.data) if run.attempts else {})
        return state

    def script(source: Callable[[], str]) -> Handler:
        return _in_thread(lambda _: Response(source(), media_type="text/javascript", headers=HEADERS))

    return Starlette(
        routes=[
            Route("/", _in_thread(page_of_list)),
            Route("/list", _in_thread(new_list)),
            Route("/runs/{name}", _in_thread(page_of_run)),
            Route("/runs/{name}/state", _in_thread(state_of_run)),
            Route("/plotly.js", script(plotly_js)),
            Route("/report.js", script(lambda: REPORT_SCRIPT.read_text(encoding="utf-8"))),
            Route("/dashboard.js", script(lambda: _SCRIPT.read_text(encoding="utf-8"))),
        ],
        # a page of some other site can't have its name resolved to this machine, and read the answers
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _progress(run: Run) -> str:
    """Return how many of a run's scenes have succeeded, for the browser's tab: `14/24`."""
    return f"{sum(scene.status == 'succeeded' for scene in run.scenes):,}/{len(run.scenes):,}"


def _in_thread(answer: Callable[[Request], Response]) -> Handler:
    async def handler(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return handler


def _found(folder: Path, request: Request) -> PastRun | None:
    return PastRuns(folder).named(request.path_params["name"])


def _table(folder: Path) -> str:
    def link(_at: int, run: PastRun) -> str:
        return f"<a href='runs/{escape(quote(run.address_name, safe=''))}'>open</a>{' ●' if run.is_live else ''}"

    return PastRuns(folder).table(link)


def _html(title: str, content: str, *, list_of_runs: bool = False) -> HTMLResponse:
    names = ["dashboard"] if list_of_runs else ["plotly", "report", "dashboard"]
    up = "" if list_of_runs else "../"
    scripts = "".join(f"<script src='{up}{name}.js'></script>" for name in names)
    return HTMLResponse(document(title, content + scripts), headers=HEADERS)
