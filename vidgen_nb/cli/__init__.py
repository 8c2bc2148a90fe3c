"""The command line: `vidgen-nb demo`, `run`, `restore`, `emulator`, `gantt`.

Exit codes: 0 every scene succeeded, 1 not every one did, 2 something given is wrong, 130 left by Ctrl-C.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

import vidgen_nb.cli.running as running
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
    pretty_exceptions_enable=False,  # its frames show local variables: never where keys are about
    rich_markup_mode=None,
)

ModeName = Literal["normal", "boost"]
PolicyName = Literal["per-profile", "global-pause", "exponential", "paced"]
BackendName = Literal["openai-videos", "google-interactions", "runway"]

ModeOption = Annotated[ModeName, typer.Option(help="How much is under way at once.")]
PolicyOption = Annotated[
    PolicyName,
    typer.Option(help="What cools after a 429: its profile, everything, ever longer; or limits are learned."),
]
CooldownOption = Annotated[
    float, typer.Option(help="Seconds of cooldown; at least 1, doubling with each 429 in a row.", min=0)
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(help="Of the server, with its version: http://127.0.0.1:8000/v1; default: the hosted API's own."),
]
HonourOption = Annotated[bool, typer.Option("--honour-retry-after", help="Take the server's Retry-After instead.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vidgen-nb {version('vidgen_nb')}")  # noqa: T201 - what was asked for
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Run video-generation scenes over several rate-limited API profiles, and see what the limits do."""


def main() -> None:
    """Run the command line; errors are one line, not a traceback."""
    try:
        app()
    except VidgenError as error:
        running.complain(error)
        sys.exit(2)


@app.command()
def demo(
    mode: ModeOption = "boost",
    policy: PolicyOption = "per-profile",
    cooldown: CooldownOption = 30.0,
    honour_retry_after: HonourOption = False,
    profiles: Annotated[int, typer.Option(help="How many simulated profiles.", min=1)] = 4,
    scenes: Annotated[int, typer.Option(help="How many scenes.", min=1)] = 24,
    speed: Annotated[float, typer.Option(help="Run seconds per wall second.", min=0.01)] = 20.0,
    seed: Annotated[int, typer.Option(help="Of service times and jitter.")] = 7,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("demo"),
) -> None:
    """Run scenes on the bundled emulator: real HTTP on loopback, no key needed."""
    from vidgen_nb.demo import demo as make_demo
    from vidgen_nb.demo import demo_scenes

    with make_demo(
        profiles,
        mode=mode,
        policy=_policy(policy, cooldown, honour_retry_after),
        speed=speed,
        seed=seed,
        output=out / "videos",
    ) as controller:
        code = running.run(controller.session, demo_scenes(scenes), record=out / "run.jsonl", gantt=out / "gantt.html")
    raise typer.Exit(code)


