"""Serving: from scripts and running loops, on loopback unless told otherwise, started once and stopped cleanly."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from vidgen_nb.backends.account import account_of
from vidgen_nb.clock import Clock
from vidgen_nb.emulator import Emulator
from vidgen_nb.errors import InputError, SessionError
from vidgen_nb.machine.addresses import address_for_others
from vidgen_nb.ports import Secret
from vidgen_nb.provider import Constant, Fault, SimulatedProfile
from vidgen_nb.run import Run

P1 = SimulatedProfile("p1", service=Constant(0))
KEY = {"Authorization": "Bearer sk-emulated-p1"}


def threads() -> list[str]:
    """Return the names of the emulators' threads."""
    return [thread.name for thread in threading.enumerate() if thread.name == "vidgen_nb emulator"]


def test_it_serves_from_a_script() -> None:
    """In a `with` block it answers over HTTP at once; after it the thread is gone and the port closed."""
    with Emulator([P1]) as emulator:
        assert threads()
        url = emulator.base_url + "/videos"
        assert httpx.get(url, headers=KEY).status_code == 200
    assert not threads()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, headers=KEY)
    emulator.stop()


def test_it_serves_beside_a_running_loop() -> None:
    """In `async with`, the caller's loop stays free, and 50 requests at once are all answered."""

    async def main() -> list[int]:
        async with Emulator([P1]) as emulator, httpx.AsyncClient(headers=KEY, base_url=emulator.base_url) as client:
            calls = [client.post("/videos", files={"prompt": (None, f"scene {i}")}) for i in range(50)]
            codes = [answer.status_code for answer in await asyncio.gather(*calls)]
            assert len(emulator.requests) == 50
            return codes

    assert asyncio.run(main()) == [200] * 50
    assert not threads()


def test_it_stops_while_a_client_is_connected() -> None:
    """An idle connection that the client keeps open does not hold up the stop."""
    with Emulator([P1]) as emulator, httpx.Client(headers=KEY) as client:
        client.get(emulator.base_url + "/videos")
        emulator.stop()
        assert not threads()


def test_a_cut_off_download_breaks_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Over HTTP a cut-off body ends with the connection, before its Content-Length."""
    with Emulator([P1], faults=[Fault("cut_off")]) as emulator, httpx.Client(headers=KEY) as client:
        url = emulator.base_url + "/videos"
        video = client.post(url, files={"prompt": (None, "a")}).json()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            client.get(f"{url}/{video['id']}/content")
        assert [request.status for request in emulator.requests] == [200, 200]
    assert "emulator failed" not in caplog.text


def test_profiles_come_ready_to_use() -> None:
    """`profiles` are a client's profiles, with keys, capacity and quota group."""
    simulated = SimulatedProfile("p1", capacity=3, quota_group="g", api_key="sk-mine")
    (profile,) = Emulator([simulated]).profiles
    assert (profile.name, profile.capacity, profile.quota_group) == ("p1", 3, "g")
    assert profile.api_key.reveal() == "sk-mine"


def test_time_starts_with_the_service() -> None:
    """Without a clock of the caller's, run time begins at the start, at the given speed; a given clock is kept."""
    emulator = Emulator([P1], speed=20)
    before = emulator.clock
    with emulator:
        assert emulator.clock is not before
        assert emulator.clock.speed == 20
    clock = Clock(5)
    with Emulator([P1], clock=clock) as emulator:
        assert emulator.clock is clock


def test_it_starts_once() -> None:
    """A second start is an error, and so is asking for the address before the first."""
    emulator = Emulator([P1])
    with pytest.raises(SessionError, match="start"):
        _ = emulator.base_url
    assert "not started" in repr(emulator)
    with emulator, pytest.raises(SessionError, match="once"):
        emulator.start()
    with pytest.raises(SessionError, match="once"):
        emulator.start()


