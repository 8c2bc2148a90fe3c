"""Profiles and their keys: what is refused, and that a key never appears."""

from __future__ import annotations

import copy
import pickle
import pprint
import traceback
import warnings
from getpass import GetPassWarning
from typing import Any

import pytest

from vidgen_nb.errors import InputError, MissingKey
from vidgen_nb.ports import Profile, Secret

KEY = "sk-planted-1234567890"


def planted() -> Profile:
    """Return a profile with a key that no frame of a test holds."""
    return Profile("alice", KEY, capacity=2, quota_group="team", base_url="http://127.0.0.1:1")


def test_the_key_can_be_used() -> None:
    """`reveal()` is the one way to it."""
    assert planted().api_key.reveal() == KEY
    assert planted().has_key
    assert Profile("bob", f" {KEY}\n").api_key.reveal() == KEY
    assert Profile("bob", Secret(KEY)).api_key.reveal() == KEY


def test_the_key_shows_nowhere() -> None:
    """Neither in any text of a profile and its key, nor in their attributes, nor in a copy."""
    for profile in (planted(), copy.copy(planted()), copy.deepcopy(planted())):
        assert profile.api_key.reveal() == KEY
        for thing in (profile, profile.api_key, [profile], {"key": profile.api_key}):
            texts = [
                repr(thing),
                str(thing),
                f"{thing}",
                pprint.pformat(thing),
                str(dir(thing)),
            ]
            slots = [name for name in getattr(type(thing), "__slots__", ()) if hasattr(thing, name)]
            texts += [repr(getattr(thing, name)) for name in slots]
            assert not any(KEY in text for text in texts)
            assert not hasattr(thing, "__dict__")


def test_a_key_is_not_pickled() -> None:
    """It would end in a file or another process without anybody's intent: an error says what to do instead."""
    for thing in (planted(), planted().api_key):
        with pytest.raises(TypeError, match="a Secret can't be pickled: read the key again"):
            pickle.dumps(thing)


def shown(error: BaseException) -> str:
    """Return a traceback with the local variables of all frames, as IPython and rich show it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_a_traceback_with_local_variables_does_not_show_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is wrong with the profile, and wherever the key came from."""
    monkeypatch.setenv("ALICE_API_KEY", KEY)
    monkeypatch.setenv("BROKEN_API_KEY", f"{KEY} {KEY}")
    makers: list[Any] = [
        lambda: Profile("alice", KEY, capacity=0),
        lambda: Profile("", KEY),
        lambda: Profile("alice", KEY, quota_group=""),
        lambda: Profile("alice", f"{KEY}\nnext line"),
        lambda: Profile("alice", KEY.encode()),  # type: ignore[arg-type]
        lambda: Profile.from_env("alice", capacity=0),
        lambda: Profile.from_env("broken"),
    ]
    for make in makers:
        with pytest.raises(InputError) as caught:
            make()
        text = shown(caught.value)
        assert "capacity = " in text  # the locals are there
        assert KEY not in text


def test_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is typed in unseen, after everything else was found right; a kernel's own way to ask is used."""
    prompts: list[str] = []

    def typed(prompt: str) -> str:
        prompts.append(prompt)
        return f" {KEY}\n"

    monkeypatch.setattr("getpass.getpass", typed)
    profile = Profile.ask("alice", capacity=2)
    assert (profile.name, profile.capacity, profile.api_key.reveal()) == ("alice", 2, KEY)
    Profile.ask("bob", "Bob's key? ")
    assert prompts == ["API key of alice: ", "Bob's key? "]
    with pytest.raises(InputError, match="capacity"):
        Profile.ask("carol", capacity=0)
    assert len(prompts) == 2


@pytest.mark.parametrize("trouble", [EOFError(), OSError(), NotImplementedError(), GetPassWarning("seen by all")])
def test_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    """Without a terminal or a frontend that hides what is typed, nothing is asked; the error says what to do."""

    def refuse(prompt: str) -> str:
        if isinstance(trouble, GetPassWarning):
            warnings.warn(trouble, stacklevel=2)
            return KEY
        raise trouble

    monkeypatch.setattr("getpass.getpass", refuse)
    with pytest.raises(InputError, match=r"'alice': a key typed here would be visible.* Profile\.from_env") as caught:
        Profile.ask("alice")
    assert KEY not in shown(caught.value)