@app.command()
def run(
    scenes: Annotated[Path, typer.Argument(help="Scenes: .txt (a prompt a line), .csv, .json or .jsonl.")],
    profiles: Annotated[Path, typer.Option(help="Profiles: a TOML file.")],
    base_url: BaseUrlOption = None,
    backend: Annotated[BackendName, typer.Option(help="Wire format of the server.")] = "openai-videos",
    model: Annotated[str | None, typer.Option(help="Model for scenes that name none.")] = None,
    mode: ModeOption = "normal",
    policy: PolicyOption = "per-profile",
    cooldown: CooldownOption = 30.0,
    honour_retry_after: HonourOption = False,
    only: Annotated[str | None, typer.Option(help="A range of scenes, counted from 1: 3-7, or 5.")] = None,
    max_wait: Annotated[float, typer.Option(help="Seconds to wait when every profile is unusable.", min=0)] = 3600.0,
    max_billed: Annotated[int | None, typer.Option(help="Stop after so many accepted submits.", min=1)] = None,
    speed: Annotated[float, typer.Option(help="Above 1 only against an emulator.", min=0.01)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of back-off jitter.")] = 0,
    journal: Annotated[
        Path | None, typer.Option(help="Folder in which the run is written down as it happens, for `restore`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("videos"),
) -> None:
    """Run your own scenes on your own server."""
    from vidgen_nb.inputs import load_profiles, load_scenes
    from vidgen_nb.session.session import Session

    chosen = running.within(load_scenes(scenes), only)
    with Session(
        _backend(backend, base_url, model),
        load_profiles(profiles),
        mode=mode,
        policy=_policy(policy, cooldown, honour_retry_after),
        output=out,
        max_wait=max_wait,
        max_billed=max_billed,
        speed=speed,
        seed=seed,
        journal=journal,
    ) as session:
        record, picture = running.free(out / "run.jsonl"), running.free(out / "gantt.html")
        code = running.run(session, chosen, record=record, gantt=picture)
    raise typer.Exit(code)


@app.command()
def restore(
    path: Annotated[
        Path, typer.Argument(help="A run's journal, or the folder of the journals: then the latest one left.")
    ],
    profiles: Annotated[Path, typer.Option(help="Profiles: a TOML file.")],
    base_url: BaseUrlOption = None,
    backend: Annotated[BackendName, typer.Option(help="Wire format of the server.")] = "openai-videos",
    model: Annotated[str | None, typer.Option(help="Model for scenes that name none.")] = None,
    max_billed: Annotated[
        int | None, typer.Option(help="Stop after so many accepted submits, those before the kill among them.", min=1)
    ] = None,
    moved: Annotated[bool, typer.Option("--moved", help="The server has another address now.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the Gantt, the recorded run and the videos.")] = Path("videos"),
) -> None:
    """Go on with a run whose program was killed or left; nothing is submitted twice."""
    from vidgen_nb.inputs import load_profiles
    from vidgen_nb.session.session import Session

    served = _backend(backend, base_url, model)
    changes: dict[str, Any] = {} if max_billed is None else {"max_billed": max_billed}
    with Session.restore(path, served, load_profiles(profiles), output=out, moved=moved, **changes) as session:
        record, picture = running.free(out / "run.jsonl"), running.free(out / "gantt.html")
        code = running.run(session, None, record=record, gantt=picture)
    raise typer.Exit(code)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(help="0: a free one.", min=0, max=65535)] = 8000,
    profiles: Annotated[Path | None, typer.Option(help="Simulated profiles: a TOML file; default: the demo's.")] = None,
    dialect: Annotated[BackendName, typer.Option(help="Wire format to serve.")] = "openai-videos",
    speed: Annotated[float, typer.Option(help="Run seconds per wall second.", min=0.01)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of service times.")] = 0,
    write_profiles: Annotated[
        Path | None, typer.Option(help="Write the profiles, with their keys, for `vidgen-nb run --profiles`.")
    ] = None,
) -> None:
    """Serve the emulator on this machine until Ctrl-C."""
    from vidgen_nb.demo import demo_profiles
    from vidgen_nb.emulator import Emulator
    from vidgen_nb.inputs import load_simulated

    simulated = load_simulated(profiles) if profiles is not None else demo_profiles()
    with Emulator(simulated, port=port, speed=speed, seed=seed, dialect=dialect.replace("-", "_")) as served:
        running.serve(served, write_profiles)


@app.command()
def gantt(
    recorded: Annotated[Path, typer.Argument(help="A recorded run: run.jsonl")],
    out: Annotated[Path, typer.Option(help="gantt.html (interactive) or gantt.svg (a picture)")] = Path("gantt.html"),
    theme: Annotated[str, typer.Option(help="light or dark")] = "light",
    width: Annotated[int, typer.Option(help="Pixels; of an .svg only.", min=480)] = 1000,
) -> None:
    """Draw a recorded run."""
    from vidgen_nb.run import load_run

    found = load_run(recorded)
    if out.suffix == ".svg":
        text = found.svg(theme=theme, width=width)
    elif out.suffix in (".html", ".htm"):
        text = found.html(theme=theme)
    else:
        raise InputError(f"--out {str(out)!r}: a name that ends in .html or .svg is wanted")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    Console().print(str(out), markup=False, highlight=False)


def _backend(name: BackendName, base_url: str | None, model: str | None) -> Backend:
    from vidgen_nb.backends.google.interactions import GoogleInteractions
    from vidgen_nb.backends.openai.videos import OpenAIVideos
    from vidgen_nb.backends.runway.tasks import Runway

    if base_url is None and name == "openai-videos":
        raise InputError(f"--base-url is missing: {name} has no server of its own")
    backends: dict[str, type[Any]] = {
        "openai-videos": OpenAIVideos,
        "google-interactions": GoogleInteractions,
        "runway": Runway,
    }
    given = {"base_url": base_url, "model": model}
    made: Backend = backends[name](**{option: value for option, value in given.items() if value is not None})
    return made


def _policy(name: PolicyName, cooldown: float, honour_retry_after: bool) -> Policy:
    if name == "per-profile":
        return PerProfileCooldown(cooldown, honour_retry_after=honour_retry_after)
    if honour_retry_after:
        raise InputError(f"--honour-retry-after goes with --policy per-profile, not with {name}")
    if name == "global-pause":
        return GlobalPause(cooldown)
    return ExponentialCooldown(jitter="full") if name == "exponential" else Paced()
