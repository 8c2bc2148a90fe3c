"""Descriptions that can't work are refused when they are made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backends.described.described_apis import (
    GOOD,
    KEY,
)
from vidgen_nb.backends.described.backend import HttpBackend
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"submit": "jobs"}, "submit must be a path under base_url"),
        ({"submit": "{url}"}, "submit must be a path under base_url"),
        ({"submit": "FETCH /jobs"}, "no HTTP method"),
        ({"poll": ""}, "poll must be a path"),
        ({"poll": "https://elsewhere.example/{id}"}, "poll must be a path under base_url"),
        ({"poll": "/jobs/{}"}, "poll must be a path"),
        ({"statuses": {"done": "finished"}}, "'finished' is none of these"),
        ({"statuses": {"failed": "failed"}}, "none is mapped to succeeded"),
        ({"result": None}, "result= .* or content="),
        ({"content": "/jobs/{id}/video"}, "not both"),
        ({"body": {"prompt": "{prompt}"}}, "body must be a function"),
        ({"images": "image"}, r"images must be a list .* \['image'\]"),
        ({"auth": KEY}, "auth must be the key's header"),
        ({"auth": "X-Api-Key: " + KEY}, "auth must be the key's header"),
        ({"headers": {"authorization": "Bearer " + KEY}}, "carries the profile's key"),
        ({"headers": [KEY]}, "headers must be a mapping"),
        ({"headers": {"X-Version": 2}}, "the value of X-Version must be plain ASCII"),
        ({"headers": {"X-Team": KEY + "\n"}}, "the value of X-Team must be plain ASCII"),
        ({"headers": {"X Team": "a"}}, "'X Team' can't be a header's name"),
        ({"statuses": [("done", "succeeded")]}, "statuses must be a mapping"),
        ({"job": 5}, "a place in an answer must be a text like"),
        ({"submit": None}, "submit must be a path .*, not None"),
        ({"poll": None}, "poll must be a path .*, not None"),
        ({"poll": "/jobs/{job_id}"}, r"poll: .* can't be filled in: \{job_id\}; .* \{id\}.* \"\{status_url\}\""),
        ({"poll": "/jobs/{id}/{foo}"}, r"poll: .* can't be filled in: \{foo\}"),
        ({"poll": "/jobs"}, r"poll: '/jobs' does not say which job: .* \{id\}"),
        ({"poll": "/jobs/{id"}, "poll: the braces of '/jobs/{id' do not match"),
        ({"poll": "/jobs/{{id}}"}, "poll: the braces of '/jobs/{{id}}' do not match"),
        ({"poll": "{{status_url}}"}, "poll: the braces of"),
        ({"submit": "/models/model}"}, "submit: the braces of"),
        ({"cancel": "DELETE /jobs/{job_id}"}, r"cancel: .* can't be filled in: \{job_id\}"),
        ({"cancel": "POST /cancel"}, "cancel: '/cancel' does not say which job"),
        ({"details": "/result"}, "details: '/result' does not say which job"),
        ({"result": None, "content": "/video"}, "content: '/video' does not say which job"),
        ({"probe": "/teams/{team}"}, r"probe: .* can't be filled in: \{team\}"),
        ({"probe": "{account_url}"}, "probe must be a path under base_url"),
        ({"name": 5}, "name must be a non-empty text .*, not 5"),
        ({"name": None}, "name must be a non-empty text"),
        ({"name": " "}, "name must be a non-empty text"),
        ({"schedule": 5}, r"schedule must be a PollSchedule\(\.\.\.\) or None, not 5"),
        ({"schedule": 0}, "schedule must be a PollSchedule"),
    ],
)
def test_descriptions_that_cannot_work(options: dict[str, Any], says: str) -> None:
    """Each mistake is said when the backend is made, and no error quotes what may be a key."""
    with pytest.raises(InputError, match=says) as caught:
        HttpBackend("https://toy.example", **{**GOOD, **options})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"poll": "/jobs?id={id}", "cancel": "POST {urls.cancel}", "details": "{id}"},
        {"poll": "{urls.0}", "cancel": "DELETE /jobs/{id}", "details": "/{id}/of/{id}"},
        {"result": None, "content": "{video_url}", "probe": "/jobs/{id}"},
        {"submit": "/{owner}/{model}", "probe": "/account"},
    ],
)
def test_descriptions_that_can_work(options: dict[str, Any]) -> None:
    """`{id}` anywhere in the path, or a place in the submit's answer for a whole URL."""
    HttpBackend("https://toy.example", **{**GOOD, **options})


@pytest.mark.parametrize(
    ("options", "scene", "says"),
    [
        ({"submit": "/{model}"}, Scene("s1", "a"), "needs the parameters model"),
        ({"submit": "/{model}"}, Scene("s1", "a", model="../admin"), "needs the parameters model"),
        ({"submit": "/{model}"}, Scene("s1", "a", model=""), "needs the parameters model"),
        ({"body": lambda scene: {"seconds": scene.params["seconds"]}}, Scene("s1", "a"), "KeyError: 'seconds'"),
        ({"body": lambda scene: [scene.prompt]}, Scene("s1", "a"), "returned list: return a mapping"),
        ({"body": lambda scene: {"x": {1}}}, Scene("s1", "a"), "failed: TypeError"),
        ({"body": lambda scene: {"x": scene.prompt}}, Scene("s1", "\ud800"), "failed: UnicodeEncodeError"),
    ],
)
def test_scenes_of_which_no_request_can_be_made(options: dict[str, Any], scene: Scene, says: str) -> None:
    """They are found before the run."""
    with pytest.raises(InputError, match=says):
        HttpBackend("https://toy.example", **{**GOOD, **options}).check_scene(scene)
