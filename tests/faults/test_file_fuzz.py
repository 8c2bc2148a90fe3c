"""Whatever bytes are in a file that is read: a value, or the error that is documented for it, and soon."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.harness import World
from vidgen_nb.core.events import Event
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, RateLimited
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs import load_profiles, load_scenes
from vidgen_nb.inputs.simulated_profiles import load_simulated
from vidgen_nb.ports import Profile
from vidgen_nb.recording.codec import decode, encode
from vidgen_nb.recording.runfile import read_run, write_run
from vidgen_nb.run import Run, load_run

ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, 0, -1, 10**400, 1.5, "", "x", "inf", "nan", "\ud800", [], ["x"], {}, {"kind": "transient"},
    {"name": "GlobalPause", "seconds": "x"}, {"name": 3}, {"id": "s", "prompt": "p", "params": 3}, [[[]]],
    {"id": "s", "prompt": "p", "params": {"id": 1}}, {"id": "s", "prompt": "p", "params": {"": {}}}, 1e308,
])  # fmt: skip
TOML = st.sampled_from([
    '[[profile]]\nname = "a"\n', "[profiles.b]\n", 'api_key = "sk-1"\n', 'limits = [{kind = "token_bucket", n = 4}]\n',
    "capacity = -1\n", "capacity = 1e999\n", "name = 1979-05-27\n", 'service = {kind = "lognormal", mean = "x"}\n', "[",
    "profile = []\n", "a.b.c = 1\n", 'key_env = "HOME"\n', 'quota_group = ""\n', "limits = 3\n", "\0", "inf = nan\n",
    'service = {kind = "constant", seconds = nan}\n', "limits = [3]\n", 'limits = [{kind = "concurrency", n = []}]\n',
    "[[profile]]\nname = '''\n\u202e'''\n", 'base_url = "http://["\n', "retry_after = 'x'\n", "rate_headers = 2\n",
])  # fmt: skip


def recorded() -> list[Event]:
    """Return the events of a run in which much goes wrong."""
    world = World(profiles=2, scenes=3)
    world.limit("s1", 3.0)
    world.accept("s1")
    world.finish("s1")
    world.fail("s2", Ambiguous("502"))
    world.sleep_until(10.0)  # both profiles cooled
    world.fail("s3", RateLimited())
    return list(world.scheduler.events)


EVENTS = recorded()
LINES = [json.dumps({"vidgen_nb_run": 1, "run": "r"}), *(json.dumps(encode(event)) for event in EVENTS)]


def reads(reader: Callable[[Path], Any], name: str, data: bytes, *allowed: type[Exception]) -> Any:
    """Return what a reader makes of a file, or None if it raises a documented error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        with suppress(*allowed):
            return reader(path)
    return None


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([".txt", ".csv", ".json", ".jsonl"]))
def test_any_bytes_as_scenes(data: bytes, suffix: str) -> None:
    """Scenes, or an input error: bad UTF-8, NULs, lone quotes and all."""
    found = reads(load_scenes, f"a{suffix}", data, InputError)
    assert found is None or all(isinstance(scene, Scene) for scene in found)


@settings(deadline=None)
@given(st.lists(ODD | st.dictionaries(st.sampled_from(["id", "prompt", "seconds", "self", "scenes"]), ODD), max_size=4))
def test_any_json_as_scenes(items: list[Any]) -> None:
    """The same for well-formed JSON with anything in it, in a file and at hand."""
    with suppress(InputError):
        load_scenes(items)
    reads(load_scenes, "a.json", json.dumps(items).encode(), InputError)
    reads(load_scenes, "a.jsonl", "\n".join(map(json.dumps, items)).encode(), InputError)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.lists(TOML, max_size=7).map(lambda lines: "".join(lines).encode()))
def test_any_bytes_as_profiles(data: bytes) -> None:
    """Profiles, simulated ones, or an input error that shows no key."""
    for reader in (load_profiles, load_simulated):
        found = reads(reader, "p.toml", data, InputError)
        assert found is None or found
    try:
        reads(load_profiles, "p.toml", data)
    except InputError as error:
        assert "sk-1" not in str(error)  # noqa: PT017 - it need not raise


@settings(deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda end: LINES[0].encode() + b"\n" + end))
def test_any_bytes_as_a_run(data: bytes) -> None:
    """A run, or a FileFormatError."""
    reads(read_run, "run.jsonl", data, FileFormatError)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_run_with_something_else_in_it(data: st.DataObject) -> None:
    """A value changed, a field or a line lost, doubled or moved: an error about it, or a run that can be shown."""
    lines: list[Any] = [json.loads(line) for line in LINES]
    at = data.draw(st.integers(1, len(lines) - 1))
    match data.draw(st.sampled_from(["change", "lose", "double", "cut", "nest"])):
        case "change":
            lines[at][data.draw(st.sampled_from(sorted(lines[at])))] = data.draw(ODD)
        case "nest":
            inner = [each for each in lines[at].values() if isinstance(each, dict)]
            if inner:
                part = data.draw(st.sampled_from(inner))
                part[data.draw(st.sampled_from([*part, "x"]))] = data.draw(ODD)
        case "lose":
            del lines[at]
        case "double":
            lines.insert(at, lines[at])
        case "cut":
            lines[at].pop(data.draw(st.sampled_from(sorted(lines[at]))))
    found = reads(read_run, "run.jsonl", "\n".join(map(json.dumps, lines)).encode(), FileFormatError)
    if found is None:
        return
    run = Run(*found)
    for show in (lambda: repr(run), run._repr_html_, run.svg, run.metrics):
        with suppress(InputError):
            assert show() is not None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["event", "at", "scene", "number", "outcome", "policy", "mode"]), ODD))
def test_any_object_as_an_event(data: dict[str, Any]) -> None:
    """An event, or a ValueError."""
    with suppress(ValueError):
        assert isinstance(decode(data), Event)


@settings(deadline=None)
@given(st.text(max_size=20), ODD)
def test_any_header(run: str, odd: Any) -> None:
    """For any header, the run is one line of plain text, in HTML too."""
    with tempfile.TemporaryDirectory() as folder:
        found = load_run(write_run(Path(folder) / "run.jsonl", {"run": run, "mode": odd, "policy": odd}, EVENTS))
    for name in (run, odd):
        shown = repr(Run({"run": name}, found.events))
        assert shown.isprintable() and len(shown) < 300


@pytest.mark.parametrize("name", ["load_profiles", "load_simulated"])
def test_a_long_file(name: str, tmp_path: Path) -> None:
    """Long files are read, or refused, in time: no line of them is looked at again and again."""
    reader = {"load_profiles": load_profiles, "load_simulated": load_simulated}[name]
    for unit in ("[[profile]]\n", "a", "[", '"', "a.", "\n", '[[profile]]\nname="x"\napi_key="y"\n'):
        began = time.perf_counter()
        reads(reader, "p.toml", (unit * (100_000 // len(unit))).encode(), InputError)
        assert time.perf_counter() - began < 5, unit
    assert isinstance(reads(load_profiles, "p.toml", b'[profiles.a]\napi_key="x"')[0], Profile)
