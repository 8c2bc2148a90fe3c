"""The commands and their options, parsed by Typer."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from vidgen_nb.cli.console import make_console, print_error
from vidgen_nb.cli.options import (
    BackendName,
    BaseUrlOption,
    CaOption,
    CooldownOption,
    HonourOption,
    MaxCostOption,
    ModeOption,
    PauseOption,
    PolicyOption,
    PriceOption,
    make_backend,
    make_policy,
    with_price,
)
from vidgen_nb.cli.recorded import dashboard, export, gantt, replay, report
from vidgen_nb.cli.report import unused_path
from vidgen_nb.cli.run_progress import run_to_end
from vidgen_nb.cli.signals import ended_by_signals, run_signals
from vidgen_nb.cli.streams import harmless_output
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError, VidgenError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Run video-generation scenes over several rate-limited API profiles, and see what the limits do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its frames show local variables, and some hold keys
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vidgen-nb {version('vidgen_nb')}")  # noqa: T201 - the user asked for it
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Run video-generation scenes over several rate-limited API profiles, and see what the limits do."""


def main() -> None:
    """Run the command line; an error of ours is printed as one line, not as a traceback."""
    with harmless_output():
        try:
            app()
        except VidgenError as error:
            print_error(error)
            sys.exit(2)


@app.command()
def demo(
    mode: ModeOption = "boost",
    policy: PolicyOption = "per-profile",
    cooldown: CooldownOption = 30.0,
    honour_retry_after: HonourOption = False,
    profiles: Annotated[int, typer.Option(help="Number of simulated profiles.", min=1)] = 4,
    scenes: Annotated[int, typer.Option(help="Number of scenes.", min=1)] = 24,
    speed: Annotated[float, typer.Option(help="Run seconds per wall second.", min=0.01)] = 20.0,
    seed: Annotated[int, typer.Option(help="Seed for service times and back-off jitter.")] = 7,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("demo"),
) -> None:
    """Run scenes on the bundled emulator: real HTTP on this machine, no key needed."""
    from vidgen_nb.bundled_demo import demo as make_demo
    from vidgen_nb.bundled_demo import demo_scenes

    with (
        run_signals(),
        make_demo(
            profiles,
            mode=mode,
            policy=make_policy(policy, cooldown, honour_retry_after),
            speed=speed,
            seed=seed,
            output=out / "videos",
        ) as controller,
    ):
        code = run_to_end(controller.session, demo_scenes(scenes), record=out / "run.jsonl", gantt=out / "gantt.html")
        make_console().print("(The demo's prices are invented.)", markup=False)
    raise typer.Exit(code)


