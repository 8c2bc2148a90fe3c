"""Runway's API, version 2024-11-06 (providers.md, `runway`; the SDK runwayml 5.24.0; docs.dev.runwayml.com/errors).

What is over the account's concurrency is accepted and THROTTLED, which is shown as queued; a 429 at a create is the
day's quota. Results are public addresses that expire: they are fetched without the key, and a task that is asked again
gives fresh ones. An account without credits answers 400 and says so in prose alone: that fails the scene (R13).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

import httpx

from vidgen_nb.backends.adapter import Adapter, header_safe, object_of, usable_id
from vidgen_nb.backends.http import Answer, Phase, clean
from vidgen_nb.backends.media import read_image
from vidgen_nb.backends.openai_errors import classify as by_status
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, RateLimited, Transient
from vidgen_nb.errors import BackendError, InputError
from vidgen_nb.ports import CancelAnswer, Profile, Progress, Secret, Sink

__all__ = ["Runway", "classify", "progress_of", "task_failure"]

VERSION: Final = "2024-11-06"
SHORTEST_POLL: Final = 5.0
"""Run seconds; a task shows nothing new more often (the SDK's `tasks.retrieve`)."""
_IMAGE_BYTES: Final = (5 << 20) * 3 // 4 - 100
"""Of an image whose data URI stays below Runway's 5 MiB."""
_OURS: Final = {"seconds": "duration", "image": "promptImage", "input_reference": "promptImage"}
"""Names of scene parameters that other APIs share, as Runway has them."""
_DIGITS: Final = re.compile(r"\d{1,6}", re.ASCII)
_EXPIRED: Final = frozenset({401, 403, 404, 410})
"""What an address of a result answers once it has expired."""
_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    404: "too late", 409: "too late", 410: "too late", 405: "unsupported", 501: "unsupported",
}  # fmt: skip


