"""The dialect of Google's Interactions API with a video model.

Wire format from the SDK's sources (google-genai 3.6.1: `_gaos/types/interactions`, `_gaos/models`); under `/v1`, as in
the SDK, and under `/v1beta`, as in most documents. Only background jobs are served, and no streams. Real quotas belong
to a project: profiles with one `quota_group`. If the result is within the answer, each request for the finished job
counts as a fetch for the provider's faults.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from vidgen_nb.emulator.app import ApiError, Call, Dialect, EmulatorState
from vidgen_nb.emulator.bodies import parse_json
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.emulator.dialects.google_errors import JOB_ERRORS, bad_request, expired, not_found, refusal, rpc_status
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Job, Refused

__all__ = ["MODELS", "GoogleInteractionsDialect"]

MODELS: Final = ("gemini-omni-1.2-flash", "gemini-omni-1.1-flash", "gemini-omni-flash-preview")
_CHOICES: Final = {
    "aspect_ratio": ("16:9", "9:16"),
    "delivery": ("inline", "uri"),
    "resolution": ("360p", "720p", "1080p", "4k"),
}
_DURATION: Final = re.compile(r"\d{1,3}(\.\d{1,9})?s", re.ASCII)
_FIELDS: Final = frozenset({
    "background", "cached_content", "continuation_token", "environment", "generation_config", "input", "labels",
    "model", "previous_interaction_id", "response_format", "response_mime_type", "response_modalities",
    "safety_settings", "service_tier", "store", "stream", "system_instruction", "tools", "webhook_config",
})  # fmt: skip
_API_STATUSES: Final = {"queued": "queued", "running": "in_progress", "succeeded": "completed", "failed": "failed"}


@dataclass(slots=True)
class _Interaction:
    """A job as this dialect shows it."""

    id: str
    job: Job
    model: str
    video_format: dict[str, Any]
    """The requested video format."""
    version: str
    """Of the API, as in the request's path."""


