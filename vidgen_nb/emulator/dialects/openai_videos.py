"""The dialect of OpenAI's Videos API, as self-hosted servers imitate it.

Wire format from the SDK's sources (openai 3.54.0: `resources/videos.py`, `types/video*.py`). Deleting a running job
aborts it, as in vLLM. Forms are taken as from the SDK, and JSON, as by gateways. No source gives the codes
`video_not_ready` and `video_expired`; they are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from vidgen_nb.core.model import RateInfo
from vidgen_nb.emulator.app import ApiError, Call, Dialect, EmulatorState, round_up
from vidgen_nb.emulator.bodies import parse_json
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.emulator.dialects.openai_errors import JOB_ERRORS, rate_headers, refusal
from vidgen_nb.errors import InputError
from vidgen_nb.provider import Job, Refused

__all__ = ["MODELS", "OpenAIVideosDialect"]

MODELS: Final = ("sora-2", "sora-2-pro")
SECONDS: Final = ("4", "8", "12")
SIZES: Final = ("720x1280", "1280x720", "1024x1792", "1792x1024")

_API_STATUSES: Final = {"queued": "queued", "running": "in_progress", "succeeded": "completed", "failed": "failed"}
_IMAGE_SIGNATURES: Final = ((b"\x89PNG\r\n\x1a\n", b""), (b"\xff\xd8\xff", b""), (b"RIFF", b"WEBP"))
"""The beginning of each image type, and what else its first 12 bytes contain."""
_MAX_IMAGE_BYTES: Final = 20 << 20
_MAX_POLL_SECONDS: Final = 5.0
_MIN_POLL_SECONDS: Final = 0.1


@dataclass(slots=True)
class _Video:
    """A job as this dialect shows it."""

    id: str
    job: Job
    model: str
    seconds: str
    size: str


class OpenAIVideosDialect(Dialect):
    """The endpoints under `/v1/videos`. Jobs are kept until they are deleted.

    `minimal`: answer only with `id`, `status`, `created_at` (and `error`), and without a poll-after header, as some
    self-hosted servers do. `models`: the accepted names; the first is the default.
    """

    def __init__(self, state: EmulatorState, *, minimal: bool = False, models: Iterable[str] = MODELS) -> None:
        super().__init__(state)
        self._minimal = minimal
        self._models = tuple(models)
        self._videos: dict[str, _Video] = {}
        if not self._models:
            raise InputError("an emulator needs at least one model name")

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.route("/v1/videos", "POST", self._create),
            self.route("/v1/videos", "GET", self._list),
            self.route("/v1/videos/{id}", "GET", self._retrieve),
            self.route("/v1/videos/{id}", "DELETE", self._delete),
            self.route("/v1/videos/{id}/content", "GET", self._content),
            self.route("/v1/models", "GET", self._list_models),
            self.route("/v1/models/{id:path}", "GET", self._retrieve_model),
        ]

    def envelope(self, error: ApiError) -> Response:
        """Return the error as OpenAI's APIs write it: `{"error": {message, type, param, code}}`."""
        body = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        return JSONResponse({"error": body}, error.status, error.headers)

    async def _create(self, call: Call) -> Response:
        if _content_type(call.request) == "application/json":
            fields = await _json_fields(call.request)
            prompt, model, seconds, size = self._parameters(call, fields)
            await _check_reference(fields)
        else:
            async with call.request.form(max_files=1, max_fields=100) as form:
                prompt, model, seconds, size = self._parameters(call, form)
                await _check_reference(form)
                fields = dict(form)
        call.scene = call.scene_id(prompt)
        now = self.state.clock.now()
        answer = self.provider.submit(call.profile, call.scene, now, prompt, fields)
        rate = self.provider.rate(call.profile, now)
        if isinstance(answer, Refused):
            error = refusal(answer.cause, call.told_wait(answer.retry_after), _told_rate(call, rate))
            raise self.explained(answer, error)
        video = _Video(f"video_{self.new_id(answer)}", answer, model, seconds, size)
        self._videos[video.id] = video
        call.job = video.id
        if answer.lost:
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
        return self._video_response(call, video, now, rate)

    def _parameters(self, call: Call, form: Mapping[str, Any]) -> tuple[str, str, str, str]:
        """Return prompt, model, seconds and size, or raise the API's error about them."""
        kind = _content_type(call.request)
        if kind not in ("multipart/form-data", "application/x-www-form-urlencoded", "application/json"):
            raise ApiError(400, f"Unsupported content type {kind!r}: send multipart/form-data or application/json.")
        prompt = _text(form, "prompt", "")
        if not prompt.strip():
            raise ApiError(
                400, "Missing required parameter: 'prompt'.", code="missing_required_parameter", param="prompt"
            )
        call.scene = call.scene_id(prompt)
        model = _text(form, "model", self._models[0])
        if model not in self._models:
            message = f"The model {model!r} does not exist. Supported are: {', '.join(self._models)}."
            raise ApiError(404, message, code="model_not_found", param="model")
        return prompt, model, _choice(form, "seconds", SECONDS), _choice(form, "size", SIZES)

    async def _retrieve(self, call: Call) -> Response:
        video = self._find(call)
        now = self.state.clock.now()
        trouble = self.provider.fault_of("poll", video.job, now)
        if trouble is not None:
            raise refusal(trouble.kind, call.told_wait(trouble.retry_after))
        return self._video_response(call, video, now)

    async def _list(self, call: Call) -> Response:
        query = call.request.query_params
        limit = query.get("limit", "20")
        if not limit.isdecimal() or not 1 <= int(limit) <= 100:
            raise ApiError(400, "'limit' is a whole number from 1 to 100.", code="invalid_value", param="limit")
        own = [video for video in self._videos.values() if video.job.profile == call.profile]
        if query.get("order", "desc") == "desc":
            own.reverse()
        after = query.get("after")
        if after is not None:
            own = own[next((i + 1 for i, video in enumerate(own) if video.id == after), len(own)) :]
        page, now = own[: int(limit)], self.state.clock.now()
        return JSONResponse(
            {
                "object": "list",
                "data": [self._fields(call, video, now) for video in page],
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
                "has_more": len(own) > len(page),
            }
        )

    async def _delete(self, call: Call) -> Response:
        video = self._find(call)
        self.provider.cancel(video.job, self.state.clock.now())
        del self._videos[video.id]
        return JSONResponse({"id": video.id, "object": "video.deleted", "deleted": True})

    async def _content(self, call: Call) -> Response:
        video = self._find(call)
        if call.request.query_params.get("variant", "video") != "video":
            raise ApiError(400, "Only the variant 'video' exists here.", code="invalid_value", param="variant")
        if self.provider.poll(video.job, self.state.clock.now()).status != "succeeded":
            raise ApiError(404, "The video is not ready; its status says why.", code="video_not_ready")
        expired = ApiError(404, "The video has expired.", code="video_expired")
        return self.deliver(call, video.job, CLIP, "video/mp4", expired=expired, refused=refusal)

    async def _list_models(self, call: Call) -> Response:
        return JSONResponse({"object": "list", "data": [self._model(each) for each in self._models]})

    async def _retrieve_model(self, call: Call) -> Response:
        model = call.request.path_params["id"]
        if model not in self._models:
            message = f"The model {model!r} does not exist."
            raise ApiError(404, message, code="model_not_found", param="model")
        return JSONResponse(self._model(model))

    def _model(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": int(self.state.clock.epoch), "owned_by": "emulator"}

    def _find(self, call: Call) -> _Video:
        """Return the caller's own job; for the caller, those of others don't exist."""
        call.job = call.request.path_params["id"]
        video = self._videos.get(call.job)
        if video is None or video.job.profile != call.profile:
            raise ApiError(404, f"Video with id '{call.job}' not found.", code="not_found", param="video_id")
        call.scene = video.job.scene
        return video

    def _video_response(self, call: Call, video: _Video, now: float, rate: RateInfo | None = None) -> Response:
        headers = rate_headers(_told_rate(call, rate))
        if not self._minimal:
            state = self.provider.poll(video.job, now)
            news = video.job.start - now if state.status == "queued" else state.remaining
            if state.remaining > 0:
                after = min(max(call.told(news), _MIN_POLL_SECONDS), _MAX_POLL_SECONDS)
                headers["openai-poll-after-ms"] = str(round_up(after * 1000))
        return JSONResponse(self._fields(call, video, now), headers=headers)

    def _fields(self, call: Call, video: _Video, now: float) -> dict[str, Any]:
        """Return the Video object of the API."""
        job, epoch = video.job, self.state.clock.epoch
        progress = self.provider.poll(job, now)
        body: dict[str, Any] = {
            "id": video.id,
            "status": _API_STATUSES[progress.status],
            "created_at": int(epoch + call.told(job.created)),
        }
        error = JOB_ERRORS[job.failure] if progress.status == "failed" and job.failure else None
        if self._minimal:
            return body | ({"error": error} if error else {})
        expires = self.provider.expires(job) if progress.status == "succeeded" else None
        return body | {
            "object": "video",
            "model": video.model,
            "progress": int(progress.progress * 100),
            "seconds": video.seconds,
            "size": video.size,
            "prompt": job.prompt,
            "completed_at": int(epoch + call.told(job.finish)) if progress.status == "succeeded" else None,
            "expires_at": None if expires is None else int(epoch + call.told(expires)),
            "error": error,
            "remixed_from_video_id": None,
        }


def _told_rate(call: Call, rate: RateInfo | None) -> RateInfo | None:
    return rate and replace(rate, reset=call.told_wait(rate.reset))


def _content_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def _json_fields(request: Request) -> dict[str, Any]:
    """Return a JSON body's fields as those of a form: objects flat, with brackets; seconds may be a number."""
    body = parse_json(await request.body())
    if not isinstance(body, dict):
        raise ApiError(400, "The body is no JSON object.")
    fields = {name: value for name, value in body.items() if value is not None}
    if isinstance(fields.get("seconds"), int):
        fields["seconds"] = str(fields["seconds"])
    for name, value in body.items():
        if isinstance(value, dict):
            del fields[name]
            fields |= {f"{name}[{part}]": each for part, each in value.items()}
    return fields


def _text(form: Mapping[str, Any], name: str, default: str) -> str:
    value = form.get(name, default)
    if not isinstance(value, str):
        raise ApiError(400, f"'{name}' must be a text.", code="invalid_type", param=name)
    return value


def _choice(form: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = _text(form, name, allowed[0])
    if value not in allowed:
        message = f"Invalid value: {value!r}. Supported values are: {', '.join(map(repr, allowed))}."
        raise ApiError(400, message, code="invalid_value", param=name)
    return value


async def _check_reference(form: Mapping[str, Any]) -> None:
    """Raise for an `input_reference` that the API rejects; the SDK sends a file, or an object in brackets."""
    image, address = form.get("input_reference"), form.get("input_reference[image_url]")
    problem = ""
    if isinstance(image, UploadFile):
        head = await image.read(12)
        if not any(head.startswith(start) and end in head for start, end in _IMAGE_SIGNATURES):
            problem = "is no PNG, JPEG or WebP image"
        elif (image.size or 0) > _MAX_IMAGE_BYTES:
            problem = "is larger than 20 MiB"
    elif image is not None:
        problem = "has to be a file, or an object with image_url"
    elif address is not None and not str(address).startswith(("https://", "data:image/")):
        problem = "needs an https or a data URL as its image_url"
    elif "input_reference[file_id]" in form:
        problem = "names a file that does not exist"
    if problem:
        message = f"Invalid value: 'input_reference' {problem}."
        raise ApiError(400, message, code="invalid_value", param="input_reference")