def test_a_taken_port_is_said_at_once() -> None:
    """A port that is in use is an `InputError` with the way out."""
    with Emulator([P1]) as first:
        port = int(first.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
        assert str(port) in repr(first)
        with pytest.raises(InputError, match="port=0 takes a free one"):
            Emulator([P1], port=port).start()


def test_latency_is_waited() -> None:
    """Latency is counted in run seconds before each answer."""
    with Emulator([P1], speed=1000, latency=5) as emulator:
        httpx.get(emulator.base_url + "/videos", headers=KEY)
        assert emulator.requests[0].time >= 5


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"host": "0.0.0.0"}, "'p1' has no key of its own, only the default one.*--class 30"),  # noqa: S104 - refused
        ({"host": "0.0.0.0", "profiles": [SimulatedProfile("p1", api_key="short")]}, "too short"),  # noqa: S104
        ({"host": ""}, "host is an address to listen on"),
        ({"host": "http://here/"}, "host is an address to listen on"),
        ({"port": 70000}, "port"),
        ({"port": True}, "port"),
        ({"latency": -1}, "latency"),
        ({"expires_after": float("nan")}, "expires_after"),
        ({"models": []}, "model"),
        ({"speed": 0}, "speed"),
        ({"dialect": "smoke_signals"}, "dialect must be one of openai_videos"),
        ({"dialect": None}, "dialect must be one of openai_videos"),
        (
            {"minimall": True},
            "'minimall' of an emulator: the options of dialect openai_videos are minimal, models",
        ),
        ({"speed": 2, "clock": Clock(3)}, "contradicts"),
        ({"profiles": []}, "at least one"),
        ({"profiles": [P1, SimulatedProfile("p2", api_key=P1.api_key)]}, "same api_key"),
        ({"profiles": [SimulatedProfile("p2", api_key="ключ")]}, "ASCII"),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], problem: str) -> None:
    """An emulator names an invalid parameter before it listens."""
    with pytest.raises(InputError, match=problem):
        Emulator(**({"profiles": [P1]} | options))


OWN = SimulatedProfile("p1", service=Constant(0), api_key="q7mz-4kcd-w2xr")


def test_other_machines_are_let_in_with_keys_of_their_own() -> None:
    """On 0.0.0.0 it is reached at every address of this machine, and with the profile's key only."""
    with Emulator([OWN], host="0.0.0.0") as emulator:  # noqa: S104
        port = emulator.base_url.rsplit(":", 1)[1]
        assert emulator.base_url == f"http://127.0.0.1:{port}"
        for host in {"127.0.0.1", address_for_others()}:
            url = f"http://{host}:{port}/videos"
            assert httpx.get(url, headers={"Authorization": "Bearer q7mz-4kcd-w2xr"}).status_code == 200
            assert httpx.get(url, headers=KEY).status_code == 401
            assert httpx.get(url).status_code == 401
        assert emulator.unknown_keys >= 2
        assert "q7mz" not in repr(emulator) + repr(emulator.requests) + repr(emulator.profiles)


def test_an_address_of_another_machine_is_refused() -> None:
    """One can listen on addresses of this machine only."""
    with pytest.raises(InputError, match=r"can't listen on host '192\.0\.2\.77'.*host='0\.0\.0\.0'"):
        Emulator([OWN], host="192.0.2.77").start()


@pytest.mark.parametrize("dialect", ["openai_videos", "runway", "google_interactions"])
def test_who_has_a_key_is_told_its_account(dialect: str) -> None:
    """In each dialect: a bearer token opens its account, and no other tells anything."""
    with Emulator([OWN], speed=20, dialect=dialect) as emulator:
        found = account_of(emulator.base_url, Secret("q7mz-4kcd-w2xr"))
        assert (found.profile.name, found.speed, found.backend.name) == ("p1", 20, dialect)
        found.backend.check(found.profile)
        with pytest.raises(InputError, match="doesn't know this key") as wrong:
            account_of(emulator.base_url, Secret("sk-someone-elses"))
        assert "someone" not in str(wrong.value)


def test_its_events_end_when_it_stops() -> None:
    """What its accounts did stands still afterwards, and while it serves it says so."""
    with Emulator([SimulatedProfile("p1", service=Constant(50))], speed=100) as emulator:
        assert not emulator.has_stopped
        httpx.post(emulator.base_url + "/videos", headers=KEY, files={"prompt": (None, "a")})
    assert emulator.has_stopped
    run = Run({}, list(emulator.events))
    assert [(each.profile, each.outcome) for each in run.attempts] == [("p1", None)]