@app.command()
def run(
    scenes: Annotated[
        Path, typer.Argument(help="File of scenes: .txt (one prompt per line), .csv, .tsv, .json or .jsonl.")
    ],
    profiles: Annotated[Path, typer.Option(help="TOML file of profiles.")],
    base_url: BaseUrlOption = None,
    backend: Annotated[BackendName, typer.Option(help="API that the server speaks.")] = "openai-videos",
    model: Annotated[str | None, typer.Option(help="Model for scenes that name none.")] = None,
    ca: CaOption = None,
    mode: ModeOption = "normal",
    policy: PolicyOption = "per-profile",
    cooldown: CooldownOption = 30.0,
    honour_retry_after: HonourOption = False,
    only: Annotated[str | None, typer.Option(help="Run only these scenes, counted from 1: 3-7, or 5.")] = None,
    max_wait: Annotated[float, typer.Option(help="Seconds to wait while every profile is unusable.", min=0)] = 3600.0,
    max_billed: Annotated[int | None, typer.Option(help="Stop after this many accepted submits.", min=1)] = None,
    max_cost: MaxCostOption = None,
    price: PriceOption = None,
    pause_after: PauseOption = 3,
    speed: Annotated[
        float, typer.Option(help="Run seconds per wall second; above 1 only against an emulator.", min=0.01)
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed for back-off jitter.")] = 0,
    journal: Annotated[
        Path | None, typer.Option(help="Folder to record the run in as it happens, for `restore`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("videos"),
) -> None:
    """Run your own scenes on a server with your own profiles."""
    from vidgen_nb.inputs import load_profiles, load_scenes
    from vidgen_nb.session.session import Session

    chosen = select_scenes(load_scenes(scenes), only)
    with (
        run_signals(),
        Session(
            make_backend(backend, base_url, model, ca),
            with_price(load_profiles(profiles), price),
            mode=mode,
            policy=make_policy(policy, cooldown, honour_retry_after),
            output=out,
            max_wait=max_wait,
            max_billed=max_billed,
            max_cost=max_cost,
            pause_after_same_failure=pause_after or None,
            speed=speed,
            seed=seed,
            journal=journal,
        ) as session,
    ):
        record, picture = unused_path(out / "run.jsonl"), unused_path(out / "gantt.html")
        code = run_to_end(session, chosen, record=record, gantt=picture)
    raise typer.Exit(code)


@app.command()
def restore(
    path: Annotated[
        Path, typer.Argument(help="Journal of a run, or the folder of journals: then its latest unfinished one.")
    ],
    profiles: Annotated[Path, typer.Option(help="TOML file of profiles.")],
    base_url: BaseUrlOption = None,
    backend: Annotated[BackendName, typer.Option(help="API that the server speaks.")] = "openai-videos",
    model: Annotated[str | None, typer.Option(help="Model for scenes that name none.")] = None,
    ca: CaOption = None,
    max_billed: Annotated[
        int | None,
        typer.Option(help="Stop after this many accepted submits, counting those before the restore.", min=1),
    ] = None,
    max_cost: MaxCostOption = None,
    price: PriceOption = None,
    moved: Annotated[bool, typer.Option("--moved", help="Accept that the server has a new address.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("videos"),
) -> None:
    """Continue a run whose program was killed or left; nothing is submitted twice."""
    from vidgen_nb.inputs import load_profiles
    from vidgen_nb.session.session import Session

    served = make_backend(backend, base_url, model, ca)
    limits = {"max_billed": max_billed, "max_cost": max_cost}
    changes: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    priced = with_price(load_profiles(profiles), price)
    with (
        run_signals(),
        Session.restore(path, served, priced, output=out, moved=moved, **changes) as session,
    ):
        record, picture = unused_path(out / "run.jsonl"), unused_path(out / "gantt.html")
        code = run_to_end(session, None, record=record, gantt=picture)
    raise typer.Exit(code)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free one.", min=0, max=65535)] = 8000,
    profiles: Annotated[Path | None, typer.Option(help="TOML file of simulated profiles; default: the demo's.")] = None,
    dialect: Annotated[BackendName, typer.Option(help="API to imitate.")] = "openai-videos",
    speed: Annotated[float, typer.Option(help="Run seconds per wall second.", min=0.01)] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed for service times.")] = 0,
    write_profiles: Annotated[
        Path | None,
        typer.Option(help="Write the profiles and their keys to this file, for `vidgen-nb run --profiles`."),
    ] = None,
    students: Annotated[
        int | None,
        typer.Option("--class", help="A class of so many students instead: an account each, one limit for all.", min=1),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="With --class: TOML file of the students' keys, made if it isn't there. [default: keys.toml]"
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in, if each profile has its own key.")
    ] = "127.0.0.1",
    record: Annotated[
        Path | None,
        typer.Option(help="Record what everybody does in this file, to watch. [with --class: runs/class.jsonl]"),
    ] = None,
) -> None:
    """Serve the emulator until Ctrl-C or SIGTERM; on this machine only, unless you say otherwise."""
    from vidgen_nb.cli.emulator_server import Served, serve, simulated_profiles
    from vidgen_nb.emulator import Emulator

    simulated, key_file = simulated_profiles(profiles, students, keys)
    if students is not None and record is None:
        record = unused_path(Path("runs", "class.jsonl"))
    latency = 0.4 if students is not None else 0.0
    with (
        ended_by_signals(),
        Emulator(
            simulated, host=host, port=port, speed=speed, seed=seed, latency=latency, dialect=dialect.replace("-", "_")
        ) as served,
    ):
        serve(Served(served, host, key_file, record), write_profiles)


for command in (gantt, report, replay, export, dashboard):
    app.command()(command)


def select_scenes(scenes: Sequence[Scene], only: str | None) -> Sequence[Scene]:
    """Return the scenes of a range such as `3-7`, counted from 1."""
    if only is None:
        return scenes
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", only)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= len(scenes):
        raise InputError(f"--only {only!r}: give a range such as 3-7 or 5, within 1-{len(scenes)}")
    return scenes[first - 1 : last]
