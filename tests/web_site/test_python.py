"""The site's own Python, in node: what a browser's kernel imports and does, without a browser."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

RUN_PYTHON = Path(__file__).parents[2] / "binder" / "site" / "run_python.mjs"


def said(site: Path, program: str) -> list[str]:
    """Return the lines that a program prints in the site's Python; it must not fail."""
    command = ("node", str(RUN_PYTHON), str(site / "static" / "pyodide"), "vidgen-nb")
    done = subprocess.run(command, input=dedent(program), text=True, capture_output=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("[")]  # the log's lines


def test_it_stays_small(site: Path) -> None:
    """All of the site takes 60 MB at most (60 · 10⁶ bytes), before a server packs it."""
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) <= 60e6


@pytest.mark.timeout(300)
def test_imports_find_bytecode(site: Path) -> None:
    """What a panel imports is compiled already, in the standard library as well."""
    program = """
        import sys
        from pathlib import Path
        import vidgen_nb as vg
        from vidgen_nb.notebook import controller
        vg.simulate(vg.demo_scenes(3), vg.demo_profiles())
        specs = [m.__spec__ for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).endswith(".py")]
        missing = [each.name for each in specs if each.origin != "frozen" and not Path(each.cached or "").is_file()]
        print(len(specs) > 300, missing)
    """
    assert said(site, program)[-1] == "True []"


@pytest.mark.timeout(300)
def test_simulate_and_a_live_run(site: Path) -> None:
    """The package is imported, simulates the same run as here, and runs scenes live over the bundled emulator."""
    import vidgen_nb as vg

    program = """
        import vidgen_nb as vg
        run = vg.simulate(vg.demo_scenes(60), vg.demo_profiles(), seed=1)
        print(run.metrics().makespan)
        print(len(run.svg()) > 10_000, len(run.gantt().data) > 0, len(str(run.estimate_limits())) > 100)
        async with vg.demo(speed=20) as session:
            live = await session.run(vg.demo_scenes(12))
        print(*{scene.status for scene in live.scenes}, session.is_closed)
    """
    lines = said(site, program)
    here = vg.simulate(vg.demo_scenes(60), vg.demo_profiles(), seed=1).metrics().makespan
    assert float(lines[0]) == pytest.approx(here, rel=1e-9)  # its logarithm differs in the last digit
    assert lines[1] == "True True True"
    assert lines[2] == "succeeded True"


@pytest.mark.timeout(300)
def test_a_figure_of_plotlys_own_is_shown(site: Path) -> None:
    """Plotly asks for nbformat, which needs compiled packages, before it shows a figure: the site has what it asks."""
    program = """
        import plotly.graph_objects as go
        import plotly.io as pio
        pio.renderers.default = "plotly_mimetype"
        shown = go.Figure(go.Scatter(y=[1, 2]))._repr_mimebundle_()
        print(*shown)
    """
    assert said(site, program)[-1] == "application/vnd.plotly.v1+json"


@pytest.mark.timeout(300)
def test_what_a_browser_cannot_do_is_said(site: Path) -> None:
    """Without threads, sockets and pandas there are clear errors, and what awaits works."""
    program = """
        import asyncio
        import vidgen_nb as vg

        def refused(function, *args):
            try:
                function(*args)
            except Exception as error:
                print(type(error).__name__, "|", error)

        ctl = vg.demo(speed=50)
        ctl.start(vg.demo_scenes(3))
        refused(ctl.wait)
        print(len((await ctl.join()).scenes))
        refused(ctl.close)
        await ctl.aclose()
        try:
            async with vg.Session(vg.OpenAIVideos("https://example.org/v1"), [vg.Profile("a", api_key="k")]) as session:
                await session.run(["a"])
        except Exception as error:
            print(type(error).__name__, "|", error)
        refused(vg.simulate(vg.demo_scenes(3), vg.demo_profiles()).to_frame)
    """
    lines = said(site, program)
    assert [line.partition(" | ")[0] for line in lines] == [
        "SessionError",
        "3",
        "SessionError",
        "InputError",
        "ImportError",
    ]
    assert "await session.join()" in lines[0]
    assert "no sockets" in lines[3]
    assert "pandas" in lines[4]


@pytest.mark.timeout(300)
def test_a_journal_goes_on(site: Path) -> None:
    """A run that is written down, broken off and restored loses no scene and pays none twice."""
    program = """
        import asyncio
        import vidgen_nb as vg
        emulator = vg.Emulator(vg.demo_profiles(), speed=20, latency=0.1)
        with emulator:
            backend = vg.OpenAIVideos(emulator.base_url)
            session = vg.Session(backend, emulator.profiles, speed=20, journal="runs", mode="boost")
            session.start(vg.demo_scenes(8))
            while session.billed < 4:
                await asyncio.sleep(0.05)
            await session.runner.abandon()
            path = session.journal
            await session.aclose()
            again = vg.restore(path, vg.OpenAIVideos(emulator.base_url), emulator.profiles)
            run = await again.run()
            await again.aclose()
        statuses = [scene.status for scene in run.scenes]
        paid = [each for each in emulator.requests if each.method == "POST" and each.status < 300]
        print(len(statuses), set(statuses) <= {"succeeded", "held"}, len(paid) <= 8)
    """
    assert said(site, program)[-1] == "8 True True"
