"""`api_key` as a function: asked when a key is needed, asked again once on 401, and as secret as any key."""

from __future__ import annotations

import asyncio
import errno
import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import ProfileUnusable, Transient
from vidgen_nb.ports import BackendError, Profile
from vidgen_nb.session.session import Session
from vidgen_nb.sharing.accounts import account_of

OLD, NEW = "sk-planted-old-1234", "sk-planted-new-5678"


class Keys:
    """A function that returns one key after the other, the last one from then on."""

    def __init__(self, *keys: object) -> None:
        self.keys = list(keys)
        self.calls = 0

    def __call__(self) -> object:
        """Return the next key, or raise it."""
        key = self.keys[min(self.calls, len(self.keys) - 1)]
        self.calls += 1
        if isinstance(key, Exception):
            raise key
        return key


def backend(good: str = NEW, seen: list[str] | None = None) -> OpenAIVideos:
    """Return a backend whose server knows one key."""

    def answer(request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        if seen is not None:
            seen.append(key)
        if key != good:
            return httpx.Response(401, json={"error": {"message": f"Incorrect API key provided: {key}"}})
        if request.method == "POST":
            assert b"a fox" in request.read(), "the body is sent again, too"
        elif request.url.path in ("/v1/videos", "/v1/models"):
            return httpx.Response(200, json={"object": "list", "data": []})
        return httpx.Response(200, json={"id": "job", "status": "in_progress"})

    return OpenAIVideos("http://127.0.0.1:9/v1", transport=httpx.MockTransport(answer))


def submit(api: OpenAIVideos, profile: Profile) -> str:
    """Submit a scene, and return its job's id."""
    return asyncio.run(api.submit(Scene("s", "a fox"), profile)).id


def test_it_is_asked_again_once() -> None:
    """On a 401 the request is sent again with the new key; the next request begins with that."""
    keys, seen = Keys(OLD, NEW), list[str]()
    api, profile = backend(seen=seen), Profile("p", keys)  # type: ignore[arg-type]
    assert keys.calls == 0, "not before it is needed"
    assert submit(api, profile) == submit(api, profile) == "job"
    assert (seen, keys.calls) == ([OLD, NEW, NEW], 2)


@pytest.mark.parametrize("same", [OLD, "sk-planted-other"])
def test_a_key_that_stays_bad(same: str) -> None:
    """Refused twice, or the same key again: the profile is unusable, without a loop."""
    keys, seen = Keys(OLD, same), list[str]()
    with pytest.raises(BackendError) as caught:
        submit(backend(seen=seen), Profile("p", keys))  # type: ignore[arg-type]
    assert isinstance(caught.value.outcome, ProfileUnusable)
    assert len(seen) == len({OLD, same})
    assert "sk-planted" not in caught.value.outcome.reason


@pytest.mark.parametrize("wrong", [RuntimeError(f"no token, had {OLD}"), ValueError(OLD), None, "", 7, f"two {OLD}"])
def test_a_function_that_fails(wrong: object) -> None:
    """It is the profile's trouble, with a reason, and what the function said is not shown."""
    with pytest.raises(BackendError) as caught:
        submit(backend(), Profile("p", Keys(wrong)))  # type: ignore[arg-type]
    assert isinstance(caught.value.outcome, ProfileUnusable)
    assert "api_key, a function of the profile" in caught.value.outcome.reason
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = [frame for frame in stack if "vidgen_nb/" in frame.filename]
    assert ours and not any("sk-planted" in str(frame.locals) for frame in ours)
    assert "sk-planted" not in "".join(traceback.format_exception(caught.value))


def test_many_at_once_renew_it_once() -> None:
    """Every request in flight was refused the old key: one call of the function is enough for all."""
    keys = Keys(OLD, NEW)
    api, profile = backend(), Profile("p", keys)  # type: ignore[arg-type]

    async def go() -> None:
        await asyncio.gather(*(api.submit(Scene(f"s{k}", "a fox"), profile) for k in range(20)))

    asyncio.run(go())
    assert keys.calls == 2


def test_it_is_as_secret_as_any_key() -> None:
    """No repr asks for it or shows it; both keys are redacted; nobody takes it for the name of an account."""
    keys = Keys(OLD, NEW)
    api, profile = backend(), Profile("p", keys)  # type: ignore[arg-type]
    api.check(profile)
    shown = f"{profile!r} {profile.api_key!r} {profile._repr_html_()} {account_of(profile, api, 'salt')}"
    assert (keys.calls, profile.has_key) == (0, True)
    assert account_of(profile, api, "salt") is None
    submit(api, profile)
    shown += f"{profile!r} {profile.api_key!r} {vars(type(profile.api_key))}" + redact(f"{OLD} {NEW}", profile.api_key)
    assert "sk-planted" not in shown


def test_a_run_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`session.check()` tries it, too, and the log does not have it."""
    caplog.set_level(logging.DEBUG)
    function: Callable[[], str] = Keys(RuntimeError(OLD), OLD, NEW)  # type: ignore[assignment]
    with Session(backend(), [Profile("p", function)], output=tmp_path) as session:
        assert [each.ok for each in session.check()] == [False]
        assert [each.ok for each in session.check()] == [True]
    assert "sk-planted" not in caplog.text


@pytest.mark.parametrize("before", [(), (OLD,)])
def test_a_function_that_this_machine_is_in_the_way_of(before: tuple[str, ...]) -> None:
    """It could open no file: the key is as good as it was, before the first request and after a 401."""
    keys = Keys(*before, OSError(errno.EMFILE, f"Too many open files: {OLD}"), NEW)
    api, profile = backend(), Profile("p", keys)  # type: ignore[arg-type]
    with pytest.raises(BackendError) as caught:
        submit(api, profile)
    outcome = caught.value.outcome
    assert isinstance(outcome, Transient) and outcome.local and "ulimit -n" in outcome.reason
    assert "sk-planted" not in "".join(traceback.format_exception(caught.value))
    submit(api, profile)
