"""Runway's API, version 2024-11-06 (sources: the SDK runwayml 5.24.0; docs.dev.runwayml.com/errors).

A task above the account's concurrency is accepted and THROTTLED, which is shown as queued; a 429 at a create means the
daily quota. Results are public URLs that expire: they are fetched without the key, and asking for the task again gives
fresh ones. An account without credits answers 400 and says so in prose only: that fails the scene (R13).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NoReturn

import httpx

from vidgen_nb.backends.runway.errors import classify, task_failure
from vidgen_nb.backends.wire.adapter import HttpAdapter, check_schedule
from vidgen_nb.backends.wire.fields import check_unicode, header_safe, is_usable_id, json_object, progress_fraction
from vidgen_nb.backends.wire.first_answers import about_own_model, address_advice
from vidgen_nb.backends.wire.http import Answer, Phase
from vidgen_nb.backends.wire.images import check_image_parameter, data_uri, is_http_url
from vidgen_nb.backends.wire.jobs.cancels import cancel_answer
from vidgen_nb.backends.wire.jobs.results import REFUSED_STATUSES
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Secret, Sink, tells_when_it_leaves

__all__ = ["Runway", "read_progress"]

API_VERSION: Final = "2024-11-06"
MIN_POLL_SECONDS: Final = 5.0
"""Run seconds; a task does not change more often (the SDK's `tasks.retrieve`)."""
_MAX_IMAGE_BYTES: Final = (5 << 20) * 3 // 4 - 100
"""So that the image's data URI stays below Runway's 5 MiB."""
_PARAMETER_ALIASES: Final = {"seconds": "duration", "image": "promptImage", "input_reference": "promptImage"}
"""Runway's names for scene parameters that are shared with other APIs."""
_PASSED_THROUGH: Final = ("https://", "runway://")
"""Beginnings of image URLs and uploads, which Runway fetches itself."""
_DIGITS: Final = re.compile(r"\d{1,6}", re.ASCII)
_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    404: "too late", 409: "too late", 410: "too late", 405: "unsupported", 501: "unsupported",
}  # fmt: skip