class Runway(Adapter):
    """Backend for Runway: `POST /text_to_video` or `/image_to_video`, `GET` and `DELETE /tasks/{id}`.

    `model`, `ratio`, `duration` (seconds): of scenes that don't say; None: not sent. A scene's other parameters go to
    the API as they are, but `seconds` is its `duration`, and `image` its `promptImage`: an https address, or a path or
    data URI of an image of at most 3.7 MiB. `poll`: never faster than every 5 s. The rest as in `OpenAIVideos`.
    Raises `InputError` for what cannot work.
    """

    name = "runway"

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
    ) -> None:
        super().__init__(base_url, model, poll=_unhurried(poll), timeout=timeout, transport=transport)
        if ratio is not None and (not isinstance(ratio, str) or not ratio.strip()):
            raise InputError(f"ratio is a text such as '1280:720', or None, not {ratio!r}")
        if duration is not None and (isinstance(duration, bool) or not isinstance(duration, int) or duration < 1):
            raise InputError(f"duration is a whole number of seconds from 1 up, or None, not {duration!r}")
        self.ratio = ratio
        self.duration = duration

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome where it may have been accepted."""
        self.check(profile)
        body = self._body(scene)
        endpoint = "image_to_video" if "promptImage" in body else "text_to_video"
        headers = {"X-Client-Request-Id": header_safe(scene.id)}
        answer = await self._call("POST", "submit", profile, endpoint, headers=headers, body=body)
        found = object_of(answer).get("id")
        if not answer.ok or not usable_id(found):
            self._fail(answer, "submit", profile)
        return Operation(str(found), self.name)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a task; raises `BackendError` where the server does not say."""
        return await self._ask(operation, profile, "poll")

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink and commit it, without the key.

        Where its address has expired, the task is asked once for a fresh one. Raises `BackendError` where there is
        none to get.
        """
        answer = await self._download(artifact, sink)
        if answer is not None and answer.status in _EXPIRED:
            now = await self._ask(operation, profile, "fetch")
            if now.artifact is None:
                raise BackendError(
                    now.outcome or Transient("the result's address has expired, and the task runs again")
                )
            answer = await self._download(now.artifact, sink)
        if answer is None:
            return
        if answer.status in (404, 410):
            raise BackendError(Permanent(f"HTTP {answer.status} from a fresh address of the result", "no_result"))
        raise BackendError(Transient(f"HTTP {answer.status} from the result's address, and no video"))

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Delete the task: `too late` where it is gone. What ran already is paid for."""
        answer = await self._call("DELETE", "cancel", profile, "tasks", operation.id)
        if answer.ok:
            return "cancelled"
        if answer.status not in _CANCEL_REFUSALS:
            self._fail(answer, "cancel", profile)
        return _CANCEL_REFUSALS[answer.status]

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend."""
        return {**super().settings(), "ratio": self.ratio, "duration": self.duration}

    def _body(self, scene: Scene) -> dict[str, Any]:
        """Return what a create takes; raises `BackendError` for what JSON or the API can't carry."""
        given = {_OURS.get(name, name): value for name, value in scene.params.items()}
        ours = {"model": self.model, "promptText": scene.prompt, "ratio": self.ratio, "duration": self.duration}
        body = {name: value for name, value in {**ours, **given}.items() if value is not None}
        if "duration" in body:
            body["duration"] = _whole(body["duration"])
        try:
            if isinstance(body.get("promptImage"), str):
                body["promptImage"] = _image(body["promptImage"])
            json.dumps(body, ensure_ascii=False).encode()
        except InputError as error:
            raise BackendError(Permanent(str(error))) from None
        except UnicodeEncodeError:
            raise BackendError(Permanent("the prompt or a parameter is no valid Unicode text")) from None
        return body

    async def _call(
        self,
        method: str,
        phase: Phase,
        profile: Profile,
        *path: str,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        headers = {"X-Runway-Version": VERSION, **(headers or {})}
        url = self._address(profile, *path)
        return await self._pool.call(method, url, phase, profile.api_key, headers=headers, body=body)

    async def _ask(self, operation: Operation, profile: Profile, phase: Phase) -> Progress:
        answer = await self._call("GET", phase, profile, "tasks", operation.id)
        progress = progress_of(answer.data, profile.api_key) if answer.ok else None
        if progress is None:
            self._fail(answer, phase, profile)
        return progress

    async def _download(self, artifact: Artifact, sink: Sink) -> Answer | None:
        return await self._pool.download(httpx.URL(artifact.url), None, sink, gone=_EXPIRED)

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(classify(answer, phase, key=profile.api_key, now_epoch=self._now_epoch()))


def progress_of(task: object, key: Secret) -> Progress | None:
    """Return what a task says of itself; None where it is no task.

    A status that is not in the vocabulary counts as running, unless a failure stands beside it.
    """
    if not isinstance(task, dict) or not isinstance(task.get("status"), str):
        return None
    status = task["status"].upper()
    if status == "SUCCEEDED":
        url = _first_address(task.get("output"))
        if url is None:
            return Progress("failed", outcome=Permanent("the task succeeded without a result", "no_result"))
        return Progress("succeeded", 1.0, artifact=Artifact("public", url))
    if status in ("CANCELLED", "CANCELED"):
        return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
    if status == "FAILED" or task.get("failureCode") or task.get("failure"):
        return Progress("failed", outcome=task_failure(task, key))
    return Progress("queued" if status in ("PENDING", "THROTTLED") else "running", _fraction(task.get("progress")))


def task_failure(task: Mapping[str, Any], key: Secret) -> Failure:
    """Say what the `failureCode` of a failed task means (docs.dev.runwayml.com/errors/task-failures).

    `SAFETY` wherever it stands is never tried again: it is billed, and repeats risk the account. What failed inside,
    or at a third party, may be; a code that is not known is not (R10).
    """
    told, text = task.get("failureCode"), task.get("failure")
    code = told.upper() if isinstance(told, str) else ""
    reason = "the task failed"
    reason += f" {clean(told, key, 80)}" if isinstance(told, str) and told else ""
    reason += f": {clean(text, key)}" if isinstance(text, str) and text else ""
    first, *others = code.split(".")
    if "SAFETY" in (first, *others):
        return Permanent(reason, "content")
    if first in ("", "INTERNAL", "THIRD_PARTY") or (first == "INPUT_PREPROCESSING" and others[:1] == ["INTERNAL"]):
        return Transient(reason)
    return Permanent(reason, "bad_request" if first in ("ASSET", "INPUT_PREPROCESSING") else "no_result")


def classify(answer: Answer, phase: Phase, *, key: Secret, now_epoch: float) -> Failure:
    """Say what an answer that is no success means; Runway's errors have no codes, so the status alone decides.

    `now_epoch`: epoch seconds, for dates where the answer has no `Date` of its own.
    """
    failure = by_status(replace(answer, data=_told(answer.data)), phase, key=key, now_epoch=now_epoch)
    if phase == "submit" and isinstance(failure, RateLimited):
        return ProfileUnusable(failure.reason, "day_quota", failure.retry_after)
    return failure


def _told(data: object) -> object:
    """Return an error with its first issue in the text: `{"error", "issues": [{path, message}]}`."""
    if not isinstance(data, dict) or not isinstance(data.get("error"), str):
        return data
    issues = data.get("issues")
    issue = issues[0] if isinstance(issues, list) and issues else None
    if not isinstance(issue, dict):
        return data
    path = issue.get("path")
    where = ".".join(map(str, path[:5])) if isinstance(path, list) else ""
    return {"error": ": ".join(part for part in (data["error"], where, str(issue.get("message") or "")) if part)}


def _unhurried(poll: PollSchedule | None) -> PollSchedule:
    if poll is None:
        return PollSchedule(first=SHORTEST_POLL, longest=SHORTEST_POLL, shortest=SHORTEST_POLL)
    if min(poll.delays) < SHORTEST_POLL:
        raise InputError(
            f"Runway's tasks are asked about every 5 s at most: give a PollSchedule with first and longest from 5 up, "
            f"not {poll!r}"
        )
    return replace(poll, shortest=max(poll.shortest, SHORTEST_POLL))


def _whole(seconds: object) -> object:
    """Return a whole number of seconds as Runway wants it: 4 of 4.0, as DataFrames have it, and of "4"."""
    if isinstance(seconds, float) and seconds.is_integer():
        return int(seconds)
    return int(seconds) if isinstance(seconds, str) and _DIGITS.fullmatch(seconds) else seconds


def _image(value: str) -> str:
    """Return an image as Runway takes it: an address or an upload as it is, else a data URI."""
    if value.startswith(("https://", "runway://")):
        return value
    media_type, data = read_image(value, limit=_IMAGE_BYTES)
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _first_address(output: object) -> str | None:
    """Return the first http address in a task's output, or None."""
    for each in output if isinstance(output, list) else ():
        try:
            url = httpx.URL(each) if isinstance(each, str) else None
        except (httpx.InvalidURL, ValueError):
            continue
        if url is not None and url.scheme in ("http", "https") and url.host:
            return str(each)
    return None


def _fraction(progress: object) -> float | None:
    """Return a progress of 0 to 1, or None where it is no number."""
    if isinstance(progress, bool) or not isinstance(progress, int | float) or math.isnan(progress):
        return None
    return float(min(max(progress, 0), 1))
