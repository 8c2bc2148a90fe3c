"""The commands and their options, parsed by Typer."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vidgen_nb.cli.console import print_error
from vidgen_nb.cli.recorded import dashboard, gantt, report
from vidgen_nb.cli.report import unused_path
from vidgen_nb.cli.run_progress import run_to_end
from vidgen_nb.cli.signals import ended_by_signals, run_signals
from vidgen_nb.cli.streams import harmless_output
from vidgen_nb.core.model import Scene
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError, VidgenError
from vidgen_nb.policies.cooldowns import ExponentialCooldown, GlobalPause, PerProfileCooldown
from vidgen_nb.policies.paced.policy import Paced
from vidgen_nb.ports import Backend

__all__ = ["app", "main"]

app = typer.Typer(
    help="Run video-generation scenes over several rate-limited API profiles, and see what the limits do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its frames show local variables, and some hold keys
    rich_markup_mode=None,
)

ModeName = Literal["normal", "boost"]
PolicyName = Literal["per-profile", "global-pause", "exponential", "paced"]
BackendName = Literal["openai-videos", "google-interactions", "runway"]

ModeOption = Annotated[
    ModeName, typer.Option(help="normal: one submit at a time, at most 4 running per profile. boost: no limit.")
]
PolicyOption = Annotated[
    PolicyName,
    typer.Option(
        help="After a 429: cool its profile, pause everything, cool ever longer, or learn the limits and pace submits."
    ),
]
CooldownOption = Annotated[
    float, typer.Option(help="Seconds of cooldown; at least 1, doubled by each further 429 in a row.", min=0)
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        help="Address of the server with its version, such as http://127.0.0.1:8000/v1; default: the hosted API's own."
    ),
]
CaOption = Annotated[
    Path | None, typer.Option("--ca", help="Certificates (PEM) of a private CA, trusted besides the usual ones.")
]
HonourOption = Annotated[
    bool, typer.Option("--honour-retry-after", help="Use the server's Retry-After instead of --cooldown.")
]


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
    from vidgen_nb.demo import demo as make_demo
    from vidgen_nb.demo import demo_scenes

    with (
        run_signals(),
        make_demo(
            profiles,
            mode=mode,
            policy=_policy(policy, cooldown, honour_retry_after),
            speed=speed,
            seed=seed,
            output=out / "videos",
        ) as controller,
    ):
        code = run_to_end(controller.session, demo_scenes(scenes), record=out / "run.jsonl", gantt=out / "gantt.html")
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
            _backend(backend, base_url, model, ca),
            load_profiles(profiles),
            mode=mode,
            policy=_policy(policy, cooldown, honour_retry_after),
            output=out,
            max_wait=max_wait,
            max_billed=max_billed,
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
    moved: Annotated[bool, typer.Option("--moved", help="Accept that the server has a new address.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("videos"),
) -> None:
    """Continue a run whose program was killed or left; nothing is submitted twice."""
    from vidgen_nb.inputs import load_profiles
    from vidgen_nb.session.session import Session

    served = _backend(backend, base_url, model, ca)
    changes: dict[str, Any] = {} if max_billed is None else {"max_billed": max_billed}
    with (
        run_signals(),
        Session.restore(path, served, load_profiles(profiles), output=out, moved=moved, **changes) as session,
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
) -> None:
    """Serve the emulator on this machine until Ctrl-C or SIGTERM."""
    from vidgen_nb.cli.emulator_server import serve
    from vidgen_nb.demo import demo_profiles
    from vidgen_nb.emulator import Emulator
    from vidgen_nb.inputs import load_simulated

    simulated = load_simulated(profiles) if profiles is not None else demo_profiles()
    with (
        ended_by_signals(),
        Emulator(simulated, port=port, speed=speed, seed=seed, dialect=dialect.replace("-", "_")) as served,
    ):
        serve(served, write_profiles)


for command in (gantt, report, dashboard):
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


def _backend(name: BackendName, base_url: str | None, model: str | None, ca: Path | None) -> Backend:
    from vidgen_nb.backends.google.interactions import GoogleInteractions
    from vidgen_nb.backends.openai.videos import OpenAIVideos
    from vidgen_nb.backends.runway.tasks import Runway

    if base_url is None and name == "openai-videos":
        raise InputError(f"--base-url is missing: {name} has no hosted server to default to")
    backends: dict[str, type[Any]] = {
        "openai-videos": OpenAIVideos,
        "google-interactions": GoogleInteractions,
        "runway": Runway,
    }
    given = {"base_url": base_url, "model": model, "verify": ca}
    made: Backend = backends[name](**{option: value for option, value in given.items() if value is not None})
    return made


def _policy(name: PolicyName, cooldown: float, honour_retry_after: bool) -> Policy:
    if name == "per-profile":
        return PerProfileCooldown(cooldown, honour_retry_after=honour_retry_after)
    if honour_retry_after:
        raise InputError(f"--honour-retry-after works with --policy per-profile, not with {name}")
    if name == "global-pause":
        return GlobalPause(cooldown)
    return ExponentialCooldown(jitter="full") if name == "exponential" else Paced()
