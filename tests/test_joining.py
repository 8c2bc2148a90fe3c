"""A controller on somebody's emulator: an address and a key are enough, and what is wrong with them is said."""

from __future__ import annotations

import http.server
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

import vidgen_nb as vg
from vidgen_nb.joining import KEY_VARIABLE


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[vg.SimulatedProfile]:
    """Give the accounts of two students, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    return vg.class_profiles(2, service=vg.Constant(5))


def test_a_students_cell(room: list[vg.SimulatedProfile], caplog: pytest.LogCaptureFixture) -> None:
    """It runs at the emulator's speed on the key's own account, and shows the key nowhere."""
    caplog.set_level(logging.DEBUG)
    key = room[1].api_key
    with vg.Emulator(room, speed=100) as emulator, vg.join(emulator.base_url, key) as ctl:
        assert list(ctl.profiles) == ["student02"]
        assert (ctl.speed, len(ctl.scenes)) == (100, 6)
        run = ctl.run_blocking(vg.demo_scenes(2))
        assert [scene.status for scene in run.scenes] == ["succeeded"] * 2
        assert {each.profile for each in vg.Run({}, emulator.events).attempts} == {"student02"}
        assert key not in repr(ctl) + repr(ctl.profiles) + repr(run.events) + repr(run.header) + caplog.text
    assert list(Path("demo", "student02").glob("*.mp4"))


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "http://127.0.0.1:{port}/v1/", " http://localhost:{port} "])
def test_the_address_as_people_write_it(room: list[vg.SimulatedProfile], address: str) -> None:
    """With or without the scheme, a path or spaces."""
    with vg.Emulator(room) as emulator:
        port = emulator.base_url.rsplit(":", 1)[1].removesuffix("/v1")
        vg.join(address.format(port=port), room[0].api_key).close()


def test_the_key_from_the_environment_or_typed(
    room: list[vg.SimulatedProfile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable, else a field of dots."""
    with vg.Emulator(room) as emulator:
        monkeypatch.setenv(KEY_VARIABLE, room[0].api_key)
        with vg.join(emulator.base_url) as ctl:
            assert list(ctl.profiles) == ["student01"]
        monkeypatch.delenv(KEY_VARIABLE)
        monkeypatch.setattr("getpass.getpass", lambda prompt: {"Your key: ": room[1].api_key}[prompt])
        with vg.join(emulator.base_url) as ctl:
            assert list(ctl.profiles) == ["student02"]


def test_a_wrong_key(room: list[vg.SimulatedProfile]) -> None:
    """Said at once, without the key; the teacher sees that somebody has tried."""
    with vg.Emulator(room) as emulator:
        with pytest.raises(vg.InputError, match="doesn't know this key: was all of it copied") as refused:
            vg.join(emulator.base_url, "wrong-0000-1111")
        assert "wrong" not in str(refused.value)
        assert emulator.unknown_keys == 1


@pytest.mark.parametrize(
    "address", ["", None, "ftp://here", "http://ada:secret@here", "http://here/?key=secret", "http://", "http://a:b:c"]
)
def test_what_is_no_address(address: Any) -> None:
    """It is refused before anything is sent, and not quoted if it may hold a key."""
    with pytest.raises(vg.InputError, match="address is the emulator's") as refused:
        vg.join(address, "any-key-of-mine")
    assert "secret" not in str(refused.value)


def test_where_nothing_answers(room: list[vg.SimulatedProfile]) -> None:
    """The message asks the three questions."""
    with vg.Emulator(room) as emulator:
        address = emulator.base_url
    with pytest.raises(vg.InputError, match="can't be reached: is the emulator running"):
        vg.join(address, room[0].api_key)


def test_where_something_else_answers() -> None:
    """A page, whatever its status, is no emulator."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"dialect": "smoke"}')

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(vg.InputError, match="is no emulator of vidgen_nb"):
            vg.join(f"http://127.0.0.1:{server.server_port}", "any-key-of-mine")
        server.shutdown()
