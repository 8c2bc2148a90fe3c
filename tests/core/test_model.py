"""Scenes and settings: what is refused, what can't be changed, what survives pickling."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.core.model import BOOST, NORMAL, Mode, PollSchedule, RetryPolicy, Scene, as_mode
from vidgen_nb.errors import InputError

NO_SECONDS = [math.nan, math.inf, -math.inf, -1, -0.1, True, "5", None, [1]]
NO_COUNT = [0, -1, 1.0, math.nan, True, "2", [1]]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("", "x"), "non-empty text as its id, not ''"),
        ((" \n", "x"), "as its id"),
        ((7, "x"), "as its id, not 7"),
        (("s1", ""), "scene 's1' has an empty prompt"),
        (("s1", "\t"), "empty prompt"),
        (("s1", None), "empty prompt"),
    ],
)
def test_a_scene_needs_id_and_prompt(given: Any, text: str) -> None:
    """Both are non-empty texts."""
    with pytest.raises(InputError, match=text):
        Scene(*given)


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, b"x", object()])
def test_a_parameter_that_json_cannot_carry(value: object) -> None:
    """The error names the scene."""
    with pytest.raises(InputError, match="scene 's1' has a parameter that can't be sent as JSON"):
        Scene("s1", "x", size=value)
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InputError, match="scene 's1'"):
        Scene("s1", "x", size=loop)


def test_paths_are_recorded_as_text_and_bytes_not_at_all() -> None:
    """An image is given by its path or a data URI; bytes would be in every record of the run."""
    assert Scene("s1", "x", input_reference=PurePosixPath("images/dawn.png")).params == {
        "input_reference": "images/dawn.png"
    }
    for data in (b"x", bytearray(b"x"), memoryview(b"x")):
        with pytest.raises(InputError, match=r"scene 's1' .* save them as a file .* or give a data URI"):
            Scene("s1", "x", input_reference=data)


def test_a_scene_cannot_be_changed() -> None:
    """Neither its fields, nor its parameters, nor through what the caller passed."""
    size = [1, 2]
    scene = Scene("s1", "x", size=size)
    size.append(3)
    assert scene.params == {"size": [1, 2]}
    with pytest.raises(AttributeError, match="make a new one"):
        scene.prompt = "y"
    with pytest.raises(TypeError):
        scene.params["size"] = 1  # type: ignore[index]
    assert Scene("s1", "x", size=(1, 2)) == scene


@pytest.mark.parametrize("copied", [lambda s: pickle.loads(pickle.dumps(s)), copy.copy, copy.deepcopy])  # noqa: S301
def test_scenes_survive_pickling_and_copying(copied: Any) -> None:
    """Parameters too; equal scenes hash alike."""
    scene = Scene("s1", "a lighthouse", seconds=4, extra={"a": [1, None]})
    assert copied(scene) == scene
    assert hash(copied(scene)) == hash(scene)
    assert copied(Scene("s1", "x")) != scene
    assert repr(copied(scene)) == "Scene('s1', 'a lighthouse', seconds=4, extra={'a': [1, None]})"


@pytest.mark.parametrize("value", NO_COUNT)
def test_counts(value: Any) -> None:
    """Numbers of attempts and failures must be whole numbers of at least 1."""
    for field in ("max_submitting", "max_generating"):
        with pytest.raises(InputError, match=f"mode 'm': {field} is a whole number from 1 up"):
            Mode("m", **{field: value})
    with pytest.raises(InputError, match="max_failures is a whole number from 1 up"):
        RetryPolicy(max_failures=value)


@pytest.mark.parametrize("value", NO_SECONDS)
def test_seconds(value: Any) -> None:
    """Seconds must not be nan, inf, negative, a bool or a text."""
    for field in ("backoff", "backoff_cap", "deadline"):
        if field != "deadline" or value is not None:
            with pytest.raises(InputError, match=f"{field} must be .* seconds, and finite, not "):
                RetryPolicy(**{field: value})
    for field in ("first", "longest", "shortest"):
        with pytest.raises(InputError, match=f"poll {field} must be"):
            PollSchedule(**{field: value})


def test_zero() -> None:
    """No back-off is fine; no time at all before the deadline is not."""
    assert RetryPolicy(backoff=0, backoff_cap=0).deadline is None
    with pytest.raises(InputError, match="deadline must be more than 0"):
        RetryPolicy(deadline=0)


@pytest.mark.parametrize("factor", [0.99, 0, -2, math.nan, math.inf, "2", None])
def test_poll_factor(factor: Any) -> None:
    """Polls never come faster and faster."""
    with pytest.raises(InputError, match="poll factor must be a finite number from 1 up"):
        PollSchedule(factor=factor)


def test_polls_slow_down_to_5_s() -> None:
    """0.5 s after acceptance, then 1.5 times as long each time, at most 5 s; the server's poll-after wins."""
    poll = PollSchedule()
    delays = [poll.delay(polls, None) for polls in range(8)]
    assert delays == pytest.approx([0.5, 0.75, 1.125, 1.6875, 2.53125, 3.796875, 5.0, 5.0])
    assert poll.delay(0, 20.0) == 20.0
    assert poll.delay(9, 0.0) == 0.1, "never back to back"
    assert PollSchedule(shortest=5).delay(0, 1.0) == 5.0
    assert PollSchedule(shortest=5).delay(0, None) == 5.0
    assert PollSchedule(first=9).delay(0, None) == 5.0


@pytest.mark.parametrize("weird", [math.nan, math.inf, -math.inf, -1.0])
def test_a_weird_word_of_the_server_is_no_word(weird: float) -> None:
    """A poll-after that is not a waiting time is ignored."""
    assert PollSchedule().delay(1, weird) == 0.75


@given(
    first=st.floats(0, 1e6),
    longest=st.floats(0, 1e6),
    factor=st.floats(1, 10) | st.sampled_from([1.0, math.nextafter(1, 2), 1e300]),
    polls=st.integers(0, 10**6),
)
def test_delays_grow_and_are_bounded(first: float, longest: float, factor: float, polls: int) -> None:
    """Any schedule is created quickly, never shrinks, and stays below `longest`."""
    poll = PollSchedule(first, factor, longest, shortest=0)
    assert poll.delay(polls, None) <= poll.delay(polls + 1, None) <= longest
    assert poll.delay(0, None) == min(first, longest)


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_a_mode_needs_a_name(name: Any) -> None:
    """It appears in the log and in the run's header."""
    with pytest.raises(InputError, match="a mode needs a non-empty text as its name"):
        Mode(name)


def test_as_mode() -> None:
    """A name, or a mode itself; for anything else the error lists what there is."""
    assert as_mode("normal") is NORMAL
    assert as_mode(BOOST) is BOOST
    wrongs: list[Any] = ["turbo", None, 3, [], Mode]
    for wrong in wrongs:
        with pytest.raises(InputError, match=r"unknown mode .*: choose one of normal, boost, or pass a Mode"):
            as_mode(wrong)


@pytest.mark.parametrize("seconds", [-4, 0, "0", "-1", math.inf, "nan", [4], {"s": 4}])
def test_a_scene_of_no_length_is_an_error(seconds: object) -> None:
    """An impossible duration is an error before anything is sent; a text that is not a number is left to the API."""
    with pytest.raises(InputError, match="s1"):
        Scene("s1", "a fox", seconds=seconds)
    assert Scene("s1", "a fox", seconds="short").params["seconds"] == "short"
    assert Scene("s1", "a fox", seconds="4").params["seconds"] == "4"