class Runway(HttpAdapter):
    """Backend for Runway: `POST /text_to_video` or `/image_to_video`, `GET` and `DELETE /tasks/{id}`.

    `model`, `ratio`, `duration` (seconds): for scenes that don't give their own; None: not sent. A scene's other
    parameters are sent as they are, except that `seconds` is sent as `duration`, and `image` as `promptImage`: an https
    URL, or a path or data URI of an image of at most 3.7 MiB. `poll`: at most every 5 s. The rest as in `OpenAIVideos`.
    Raises `InputError` for settings that cannot work.
    """

    name = "runway"
    image_parameters = ("promptImage", "image", "input_reference")

    def __init__(
        self,
        base_url: str = "https://api.dev.runwayml.com/v1",
        model: str | None = "gen4.5",
        *,
        ratio: str | None = "1280:720",
        duration: int | None = 5,
        poll: PollSchedule | None = None,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: bool | str | os.PathLike[str] = True,
    ) -> None:
        super().__init__(base_url, model, poll=_slow_enough(poll), timeout=timeout, transport=transport, verify=verify)
        if ratio is not None and (not isinstance(ratio, str) or not ratio.strip()):
            raise InputError(f"ratio must be a text such as '1280:720', or None, not {ratio!r}")
        if duration is not None and (isinstance(duration, bool) or not isinstance(duration, int) or duration < 1):
            raise InputError(f"duration must be a whole number of seconds, at least 1, or None, not {duration!r}")
        self.ratio = ratio
        self.duration = duration
        self._words = StatusWords(self.name)

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` for an image that is too large, or is no image."""
        for name in self.image_parameters:
            image = scene.params.get(name)
            if isinstance(image, str) and not image.startswith(_PASSED_THROUGH):
                if is_http_url(image):
                    raise InputError(
                        f"{name}: Runway fetches images only from https:// addresses: give one, or download the image "
                        "and give the file's path"
                    )
                check_image_parameter(name, image, limit=_MAX_IMAGE_BYTES)

    def _absolute(self, image: object) -> object:
        """Make a path absolute; a list is sent as it is."""
        return image if isinstance(image, list) else super()._absolute(image)

    async def probe(self, profile: Profile) -> None:
        """Try the key by asking for the account; `BackendError` if it is refused, or has no credits."""
        answer = await self._call("GET", "poll", profile, "organization")
        account = json_object(answer)
        if not answer.ok or not {"creditBalance", "tier"} & account.keys():
            self._fail(answer, "poll", profile)
        balance = account.get("creditBalance")
        if isinstance(balance, int | float) and balance <= 0:
            raise BackendError(ProfileUnusable("the account has no credits", "credit"))

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome if it may have been accepted."""
        self.check(profile)
        async with self._first_answers.one_until_accepted(self._server(profile)):
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        body = self._body(scene)
        endpoint = "image_to_video" if "promptImage" in body else "text_to_video"
        headers = {"X-Client-Request-Id": header_safe(scene.id)}
        answer = await self._call(
            "POST", "submit", profile, endpoint, headers=headers, body=partial(_with_image_data, body)
        )
        found = json_object(answer).get("id")
        if not answer.ok or not is_usable_id(found):
            failure, server = self._classify(answer, "submit", profile), self._server(profile)
            own = about_own_model(failure, answer, scene)
            advice = address_advice(server, "text_to_video")
            raise self._first_answers.judged(failure, answer, server, advice, scenes_own=own)
        return Operation(str(found), self.name)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a task; raises `BackendError` if the answer does not say."""
        return await self._retrieve(operation, profile, "poll")

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink and commit it, without the key.

        If its URL has expired, or there was none yet, the task is asked once for one. Raises `BackendError` if there is
        no result.
        """
        answer = await self._download(artifact, profile, sink) if artifact.url else None
        if not artifact.url or (answer is not None and answer.status in REFUSED_STATUSES):
            now = await self._retrieve(operation, profile, "fetch")
            if now.artifact is None:
                raise BackendError(now.outcome or Transient("the result's URL has expired, and the task runs again"))
            if not now.artifact.url:
                raise BackendError(Permanent("the task succeeded without a result", "no_result"))
            answer = await self._download(now.artifact, profile, sink)
        if answer is None:
            return
        if answer.status in (404, 410):
            raise BackendError(Permanent(f"HTTP {answer.status} from a fresh URL of the result", "no_result"))
        raise BackendError(Transient(f"HTTP {answer.status} from the result's URL, and no video"))

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Delete the task: `too late` if it is gone. What has already run must be paid.

        A task whose status nobody understands may be done, and would lose its result: it is left alone.
        """
        if self._words.may_be_done(operation.id):
            return "unsupported"
        answer = await self._call("DELETE", "cancel", profile, "tasks", operation.id)
        said = cancel_answer(answer, self._words) if answer.ok else _CANCEL_REFUSALS.get(answer.status)
        if said is None:
            self._fail(answer, "cancel", profile)
        return said

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend."""
        return {**super().settings(), "ratio": self.ratio, "duration": self.duration}

    def _body(self, scene: Scene) -> dict[str, Any]:
        """Return the body of a create, the image as in the scene; `BackendError` for text that JSON can't carry."""
        given = {_PARAMETER_ALIASES.get(name, name): value for name, value in scene.params.items()}
        ours = {"model": self.model, "promptText": scene.prompt, "ratio": self.ratio, "duration": self.duration}
        body = {name: value for name, value in {**ours, **given}.items() if value is not None}
        if "duration" in body:
            body["duration"] = _whole_seconds(body["duration"])
        check_unicode(body)
        return body

    async def _call(
        self,
        method: str,
        phase: Phase,
        profile: Profile,
        *path: str,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], object] | None = None,
    ) -> Answer:
        headers = {"X-Runway-Version": API_VERSION, **(headers or {})}
        url = self._address(profile, *path)
        return await self._pool.call(method, url, phase, profile.api_key, headers=headers, body=body)

    async def _retrieve(self, operation: Operation, profile: Profile, phase: Phase) -> Progress:
        answer = await self._call("GET", phase, profile, "tasks", operation.id)
        found = json_object(answer)
        told = answer.ok or self._words.is_last_word(found.get("status"), found, operation.id)
        words = self._words if phase == "poll" else None
        progress = read_progress(found, profile.api_key, words, operation.id) if told else None
        if progress is None:
            self._fail(answer, phase, profile)
        self._first_answers.confirm(self._server(profile))
        return progress

    async def _download(self, artifact: Artifact, profile: Profile, sink: Sink) -> Answer | None:
        return await self._pool.download(
            httpx.URL(artifact.url), profile.api_key, sink, public=True, handled_statuses=REFUSED_STATUSES
        )

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self._classify(answer, phase, profile))

    def _classify(self, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        return classify(answer, phase, key=profile.api_key, now_epoch=self._now_epoch())


def read_progress(task: object, key: Secret, words: StatusWords | None = None, job: str = "") -> Progress | None:
    """Return the progress of a task; None if the answer is no task.

    An unknown status counts as running, unless there is a failure. One that succeeded and names no result is paid for:
    its artifact has no URL, and the fetch asks for one. `words`: what remembers words that nobody knows.
    """
    if not isinstance(task, dict) or word_of(task.get("status")) is None:
        return None
    known = words or StatusWords(Runway.name)
    failure = [task.get("failureCode"), task.get("failure")]
    status = known.status(task["status"], failure, key, job)
    if status == "succeeded":
        url = _first_url(task.get("output"))
        if url is None and tells_error(failure):
            return Progress("failed", outcome=task_failure(task, key))
        return Progress("succeeded", 1.0, artifact=Artifact("public", url or ""))
    if status == "cancelled":
        return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
    if status == "failed":
        return Progress("failed", outcome=task_failure(task, key))
    return Progress(status, progress_fraction(task.get("progress")))


def _slow_enough(poll: PollSchedule | None) -> PollSchedule:
    check_schedule("poll", poll)
    if poll is None:
        return PollSchedule(first=MIN_POLL_SECONDS, longest=MIN_POLL_SECONDS, shortest=MIN_POLL_SECONDS)
    if min(poll.delays) < MIN_POLL_SECONDS:
        raise InputError(
            f"Runway's tasks may be polled every 5 s at most: give a PollSchedule with first and longest from 5 up, "
            f"not {poll!r}"
        )
    return replace(poll, shortest=max(poll.shortest, MIN_POLL_SECONDS))


def _whole_seconds(seconds: object) -> object:
    """Return whole seconds as Runway wants them: 4 for 4.0, as DataFrames have it, and for "4"."""
    if isinstance(seconds, float) and seconds.is_integer():
        return int(seconds)
    return int(seconds) if isinstance(seconds, str) and _DIGITS.fullmatch(seconds) else seconds


def _with_image_data(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its image as Runway accepts it: a URL or an upload as it is, anything else as data URI."""
    image = body.get("promptImage")
    if not isinstance(image, str) or image.startswith(_PASSED_THROUGH):
        return body
    try:
        return {**body, "promptImage": data_uri(image, limit=_MAX_IMAGE_BYTES)}
    except InputError as error:  # the image has gone since the run began
        raise BackendError(Permanent(f"the image: {error}")) from None


def _first_url(output: object) -> str | None:
    """Return the first http URL in a task's output, or None."""
    found = (each for each in (output if isinstance(output, list) else ()) if usable_url(each) is not None)
    return next(map(str, found), None)
