"""The OpenAI-compatible videos API, as vLLM-Omni, SGLang and gateways serve it.

A submit is multipart even without a file; the result is fetched with the key; `openai-poll-after-ms` paces the polls.
Only `id` and `status` of an answer are required. An unknown status counts as running, unless there is an `error`: new
statuses are more often a new stage than a new end.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, NoReturn

import httpx

from vidgen_nb.backends.openai.errors import classify, job_failure
from vidgen_nb.backends.wire.adapter import HttpAdapter
from vidgen_nb.backends.wire.error_body import tells_error
from vidgen_nb.backends.wire.fields import (
    check_unicode,
    form_text,
    header_safe,
    is_usable_id,
    json_object,
    progress_fraction,
    server_epoch,
)
from vidgen_nb.backends.wire.first_answers import address_advice
from vidgen_nb.backends.wire.http import Answer, FormValue, Phase, redacted_line
from vidgen_nb.backends.wire.images import IMAGE_SUFFIXES, check_image_parameter, is_http_url, read_image
from vidgen_nb.backends.wire.rate_headers import rate_info
from vidgen_nb.backends.wire.retry_after import parse_milliseconds
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink

__all__ = ["OpenAIVideos"]

_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    400: "unsupported", 405: "unsupported", 501: "unsupported", 404: "too late", 409: "too late", 410: "too late",
}  # fmt: skip


class OpenAIVideos(HttpAdapter):
    """Backend for servers with `POST /videos`, `GET` and `DELETE /videos/{id}`, `GET /videos/{id}/content`.

    `base_url`: including the version, such as `http://127.0.0.1:8000/v1`; a profile's own takes precedence.
    `model`: sent with every scene that has no `model` parameter itself; None: not sent. `poll`: how often jobs are
    polled, in run seconds. `timeout`: wall seconds that a server may be silent; a whole answer may take five times
    that, a download must deliver at least 1 KiB a second. `gateway`: whether a gateway stands before the server: a 500
    to a submit then holds its scene, as if the answer showed one (LiteLLM's and New API's do). `transport`: any httpx
    transport, such as `ASGITransport`, instead of the network. Raises `InputError` for settings that cannot work.
    """

    name = "openai_videos"
    image_parameters = ("input_reference",)

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000/v1",
        model: str | None = None,
        *,
        poll: PollSchedule | None = None,
        timeout: float = 60.0,
        gateway: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, model, poll=poll, timeout=timeout, transport=transport)
        self.gateway = gateway

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` unless `input_reference` is an image: a path, a data URI, or an https URL."""
        reference = scene.params.get("input_reference")
        if reference is not None and not (is_http_url(reference) or isinstance(reference, Mapping)):
            check_image_parameter("input_reference", reference)

    async def probe(self, profile: Profile) -> None:
        """Try the key, the address and the model; `BackendError` if the key is refused, or if the answers do not say.

        It asks for the latest job, and where that is not listed, as at most gateways, for the models: those tell a good
        key from a bad one, too. A server that answers 405 to the list accepted the key, provided that it is JSON.
        Raises `InputError` for a model that is not among the server's.
        """
        url = self._url(profile).copy_with(query=b"limit=1")
        answer = await self._pool.call("GET", url, "poll", profile.api_key)
        listed = bool(json_object(answer)) and (answer.ok or answer.status == 405)
        failure = None if listed else self._classify(answer, "poll", profile)
        if failure is not None and not (answer.ok or isinstance(failure, Permanent)):
            raise BackendError(failure)
        if listed and self.model is None:
            return
        try:
            answer, models = await self._models(profile)
        except BackendError:
            if failure is None:  # the key is good, and nothing is known of the model
                return
            raise
        if models and self.model is not None and self.model not in models:
            raise InputError(_unlisted(self.model, models, profile))
        if failure is not None and not (answer.ok and json_object(answer)):
            refused = self._classify(answer, "poll", profile)
            if isinstance(refused, ProfileUnusable):
                raise BackendError(refused)
            advice = address_advice(self._server(profile), "videos")
            raise BackendError(Transient(f"{failure.reason}{' ' if failure.reason.endswith('?') else '. '}{advice}"))

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome if it may have been accepted."""
        self.check(profile)
        async with self._first_answers.one_until_accepted(self._server(profile)):
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        headers = {"X-Client-Request-Id": header_safe(scene.id)}
        try:
            answer = await self._pool.call(
                "POST", self._url(profile), "submit", profile.api_key, headers=headers, form=self._form(scene)
            )
        except InputError as error:  # the image has gone since the run began
            raise BackendError(Permanent(f"input_reference: {error}")) from None
        found = json_object(answer).get("id")
        if not answer.ok or not is_usable_id(found):
            failure, server, own = (
                self._classify(answer, "submit", profile),
                self._server(profile),
                "model" in scene.params,
            )
            if isinstance(failure, Permanent) and failure.cause == "bad_request" and not own:
                failure = await self._unless_no_such_model(failure, profile)
            advice = address_advice(server, "videos")
            raise self._first_answers.judged(failure, answer, server, advice, scenes_own=own and answer.status == 404)
        poll_after = parse_milliseconds(answer.header("openai-poll-after-ms"))
        rate = rate_info(answer.headers, server_epoch(answer, self._now_epoch()))
        return Operation(str(found), self.name, poll_after=poll_after, rate=rate)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job; raises `BackendError` if the answer does not say."""
        answer = await self._pool.call("GET", self._url(profile, operation), "poll", profile.api_key)
        found = json_object(answer)
        status = found.get("status")
        if not answer.ok or not isinstance(status, str):
            self._fail(answer, "poll", profile)
        self._first_answers.accepted(self._server(profile))
        if status == "completed":
            return Progress("succeeded", 1.0, artifact=Artifact("with_key"))
        if status in ("cancelled", "canceled"):
            return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
        if status == "failed" or tells_error(found.get("error")):
            return Progress("failed", outcome=job_failure(found.get("error"), profile.api_key))
        poll_after = parse_milliseconds(answer.header("openai-poll-after-ms"))
        return Progress(
            "queued" if status == "queued" else "running", progress_fraction(found.get("progress"), 100), poll_after
        )

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink and commit it; raises `BackendError` if there is none."""
        answer = await self._pool.download(self._url(profile, operation, "content"), profile.api_key, sink)
        if answer is not None:
            self._fail(answer, "fetch", profile)

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Delete the job: `too late` if it has ended or is gone, `unsupported` if the server can't."""
        answer = await self._pool.call("DELETE", self._url(profile, operation), "cancel", profile.api_key)
        found = json_object(answer)
        if answer.ok and not tells_error(found.get("error")):
            going_on = answer.status == 202 or found.get("deleted") is False
            return "requested" if going_on or found.get("status") in ("queued", "in_progress") else "cancelled"
        if answer.status not in _CANCEL_REFUSALS:
            self._fail(answer, "cancel", profile)
        return _CANCEL_REFUSALS[answer.status]

    def _url(self, profile: Profile, operation: Operation | None = None, *rest: str) -> httpx.URL:
        return self._address(profile, "videos", *((operation.id, *rest) if operation else ()))

    def _form(self, scene: Scene) -> dict[str, FormValue]:
        """Return the form's fields: text as it is, numbers as decimals, None left out, the rest as JSON.

        An image for the server to fetch is sent as the SDK writes objects: `input_reference[image_url]`.
        """
        fields = {"prompt": scene.prompt, "model": self.model, **scene.params}
        reference = fields.pop("input_reference", None)
        sent = {"image_url": reference} if is_http_url(reference) else reference
        if isinstance(sent, Mapping):
            fields |= {f"input_reference[{name}]": value for name, value in sent.items()}
        form = {name: form_text(value) for name, value in fields.items() if value is not None}
        check_unicode(form)
        return {**form, "input_reference": partial(_file_part, sent)} if isinstance(sent, str) else {**form}

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self._classify(answer, phase, profile))

    def _classify(self, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        now = self._now_epoch()
        return classify(answer, phase, key=profile.api_key, now_epoch=now, gateway=self.gateway)

    async def _models(self, profile: Profile) -> tuple[Answer, list[str]]:
        """Ask for the server's models: its answer, and their names; none if it does not say, or takes patterns."""
        answer = await self._pool.call("GET", self._address(profile, "models"), "poll", profile.api_key)
        listed = json_object(answer).get("data") if answer.ok else None
        names = [each.get("id") for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
        known = [name for name in names if isinstance(name, str)]
        return answer, [] if any("*" in name for name in known) else known

    async def _unless_no_such_model(self, failure: Permanent, profile: Profile) -> Permanent:
        """Return what a first bad request means: the server's own list says whether it is the model."""
        if self.model is None or self._first_answers.has_accepted(self._server(profile)):
            return failure
        try:
            _, models = await self._models(profile)
        except BackendError:
            return failure
        if not models or self.model in models:
            return failure
        return Permanent(f"{failure.reason}. {_unlisted(self.model, models, profile)}", "no_such_model")


def _unlisted(model: str, models: list[str], profile: Profile) -> str:
    listed = redacted_line(", ".join(models[:5]), profile.api_key)
    return f"model {model!r} is not among the server's: {listed}{', …' if len(models) > 5 else ''}"


def _file_part(image: str) -> tuple[str, bytes, str]:
    """Return an image as a part of a form; under a neutral name, since the file's own is private."""
    media_type, data = read_image(image)
    return f"input_reference{IMAGE_SUFFIXES[media_type]}", data, media_type