def test_nothing_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty answer is a missing key; a mistyped one is refused without showing it."""
    monkeypatch.setattr("getpass.getpass", lambda prompt: " ")
    with pytest.raises(MissingKey, match="nothing was typed"):
        Profile.ask("alice")
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"{KEY} {KEY}")
    with pytest.raises(InputError, match="plain ASCII") as caught:
        Profile.ask("alice")
    assert KEY not in shown(caught.value)


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named after the profile, or by the caller; options go on to the profile."""
    monkeypatch.setenv("TEAM_A_1_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("OTHER", "sk-other")
    profile = Profile.from_env("team a-1", capacity=3)
    assert (profile.api_key.reveal(), profile.capacity) == (KEY, 3)
    assert Profile.from_env("team a-1", "OTHER").api_key.reveal() == "sk-other"


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_missing_key(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """The error names the profile and what to do; a profile without a key can be made, for servers that want none."""
    monkeypatch.delenv("ALICE_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("ALICE_API_KEY", value)
    with pytest.raises(
        MissingKey, match=r"'alice' has no API key: set the environment variable ALICE_API_KEY"
    ) as caught:
        Profile.from_env("alice")
    assert caught.value.profile == "alice"
    profile = Profile("alice", value)
    assert not profile.has_key
    with pytest.raises(MissingKey, match=r"'alice' has no API key: pass Profile\('alice', api_key=...\)"):
        _ = profile.api_key


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": ""}, "needs a non-empty text as its name, not ''"),
        ({"name": " "}, "as its name"),
        ({"name": 3}, "as its name, not 3"),
        ({"capacity": 0}, "profile 'alice': capacity is a whole number from 1 up"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": True}, "capacity"),
        ({"capacity": 1.5}, "capacity"),
        ({"capacity": float("nan")}, "capacity"),
        ({"quota_group": " "}, "profile 'alice': quota_group is a non-empty text or None"),
        ({"quota_group": 5}, "quota_group"),
        ({"api_key": 5}, "profile 'alice': an API key is plain ASCII text"),
        ({"api_key": "sk-ключ"}, "an API key is plain ASCII text"),
        ({"api_key": "Bearer sk-1"}, "an API key is plain ASCII text without spaces"),
    ],
)
def test_settings_are_checked(options: dict[str, Any], text: str) -> None:
    """An error names the profile and the setting."""
    with pytest.raises(InputError, match=text):
        Profile(**{"name": "alice", **options})


@pytest.mark.parametrize("variable", [KEY, "AIzaSyPlanted_1234567890", "A1B2C3D4E5F6A7B8C9D0E1F2", KEY.encode()])
def test_a_key_in_the_place_of_its_variable(variable: Any) -> None:
    """The error says what belongs there, and quotes nothing that may be a key; nor do the frame's variables."""
    with pytest.raises(InputError, match="the name of an environment variable") as caught:
        Profile.from_env("alice", variable)
    assert str(variable) not in str(caught.value) + repr(caught.value)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert not any(str(variable) in str(frame.locals) for frame in frames if "tests" not in frame.filename)


def test_a_variable_of_any_name_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that looks like one is told where it isn't set."""
    monkeypatch.setenv("my-key", KEY)
    assert Profile.from_env("alice", "my-key").api_key.reveal() == KEY
    for variable in ("TEAM_KEY", "TOKEN", "KEY_2"):
        with pytest.raises(MissingKey, match=f"set the environment variable {variable}, or"):
            Profile.from_env("alice", variable)


@pytest.mark.parametrize("name", ["name", "capacity", "quota_group"])
@pytest.mark.parametrize("value", [KEY, KEY.encode(), [KEY], {KEY: 1}])
def test_a_key_in_the_place_of_another_option(name: str, value: Any) -> None:
    """What can't be right is told by its type, for it may be the key."""
    if isinstance(value, str) and name != "capacity":
        return  # it may be a name
    with pytest.raises(InputError, match=f"not a {type(value).__name__}$") as caught:
        Profile(**{"name": "alice", name: value})
    assert KEY not in str(caught.value)


def test_repr() -> None:
    """Name, capacity and group."""
    assert repr(planted()) == "Profile('alice', capacity=2, quota_group='team')"
