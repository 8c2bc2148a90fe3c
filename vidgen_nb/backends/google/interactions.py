"""Google's Interactions API, for Gemini's video models.

A submit is a JSON body with `background: true`; there is no progress and no poll-after. The result is in
`steps[].content[]`, as base64 or as a URL of the Files API, which is downloaded with the key. Quotas belong to a
project, not to a key: profiles of one project should share a `quota_group`.

Wire format from the SDK's sources (google-genai 3.6.1: `_gaos/types/interactions`). An unknown status counts as
running, unless there are errors: new statuses are more often a new stage than a new end.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal, NoReturn

import httpx

from vidgen_nb.backends.google.errors import classify
from vidgen_nb.backends.google.progress import (
    BACKEND_NAME,
    artifact_of,
    download_url,
    no_video,
    read_progress,
    video_of,
)
from vidgen_nb.backends.google.submit_body import MAX_IMAGE_BYTES, duration_text, image_part
from vidgen_nb.backends.wire.adapter import HttpAdapter
from vidgen_nb.backends.wire.fields import check_unicode, header_safe, is_listing, is_usable_id, json_object
from vidgen_nb.backends.wire.first_answers import about_own_model, address_advice
from vidgen_nb.backends.wire.http import Answer, Phase
from vidgen_nb.backends.wire.images import check_image_parameter, is_http_url
from vidgen_nb.backends.wire.jobs.cancels import cancel_answer
from vidgen_nb.backends.wire.jobs.results import REFUSED_STATUSES
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.urls import origin
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Permanent, ProfileUnusable, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink, tells_when_it_leaves

__all__ = ["GoogleInteractions", "read_progress"]

BASE_URL: Final = "https://generativelanguage.googleapis.com/v1"
DEFAULT_MODEL: Final = "gemini-omni-1.2-flash"
MAX_INLINE_BYTES: Final = 16 << 20
"""Of an answer that may contain a video; four times what Google delivers inline."""

_FORMAT_FIELDS: Final = ("aspect_ratio", "delivery", "duration", "gcs_uri", "resolution")
_RESERVED_FIELDS: Final = frozenset(
    {"background", "image", "input", "response_format", "seconds", "stream", *_FORMAT_FIELDS}
)
_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    400: "too late", 404: "too late", 409: "too late", 410: "too late", 405: "unsupported", 501: "unsupported",
}  # fmt: skip


class GoogleInteractions(HttpAdapter):
    """Backend for `POST /interactions`, `GET /interactions/{id}`, `POST /interactions/{id}/cancel`.

    `base_url`: including the version; a profile's own takes precedence. `model`: for scenes that name none. `delivery`:
    how results are delivered, by URL (`uri`) or within the answer (`inline`, small ones only). `poll`, `timeout`,
    `transport`: see `HttpAdapter`. Raises `InputError` for settings that cannot work.

    A scene's `aspect_ratio`, `duration` ("8s"; or `seconds=8`), `resolution`, `delivery` and `gcs_uri` go into
    `response_format`; `image` is a path, a data URI, a URL, or a list of these; anything else goes into the request
    as it is.
    """

    name = BACKEND_NAME
    key_header = "x-goog-api-key"
    image_parameters = ("image",)

    def __init__(
        self,
        base_url: str = BASE_URL,
        model: str | None = DEFAULT_MODEL,
        *,
        delivery: Literal["uri", "inline"] = "uri",
        poll: PollSchedule | None = None,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: bool | str | os.PathLike[str] = True,
    ) -> None:
        if delivery not in ("uri", "inline"):
            raise InputError(f"delivery must be 'uri' or 'inline', not {delivery!r}")
        super().__init__(base_url, model, poll=poll, timeout=timeout, transport=transport, verify=verify)
        self.delivery = delivery
        self._words = StatusWords(self.name)

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend."""
        return {**super().settings(), "delivery": self.delivery}

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` unless the scene's image can be sent: a path, a data URI, a URL, or a list of these."""
        if scene.params.get("input_reference") is not None:
            raise InputError("input_reference is a parameter of other APIs: give the scene's image as image=")
        for image in _images(scene):
            if not is_http_url(image):
                check_image_parameter("image", image, limit=MAX_IMAGE_BYTES)

    async def probe(self, profile: Profile) -> None:
        """Try the key by asking for a model's name; `BackendError` if it is refused, or if the answer does not say."""
        url = self._address(profile, "models").copy_with(query=b"pageSize=1")
        answer = await self._pool.call("GET", url, "poll", profile.api_key)
        if not answer.ok or not is_listing(answer):
            self._fail(answer, "poll", profile)

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome if it may have been accepted."""
        self.check(profile)
        async with self._first_answers.one_until_accepted(self._server(profile)):
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        answer = await self._pool.call(
            "POST",
            self._address(profile, "interactions"),
            "submit",
            profile.api_key,
            headers={"X-Client-Request-Id": header_safe(scene.id)},
            body=partial(self._body, scene),
        )
        found = json_object(answer).get("id")
        if not answer.ok or not is_usable_id(found):
            failure, server = self._classify(answer, "submit", profile), self._server(profile)
            own = about_own_model(failure, answer, scene)
            advice = address_advice(server, "interactions")
            raise self._first_answers.judged(failure, answer, server, advice, scenes_own=own)
        return Operation(str(found), self.name)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job; raises `BackendError` if the answer does not say."""
        answer = await self._retrieve(operation, profile, "poll")
        self._first_answers.confirm(self._server(profile))
        found = json_object(answer)
        return read_progress(found, profile.api_key, self._address(profile), self._words, operation.id)

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Write the result into the sink and commit it; raises `BackendError` if there is none.

        If its URL is refused, because it has expired, say, the job is asked for a fresh one.
        """
        refused = None
        if artifact.kind != "inline":
            refused = await self._download(artifact, profile, sink)
            if refused is None:
                return
        if refused is None or refused.status in REFUSED_STATUSES:
            found = json_object(await self._retrieve(operation, profile, "fetch"))
            fresh = artifact_of(found, self._address(profile))
            if fresh is not None and fresh.kind == "inline":
                await _save(video_of(found) or {}, sink)
                return
            if refused is None and fresh is None:
                raise BackendError(no_video(found, profile.api_key))
            if fresh is not None and fresh != artifact:
                artifact, refused = fresh, await self._download(fresh, profile, sink)
        if refused is None:
            return
        if artifact.kind == "with_key":
            self._fail(refused, "fetch", profile)
        reason = f"HTTP {refused.status} from the result's URL"
        raise BackendError(Permanent(reason, "no_result") if refused.status in (404, 410) else Transient(reason))

    async def _download(self, artifact: Artifact, profile: Profile, sink: Sink) -> Answer | None:
        url = download_url(artifact.url, self._address(profile))
        if url is None:
            raise BackendError(Permanent("the result's URL can't be used", "no_result"))
        public = origin(url) != origin(self._address(profile))
        handled = REFUSED_STATUSES if public else ()  # the API's own are all returned
        return await self._pool.download(url, profile.api_key, sink, public=public, handled_statuses=handled)

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel the job: `too late` if it has ended or is gone, `unsupported` if the server can't.

        A job whose status nobody understands may be done: it is left alone.
        """
        if self._words.may_be_done(operation.id):
            return "unsupported"
        url = self._address(profile, "interactions", operation.id, "cancel")
        answer = await self._pool.call("POST", url, "cancel", profile.api_key, max_bytes=MAX_INLINE_BYTES)
        said = cancel_answer(answer, self._words) if answer.ok else _CANCEL_REFUSALS.get(answer.status)
        if said is None or (not answer.ok and isinstance(self._classify(answer, "cancel", profile), ProfileUnusable)):
            self._fail(answer, "cancel", profile)
        return said

    async def _retrieve(self, operation: Operation, profile: Profile, phase: Phase) -> Answer:
        """Return the interaction as it is now."""
        url = self._address(profile, "interactions", operation.id)
        answer = await self._pool.call("GET", url, phase, profile.api_key, max_bytes=MAX_INLINE_BYTES)
        found = json_object(answer)
        word = found.get("status")
        if word_of(word) is None or not (answer.ok or self._words.is_last_word(word, found, operation.id)):
            self._fail(answer, phase, profile)
        return answer

    def _body(self, scene: Scene) -> dict[str, Any]:
        """Return the request's body; `BackendError` for an image that can't be read, or text that is not Unicode."""
        given = {name: value for name, value in scene.params.items() if value is not None}
        shape: dict[str, Any] = {"type": "video", "delivery": self.delivery}
        shape |= {name: given[name] for name in _FORMAT_FIELDS if name in given}
        duration = given.get("duration", given.get("seconds"))
        if duration is not None:
            shape["duration"] = duration_text(duration)
        own = given.get("response_format", {})
        check_unicode([scene.prompt, given])
        try:
            images = [image_part(image) for image in _images(scene)]
        except InputError as error:
            raise BackendError(Permanent(f"image: {error}")) from None
        return {
            **({} if self.model is None else {"model": self.model}),
            **{name: value for name, value in given.items() if name not in _RESERVED_FIELDS},
            "input": [{"type": "text", "text": scene.prompt}, *images] if images else scene.prompt,
            "background": True,
            "response_format": {**shape, **own} if isinstance(own, dict) else own,
        }

    def _classify(self, answer: Answer, phase: Phase, profile: Profile) -> Any:
        return classify(answer, phase, key=profile.api_key, now_epoch=self._now_epoch())

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self._classify(answer, phase, profile))


def _images(scene: Scene) -> list[Any]:
    image = scene.params.get("image")
    return image if isinstance(image, list) else [] if image is None else [image]


async def _save(video: Mapping[str, Any], sink: Sink) -> None:
    """Write a video that is within the answer; it was too long for an event of the run."""
    try:
        data = base64.b64decode(video["data"].translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raise BackendError(Transient("the video's base64 is broken")) from None
    await sink.write(data)
    media_type = video.get("mime_type")
    await sink.commit(expected=len(data), media_type=media_type if isinstance(media_type, str) else None)
