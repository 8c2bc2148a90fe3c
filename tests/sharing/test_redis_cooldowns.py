"""The address of the server: what is accepted, and what of it is shown."""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import pytest

from vidgen_nb.errors import InputError
from vidgen_nb.sharing.redis_cooldowns import RedisCooldowns

PLANTED = "planted-password"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://:{PLANTED}@127.0.0.1", "redis://127.0.0.1:6379/0"),
        (f"rediss://user:{PLANTED}@cache.example:6380/3", "rediss://cache.example:6380/3"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_it_shows_the_address_without_a_password(url: str, shown: str) -> None:
    """Also in its variables, and it can't be pickled into a file."""
    place = RedisCooldowns(url)
    assert repr(place) == f"RedisCooldowns({shown!r}, namespace='vidgen_nb')"
    assert PLANTED not in repr(vars(place))
    with pytest.raises(TypeError):
        pickle.dumps(place)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:6379", f"http://u:{PLANTED}@host", f"redis://u:{PLANTED}@host:port", "redis:///0", 6379,
            f"redis://u:{PLANTED}@host/five", "redis://[host"]
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_quoted(url: Any) -> None:
    """It may contain a password."""
    with pytest.raises(InputError, match=r"redis://127\.0\.0\.1:6379/0") as caught:
        RedisCooldowns(url)
    assert PLANTED not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "options", [{"namespace": ""}, {"namespace": "a\nb"}, {"namespace": 1}, {"check_every": 0},
                {"timeout": float("nan")}, {"timeout": True}]
)  # fmt: skip
def test_what_can_not_be_is_refused(options: dict[str, Any]) -> None:
    """The error names it."""
    with pytest.raises(InputError, match=next(iter(options))):
        RedisCooldowns("redis://127.0.0.1", **options)


def test_without_redis_py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, not in the middle of a run."""
    monkeypatch.setattr("vidgen_nb.sharing.redis_cooldowns.find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"pip install 'vidgen_nb\[redis\]'"):
        RedisCooldowns("redis://127.0.0.1")
    assert importlib.util.find_spec("redis") is not None
