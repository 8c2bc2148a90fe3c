"""The first answers of a server: one submit at a time until one is accepted; a mistake of the set-up stops the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.first_answers import FirstAnswers, about_own_model, address_advice
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, Permanent, RateLimited, Transient
from vidgen_nb.ports import BackendError

SERVER = "http://127.0.0.1:8000"
PAGE = [("content-type", "text/html")]
UNREADABLE = Ambiguous("HTTP 200: not JSON")
MISSING = Permanent("HTTP 404: Not Found", "bad_request")


def submits(guard: FirstAnswers, answers: list[Callable[[], BackendError | None]]) -> tuple[list[Any], int]:
    """Submit as often as there are answers, all at once; return what came of each, and how many left at once."""
    together = most = 0

    async def one(answer: Callable[[], BackendError | None]) -> str:
        nonlocal together, most
        async with guard.one_until_accepted(SERVER):
            together += 1
            most = max(most, together)
            await asyncio.sleep(0)
            together -= 1
            error = answer()
            if error is not None:
                raise error
        return "accepted"

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(one, answers), return_exceptions=True)

    return asyncio.run(all_of_them()), most


def test_one_at_a_time_until_one_is_accepted() -> None:
    """A 429 says nothing about the set-up: the next goes alone, too. Once one is accepted, all go."""
    guard = FirstAnswers()
    found, most = submits(guard, [lambda: BackendError(RateLimited()), lambda: None])
    assert most == 1
    assert isinstance(found[0], BackendError) and found[1] == "accepted"
    assert submits(guard, [lambda: None] * 5) == (["accepted"] * 5, 5)


def test_nothing_leaves_after_an_answer_that_shows_a_mistake() -> None:
    """The first is spent, and says what to do; those that wait are not sent. Another run tries again."""
    guard = FirstAnswers()
    wrong = lambda: guard.judged(MISSING, Answer(404, [], None), SERVER, "advice")  # noqa: E731
    found, _ = submits(guard, [wrong, lambda: None, lambda: None])
    assert "advice" in found[0].stop
    assert all(isinstance(each.outcome, Transient) and "not sent" in each.outcome.reason for each in found[1:])
    assert submits(guard, [lambda: None])[0] == ["accepted"]
    assert guard.judged(MISSING, Answer(404, [], None), SERVER, "advice").stop == ""


@pytest.mark.parametrize(
    ("failure", "answer", "stops"),
    [
        (UNREADABLE, Answer(200, PAGE, None, "<Web UI>"), "an HTML page"), (UNREADABLE, Answer(200, [], [1]), "a list"),
        (UNREADABLE, Answer(200, [], "x"), "a text"), (UNREADABLE, Answer(202, [], None), "nothing"),
        (UNREADABLE, Answer(200, [], None, "ok"), "a text that is no JSON"),
        (UNREADABLE, Answer(200, [], {}), "an object"),
        (MISSING, Answer(404, [], {"detail": "Not Found"}), "address"), (MISSING, Answer(405, [], None), "address"),
        (MISSING, Answer(400, PAGE, None, "<400>"), "address"),
        (MISSING, Answer(404, [], {"status": 404, "error": "Not Found", "path": "/v1/videos"}), "address"),
        (MISSING, Answer(301, [("location", "https://a/v1")], None), "leads to https://a/v1"),
        (MISSING, Answer(410, [], None), "address"), (MISSING, Answer(426, [], None, "x"), "address"),
        (Permanent("m", "no_such_model"), Answer(404, [], {}), "model="),
        (UNREADABLE, Answer(200, [], None, is_cut_off=True), ""),
        (Ambiguous("lost"), Answer(502, PAGE, None), ""), (Permanent("x"), Answer(400, [], {}), ""),
        (MISSING, Answer(404, [], {"error": {"param": "image"}}), ""),
        (Permanent("x", "content"), Answer(400, [], {}), ""),
        (RateLimited(), Answer(429, [], None), ""), (Transient("x"), Answer(503, PAGE, None), ""),
    ],
)  # fmt: skip
def test_which_answers_show_a_mistake(failure: Failure, answer: Answer, stops: str) -> None:
    """No job in a success, no such path, no such model; what may be the scene's own fault, or passes, stops nothing."""
    error = FirstAnswers().judged(failure, answer, SERVER, "advice")
    assert stops in error.stop and bool(error.stop) == bool(stops)
    assert type(error.outcome) is type(failure)


def test_a_server_that_can_not_do_it() -> None:
    """501 as a first answer will not pass: nothing is sent again."""
    error = FirstAnswers().judged(Transient("HTTP 501"), Answer(501, [], {}), SERVER, "advice")
    assert "address" in error.stop and isinstance(error.outcome, Permanent)


@pytest.mark.parametrize(
    ("failure", "status", "own"),
    [(Permanent("m", "no_such_model"), 400, True), (MISSING, 404, True), (Permanent("x"), 400, False)],
)
def test_a_model_of_the_scenes_own(failure: Failure, status: int, own: bool) -> None:
    """Other scenes may name a better one."""
    scene = Scene("s", "x", model="m")
    assert about_own_model(failure, Answer(status, [], {}), scene) is own
    assert not about_own_model(failure, Answer(status, [], {}), Scene("s", "x"))


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://a/v1/videos", "leave out /videos"), ("http://a/v1/videos/", "leave out /videos"),
        ("http://a/v1/v1", "twice"), ("http://a", "no version"), ("http://a/api", "no version"),
        ("http://a/v1", "is it right"),
    ],
)  # fmt: skip
def test_what_looks_wrong_with_an_address(base_url: str, words: str) -> None:
    """The whole endpoint, a version that is doubled or missing."""
    assert words in address_advice(base_url, "videos")
