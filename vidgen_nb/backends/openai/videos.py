"""The OpenAI-compatible videos API, as vLLM-Omni, SGLang and gateways serve it.

A submit is multipart even without a file; the result is fetched with the key; `openai-poll-after-ms` paces the polls.
Only `id` and `status` of an answer are required; statuses may be written in the words of other APIs, as gateways do
(`wire.jobs.status_words`). An answer that names the job and says that it ended counts whatever its HTTP status is:
vLLM-Omni answers about a failed job with the failure's own, and a gateway makes that the text of an error. Where
`/content` refuses, the job's `url` is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal, NoReturn

import httpx

from vidgen_nb.backends.openai.errors import classify, job_failure
from vidgen_nb.backends.openai.models import ask_for_models, if_about_model, unlisted
from vidgen_nb.backends.openai.submit_body import file_part, json_body
from vidgen_nb.backends.wire.adapter import HttpAdapter
from vidgen_nb.backends.wire.fields import (
    check_unicode,
    form_text,
    header_safe,
    is_listing,
    is_usable_id,
    json_object,
    progress_fraction,
    server_epoch,
)
from vidgen_nb.backends.wire.first_answers import about_own_model, address_advice, address_mistake
from vidgen_nb.backends.wire.http import Answer, FormValue, Phase
from vidgen_nb.backends.wire.images import check_image_parameter, is_http_url
from vidgen_nb.backends.wire.jobs.cancels import cancel_answer
from vidgen_nb.backends.wire.jobs.image_download import download_image
from vidgen_nb.backends.wire.jobs.job_names import part_about
from vidgen_nb.backends.wire.jobs.last_words import LastWords
from vidgen_nb.backends.wire.jobs.results import MAX_INLINE_BYTES, find_result, is_inline, save_inline
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.reading.rate_headers import rate_info
from vidgen_nb.backends.wire.reading.refusals import error_of
from vidgen_nb.backends.wire.reading.retry_after import parse_milliseconds
from vidgen_nb.backends.wire.reading.told_costs import cost_of_job, cost_of_submit
from vidgen_nb.backends.wire.status_codes import shows_gateway
from vidgen_nb.backends.wire.urls import origin, usable_url
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Cancelled, Failure, Permanent, ProfileUnusable, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink, tells_when_it_leaves

__all__ = ["OpenAIVideos"]

_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    400: "unsupported", 405: "unsupported", 501: "unsupported", 404: "too late", 409: "too late", 410: "too late",
}  # fmt: skip
_NO_WORD_OF_THE_RESULT: Final = frozenset({*range(300, 400), 401, 408, 425, 429})
"""To a fetch: ask elsewhere, with another key, or later."""


class OpenAIVideos(HttpAdapter):
    """Backend for servers with `POST /videos`, `GET` and `DELETE /videos/{id}`, `GET /videos/{id}/content`.

    `base_url`: including the version, such as `http://127.0.0.1:8000/v1`; a profile's own takes precedence. `model`:
    sent with every scene that has no `model` parameter itself; None: not sent. `body`: what a submit is sent as, a
    form, or JSON for servers that take no form. `poll`: how often jobs are polled, in run seconds. `timeout`: wall
    seconds that a server may be silent; a whole answer may take five times that, a download must deliver at least 1 KiB
    a second. `gateway`: whether a gateway stands before the server: a 500 to a submit then holds its scene, as if the
    answer showed one (LiteLLM's and New API's do). `transport`: any httpx transport, such as `ASGITransport`, instead
    of the network. `verify`: the path of a private CA's certificates (PEM), trusted besides the usual ones. An image
    that is given by address is fetched, and sent as a file: many servers ignore addresses. Raises `InputError` for
    settings that cannot work.
    """

    name = "openai_videos"
    image_parameters = ("input_reference",)

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000/v1",
        model: str | None = None,
        *,
        body: Literal["form", "json"] = "form",
        poll: PollSchedule | None = None,
        timeout: float = 60.0,
        gateway: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: bool | str | os.PathLike[str] = True,
    ) -> None:
        super().__init__(base_url, model, poll=poll, timeout=timeout, transport=transport, verify=verify)
        if body not in ("form", "json"):
            raise InputError(f"body must be 'form' or 'json', not {body!r:.80}")
        self.body = body
        self._words = StatusWords(self.name)
        self._last_words = LastWords()
        self._only_content: dict[str, int] = {}
        """Jobs that are done, and whose answer names no other place of the result: how often that was to be asked."""
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
        listed = is_listing(answer) or (bool(json_object(answer)) and answer.status == 405)
        failure = None if listed else self._classify(answer, "poll", profile)
        if failure is not None and not (answer.ok or isinstance(failure, Permanent)):
            if isinstance(failure, Transient) and (mistake := address_mistake(self._server(profile), "videos")):
                failure = Transient(f"{failure.reason}. {mistake}", failure.retry_after)
            raise BackendError(failure)
        if listed and self.model is None:
            return
        try:
            answer, models = await ask_for_models(self._pool, self._address(profile, "models"), profile.api_key)
        except BackendError:
            if failure is None:  # the key is good, and nothing is known of the model
                return
            raise
        if models and self.model is not None and self.model not in models:
            raise InputError(unlisted(self.model, models, profile.api_key))
        if failure is not None and not is_listing(answer):
            refused = self._classify(answer, "poll", profile)
            if isinstance(refused, ProfileUnusable):
                raise BackendError(refused)
            advice = address_advice(self._server(profile), "videos")
            raise BackendError(Transient(f"{failure.reason}{' ' if failure.reason.endswith('?') else '. '}{advice}"))

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome if it may have been accepted."""
        self.check(profile)
        async with self._first_answers.one_until_accepted(self._server(profile)):
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        headers = {"X-Client-Request-Id": header_safe(scene.id)}
        fields = self._fields(scene)
        try:
            form = await self._form(fields, profile) if self.body == "form" else None
            body = partial(json_body, fields) if self.body == "json" else None
            answer = await self._pool.call(
                "POST", self._url(profile), "submit", profile.api_key, headers=headers, form=form, body=body
            )
        except InputError as error:  # the image has gone since the run began
            raise BackendError(Permanent(f"input_reference: {error}")) from None
        found = json_object(answer).get("id")
        if not answer.ok or not is_usable_id(found):
            failure, server = self._classify(answer, "submit", profile), self._server(profile)
            if not ("model" in scene.params or self._first_answers.is_confirmed(server)):
                gateway = self.gateway or shows_gateway(answer, error_of(answer))
                models = self._address(profile, "models")
                failure = await if_about_model(
                    failure, self.model, self._pool, models, profile.api_key, gateway=gateway
                )
            advice = address_advice(server, "videos")
            own = about_own_model(failure, answer, scene)
            raise self._first_answers.judged(failure, answer, server, advice, scenes_own=own)
        poll_after = parse_milliseconds(answer.header("openai-poll-after-ms"))
        rate = rate_info(answer.headers, server_epoch(answer, self._now_epoch()))
        if self._words.has_ended(json_object(answer).get("status")):
            self._last_words.note(str(found), answer)
        return Operation(str(found), self.name, poll_after=poll_after, rate=rate, cost=cost_of_submit(answer))

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job; raises `BackendError` if the answer does not say."""
        answer = self._last_words.take(operation.id)
        if answer is None:
            answer = await self._pool.call("GET", self._url(profile, operation), "poll", profile.api_key)
        found = json_object(answer) if answer.ok else part_about(answer.data, operation.id)
        word, error = found.get("status"), found.get("error")
        if word_of(word) is None or not (answer.ok or self._words.has_ended(word)):
            self._fail(answer, "poll", profile)
        status = self._words.status(word, error, profile.api_key, operation.id)
        self._first_answers.confirm(self._server(profile))
        if status == "succeeded":
            return Progress("succeeded", 1.0, artifact=Artifact("with_key"), cost=cost_of_job(found))
        if status == "cancelled":
            return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
        if status == "failed":
            return Progress("failed", outcome=job_failure(error, profile.api_key))
        poll_after = parse_milliseconds(answer.header("openai-poll-after-ms"))
        return Progress(status, progress_fraction(found.get("progress"), 100), poll_after)

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink and commit it; raises `BackendError` if there is none.

        If `/content` refuses or has no video, the result is fetched from where the job's answer says, without the key
        if that is another server.
        """
        place = None
        try:
            refused = await self._pool.download(self._url(profile, operation, "content"), profile.api_key, sink)
        except BackendError as error:
            if isinstance(error.outcome, Transient):
                place = await self._place_of_result(operation, profile)
            if place is None:
                raise
            sink.discard()
        else:
            if refused is None:
                return
            place = find_result(refused.data) if refused.ok else None
            if place is None and refused.status not in _NO_WORD_OF_THE_RESULT:
                place = await self._place_of_result(operation, profile)
            if place is None:
                self._fail(refused, "fetch", profile)
        if is_inline(place):
            await save_inline(place, sink)
            return
        home = self._address(profile)
        url = usable_url(place, home)
        assert url is not None  # noqa: S101 - so it was found
        public = origin(url) != origin(home)
        answer = await self._pool.download(url.copy_with(userinfo=b""), profile.api_key, sink, public=public)
        if answer is not None:
            self._fail(answer, "fetch", profile)

    async def _place_of_result(self, operation: Operation, profile: Profile) -> str | None:
        """Ask where the result of a job is: its address, or the video itself; None if that is not said.

        A job that is done and named none is asked at every fourth refusal only: if two servers take turns that know
        only their own jobs, every request of a pair would go to the same one, and the result's always to the wrong one.
        """
        if operation.id in self._only_content:
            self._only_content[operation.id] += 1
            if self._only_content[operation.id] % 4:
                return None
        url = self._url(profile, operation)
        try:
            answer = await self._pool.call("GET", url, "fetch", profile.api_key, max_bytes=MAX_INLINE_BYTES)
        except BackendError:
            return None
        found = json_object(answer)
        place = find_result(found) if answer.ok else None
        if place is None and answer.ok and self._words.known(found.get("status")) == "succeeded":
            self._only_content.setdefault(operation.id, 0)
        return place

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Delete the job: `too late` if it has ended or is gone, `unsupported` if the server can't.

        A job whose status nobody understands may be done, and a DELETE would erase its result: it is not sent.
        """
        if self._words.may_be_done(operation.id):
            return "unsupported"
        answer = await self._pool.call("DELETE", self._url(profile, operation), "cancel", profile.api_key)
        said = cancel_answer(answer, self._words) if answer.ok else _CANCEL_REFUSALS.get(answer.status)
        if said is None:
            self._fail(answer, "cancel", profile)
        return said

    def _url(self, profile: Profile, operation: Operation | None = None, *rest: str) -> httpx.URL:
        return self._address(profile, "videos", *((operation.id, *rest) if operation else ()))

    def _fields(self, scene: Scene) -> dict[str, Any]:
        """Return what is sent, without what is None; the image of `{"image_url": …}` as it would be given alone."""
        fields = {"prompt": scene.prompt, "model": self.model, **scene.params}
        reference = fields.get("input_reference")
        if isinstance(reference, Mapping) and list(reference) == ["image_url"]:
            fields["input_reference"] = reference["image_url"]
        check_unicode(fields)
        return {name: value for name, value in fields.items() if value is not None}

    async def _form(self, fields: dict[str, Any], profile: Profile) -> dict[str, FormValue]:
        """Return the form's fields: text as it is, numbers as decimals, the rest as JSON.

        An image is sent as a file, also one that is given by address: what others read addresses from is ignored by
        many servers, which make and bill the video without it. An object is sent as the SDK writes it.
        """
        reference = fields.pop("input_reference", None)
        if isinstance(reference, Mapping):
            fields |= {f"input_reference[{name}]": value for name, value in reference.items()}
        form: dict[str, FormValue] = {name: form_text(value) for name, value in fields.items() if value is not None}
        if is_http_url(reference):
            part = await download_image(self._pool, str(reference), profile.api_key)
            return {**form, "input_reference": lambda: part}
        return {**form, "input_reference": partial(file_part, reference)} if isinstance(reference, str) else form

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self._classify(answer, phase, profile))

    def _classify(self, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        now = self._now_epoch()
        return classify(answer, phase, key=profile.api_key, now_epoch=now, gateway=self.gateway)