class GoogleInteractionsDialect(Dialect):
    """The endpoints under `/interactions`, downloads of `/files`, and `/models`. Jobs are kept until they are deleted.

    `models`: the accepted names. `error_codes`: write errors as in the API's documentation of error codes, without
    details, instead of as google.rpc.Status.
    """

    def __init__(self, state: EmulatorState, *, models: Iterable[str] = MODELS, error_codes: bool = False) -> None:
        super().__init__(state)
        self._models = tuple(models)
        self._error_codes = error_codes
        self._interactions: dict[str, _Interaction] = {}
        if not self._models:
            raise InputError("an emulator needs at least one model name")

    def routes(self) -> list[Route]:
        """Return the routes, for both versions of the API."""
        return [
            self.route(f"/{version}{path}", method, handler)
            for version in ("v1", "v1beta")
            for path, method, handler in (
                ("/interactions", "POST", self._create),
                ("/interactions/{id}", "GET", self._retrieve),
                ("/interactions/{id}", "DELETE", self._delete),
                ("/interactions/{id}/cancel", "POST", self._cancel),
                ("/files/{id}:download", "GET", self._download),
                ("/models", "GET", self._list_models),
                ("/models/{id}", "GET", self._retrieve_model),
            )
        ]

    def envelope(self, error: ApiError) -> Response:
        """Return the error as google.rpc.Status, or by its code alone."""
        short = {"code": error.code or "invalid_request", "message": error.message}
        return JSONResponse({"error": short if self._error_codes else rpc_status(error)}, error.status, error.headers)

    def owner(self, request: Request) -> str:
        """Return the profile whose key is in `x-goog-api-key`; an unknown key is a 400, as from Google."""
        key = request.headers.get("x-goog-api-key", "").strip()
        if not key:
            message = "Method doesn't allow unregistered callers. Please use API Key to call this API."
            raise ApiError(401 if self._error_codes else 403, message, type="PERMISSION_DENIED", code="authentication")
        owner = self.state.owners.get(key)
        if owner is None:
            raise self._refusal("auth", None)
        return owner

    def _refusal(self, cause: str, retry_after: float | None) -> ApiError:
        error = refusal(cause, retry_after)
        if cause == "auth" and self._error_codes:
            error.status = 401
        return error

    async def _create(self, call: Call) -> Response:
        body = await _json(call.request)
        prompt = _prompt(body)
        call.scene = call.scene_id(prompt)
        model, video_format = self._request_options(body)
        now = self.state.clock.now()
        answer = self.provider.submit(call.profile, call.scene, now, prompt, body)
        if isinstance(answer, Refused):
            raise self.explained(answer, self._refusal(answer.cause, call.told_wait(answer.retry_after)))
        made = _Interaction(self.new_id(answer), answer, model, video_format, call.request.url.path.split("/")[1])
        self._interactions[made.id] = made
        call.job = made.id
        if answer.lost:
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
        return JSONResponse(self._fields(made, now, call))

    def _request_options(self, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the model and the video format, or raise the API's error about them."""
        for name in body:
            if name not in _FIELDS:
                raise bad_request(f"Invalid JSON payload received. Unknown name {name!r}.", "parameter_unknown")
        if body.get("background") is not True or body.get("stream") or body.get("store") is False:
            raise bad_request("The emulator serves background jobs only: background=true, no stream, stored.")
        model = body.get("model")
        if model not in self._models:
            raise not_found(f"The model {model!r} is not found.", "model_not_found")
        return str(model), _video_format(body.get("response_format"))

    async def _retrieve(self, call: Call) -> Response:
        found = self._find(call)
        if call.request.query_params.get("stream", "false") != "false":
            raise bad_request("The emulator serves no streams.")
        now = self.state.clock.now()
        trouble = self.provider.fault_of("poll", found.job, now)
        if trouble is not None:
            raise self._refusal(trouble.kind, call.told_wait(trouble.retry_after))
        fields = self._fields(found, now, call)
        if found.video_format["delivery"] == "inline" and "steps" in fields and found.job.failure is None:
            gone = not_found(f"The interaction {found.id} has expired.")
            content = json.dumps(fields).encode()
            return self.deliver(call, found.job, content, "application/json", expired=gone, refused=self._refusal)
        return JSONResponse(fields)

    async def _cancel(self, call: Call) -> Response:
        found = self._find(call)
        now = self.state.clock.now()
        if not self.provider.cancel(found.job, now):
            message = "The interaction has ended and can't be cancelled."
            raise ApiError(400, message, type="FAILED_PRECONDITION", code="failed_precondition")
        return JSONResponse(self._fields(found, now, call))

    async def _delete(self, call: Call) -> Response:
        found = self._find(call)
        self.provider.cancel(found.job, self.state.clock.now())
        del self._interactions[found.id]
        return JSONResponse({})

    async def _download(self, call: Call) -> Response:
        gone = expired(call.request.path_params["id"])
        try:
            found = self._find(call)
        except ApiError:
            raise gone from None
        if (
            found.video_format["delivery"] != "uri"
            or self.provider.poll(found.job, self.state.clock.now()).status != "succeeded"
        ):
            raise gone
        if call.request.query_params.get("alt") != "media":
            raise bad_request("The emulator downloads files with alt=media only.")
        return self.deliver(call, found.job, CLIP, "video/mp4", expired=gone, refused=self._refusal)

    async def _list_models(self, call: Call) -> Response:
        """Return the models, all on one page."""
        return JSONResponse({"models": [{"name": f"models/{model}", "version": "1"} for model in self._models]})

    async def _retrieve_model(self, call: Call) -> Response:
        model = call.request.path_params["id"]
        if model not in self._models:
            raise not_found(f"The model {model!r} is not found.", "model_not_found")
        return JSONResponse({"name": f"models/{model}", "version": "1"})

    def _find(self, call: Call) -> _Interaction:
        """Return the caller's own job; for the caller, those of others don't exist."""
        call.job = call.request.path_params["id"]
        found = self._interactions.get(call.job)
        if found is None or found.job.profile != call.profile:
            raise not_found(f"The interaction {call.job} is not found.")
        call.scene = found.job.scene
        return found

    def _fields(self, found: _Interaction, now: float, call: Call) -> dict[str, Any]:
        """Return the Interaction object of the API."""
        job, epoch = found.job, self.state.clock.epoch
        progress = self.provider.poll(job, now)
        status = (
            "completed"
            if job.failure == "empty" and progress.status == "failed"
            else _API_STATUSES.get(progress.status)
        )
        ended = job.cancelled if job.cancelled is not None else job.finish
        body: dict[str, Any] = {
            "id": found.id,
            "object": "interaction",
            "status": status or "cancelled",
            "model": found.model,
            "created": _rfc3339(epoch + call.told(job.created)),
            "updated": _rfc3339(epoch + call.told(min(now, ended))),
        }
        if status == "failed" and job.failure is not None:
            body["errors"] = [JOB_ERRORS[job.failure]]
        if status == "completed":
            content = [self._video(found, call.request)] if job.failure is None else []
            body["steps"] = [{"type": "model_output", "content": content}]
        return body

    def _video(self, found: _Interaction, request: Request) -> dict[str, str]:
        video = {"type": "video", "mime_type": "video/mp4"}
        if found.video_format["delivery"] == "inline":
            return video | {"data": base64.b64encode(CLIP).decode()}
        base = str(request.base_url).rstrip("/")
        return video | {"uri": f"{base}/{found.version}/files/{found.id}:download?alt=media"}


async def _json(request: Request) -> dict[str, Any]:
    body = parse_json(await request.body())
    if body is None:
        raise bad_request("Invalid JSON payload received.")
    if not isinstance(body, dict):
        raise bad_request("Invalid JSON payload received: an object is wanted.")
    return body


def _prompt(body: Mapping[str, Any]) -> str:
    """Return the input's text; images with it are checked, but not used."""
    given = body.get("input")
    parts = given if isinstance(given, list) else [given]
    texts = [_text(part) for part in parts]
    prompt = "\n".join(text for text in texts if text)
    if not prompt.strip():
        raise bad_request("The input has no text.")
    return prompt


def _text(part: object) -> str:
    """Return the text of a part of the input; for an image, an empty one."""
    if isinstance(part, str):
        return part
    fields = part if isinstance(part, dict) else {}
    match fields:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image", "uri": str(uri)} if uri.startswith(("https://", "http://")):
            return ""
        case {"type": "image", "mime_type": str(media_type), "data": str(data)} if media_type.startswith("image/"):
            try:
                base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise bad_request("The image's data is no base64.") from None
            return ""
    raise bad_request("The input is a text, or a list of text and image parts.")


def _video_format(given: object) -> dict[str, Any]:
    """Return the requested video format, with the API's defaults."""
    formats = given if isinstance(given, list) else [given or {"type": "video"}]
    videos = [each for each in formats if isinstance(each, dict) and each.get("type") == "video"]
    if len(videos) != 1 or len(formats) != 1:
        raise bad_request("response_format is one format of type video.")
    video_format = {"delivery": "inline", "aspect_ratio": "16:9", "resolution": "720p", "duration": "8s"} | videos[0]
    for name, allowed in _CHOICES.items():
        if video_format[name] not in allowed:
            raise bad_request(f"{name} is one of {', '.join(allowed)}, not {video_format[name]!r}.")
    if not isinstance(video_format["duration"], str) or not _DURATION.fullmatch(video_format["duration"]):
        raise bad_request(f"duration is a number of seconds such as '8s', not {video_format['duration']!r}.")
    for name in video_format:
        if name not in (*_CHOICES, "duration", "gcs_uri", "type"):
            raise bad_request(f"Invalid JSON payload received. Unknown name {name!r}.", "parameter_unknown")
    return video_format


def _rfc3339(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
