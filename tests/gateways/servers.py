"""Small servers on loopback that behave like other people's: vLLM-Omni, SGLang and New API.

Sources, as published: vllm_omni 0.30.0 (`entrypoints/openai/api_server.py`, `video/generation/helpers.py`,
`protocol/videos.py`) with vLLM's handlers of errors (`entrypoints/serve/utils/server_utils.py`); sglang 0.5.23
(`multimodal_gen/runtime/entrypoints/openai/video_api.py`, `http_server.py`, `srt/utils/auth.py`); New API
(`relay/relay_task.go`, `relay/channel/task/sora/adaptor.go`, `controller/video_proxy.go`, `middleware`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from tests.gateways.video_server import PNG, Job, VideoServer
from vidgen_nb.emulator.clip import CLIP

__all__ = ["NewApi", "Sglang", "VllmOmni"]

REQUEST_ID: Final = "202612010208465024182514F8IDBuV"


class VllmOmni(VideoServer):
    """vLLM-Omni 0.30: GET of a failed job answers the error's own status, with the job as its body.

    Another model's name than the served one is refused with 400; fields that it does not know are ignored, and billed.
    An image comes as the file `input_reference`, or as JSON in `image_reference`. `aborting`: whether it is still
    ending a job, engine and all, when its DELETE is answered, with 409.
    """

    def __init__(self, *, aborting: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.aborting = aborting

    def error(self, status: int, message: str, code: str = "", param: str | None = None) -> Response:
        """Return vLLM's ErrorResponse, whose code is the status."""
        said = {"message": message, "type": HTTPStatus(status).phrase, "param": param, "code": status}
        return JSONResponse({"error": said}, status)

    def unauthorized(self) -> Response:
        """Return what stands before all routes below `/v1`."""
        return JSONResponse({"error": "Unauthorized"}, 401)

    def no_route(self, status: int, method: str, path: str) -> Response:
        """Return FastAPI's own words: vLLM's handlers do not see these."""
        return JSONResponse({"detail": HTTPStatus(status).phrase}, status)

    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Refuse another model, and a form without a prompt: FastAPI's findings, as a text with 400."""
        model = fields.get("model", self.model)
        if model != self.model:
            message = f"Model mismatch: request specifies '{model}' but server is running '{self.model}'."
            return self.error(400, message)
        if "prompt" not in fields:
            lacks = {"type": "missing", "loc": ("body", "prompt"), "msg": "Field required", "input": None}
            return self.error(400, f"1 validation error:\n  {lacks}", param="body.prompt")
        return None

    def image_of(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes | None:
        """Read the file, or take what `image_reference` names for fetched."""
        return files.get("input_reference") or (PNG if "image_url" in fields.get("image_reference", "") else None)

    def new_id(self) -> str:
        """Return an id as vLLM-Omni makes them."""
        return f"video_gen_{len(self.made):032x}"

    def show(self, job: Job, status: str) -> Response:
        """Return the VideoResponse; of a failed one under the failure's status."""
        code, _ = job.failure or (500, "")
        return JSONResponse(self.record(job, status), code if status == "failed" else 200)

    def record(self, job: Job, status: str) -> dict[str, Any]:
        """Return what is stored of a job."""
        code, message = job.failure or (500, "")
        failed, done = status == "failed", status == "completed"
        return {
            "model": self.model, "prompt": job.prompt, "id": job.id, "object": "video", "status": status,
            "size": job.fields.get("size"), "progress": 100 if done else 0, "seconds": str(job.seconds),
            "quality": "default", "completed_at": 1_796_130_439 if self.is_finished(job) else None,
            "created_at": 1_796_130_435, "remixed_from_video_id": None,
            "error": {"code": code, "message": message} if failed else None, "media_type": "video/mp4",
            "expires_at": None, "file_name": f"{job.id}.mp4" if done else None,
            "inference_time_s": 4.2 if self.is_finished(job) else None, "fps": 24.0, "num_frames": 24 * job.seconds,
            "duration_s": float(job.seconds), "metrics": None, "stage_durations": {}, "peak_memory_mb": 0.0,
            "action": None,
        }  # fmt: skip

    def content(self, job: Job) -> Response:
        """Return the file; 404 while there is none, 422 of a failed job."""
        if not self.is_finished(job):
            return self.error(404, "Generation is still in-progress")
        if job.failure is not None:
            return self.error(422, "Video generation failed. Check job status for error details.")
        return Response(CLIP, media_type="video/mp4")

    def delete(self, job: Job) -> Response:
        """Abort the job, and forget it, with its file; or say that the abort takes longer than a request may."""
        del self.jobs[job.id]
        if self.aborting and not self.is_finished(job):
            return self.error(409, "Cancellation in progress. Please try again later.")
        return JSONResponse({"id": job.id, "deleted": True, "object": "video.deleted"})

    def listed(self) -> Response:
        """Return the latest job, as `limit=1` asks."""
        page = [self.record(job, "queued") for job in list(self.jobs.values())[-1:]]
        ends = dict.fromkeys(("first_id", "last_id"), page[0]["id"] if page else None)
        return JSONResponse({**ends, "has_more": len(self.jobs) > 1, "data": page, "object": "list"})


class Sglang(VideoServer):
    """SGLang 0.5: plain FastAPI refusals; DELETE forgets a job and aborts nothing; an address goes as `reference_url`.

    `s3`: results are uploaded: a finished job has a `url` (at another origin than the API's), and `/content` answers
    400 with it. While `ready` is not set, it warms up, and every request waits.
    """

    def __init__(self, *, s3: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.s3 = s3
        self.deleted: list[Job] = []

    def error(self, status: int, message: str, code: str = "") -> Response:
        """Return FastAPI's `detail`."""
        return JSONResponse({"detail": message}, status)

    def unauthorized(self) -> Response:
        """Return what stands before all routes but health and metrics."""
        return JSONResponse({"error": "Unauthorized"}, 401)

    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Refuse a form without a prompt."""
        return None if fields.get("prompt") else self.error(400, "prompt is required")

    def image_of(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes | None:
        """Read the file, or take what `reference_url` names for fetched."""
        return files.get("input_reference") or (PNG if fields.get("reference_url") else None)

    def new_id(self) -> str:
        """Return an id as SGLang makes them."""
        return f"{len(self.made):08x}-aaaa-4bbb-8ccc-{len(self.made):012x}"

    def url(self, job: Job) -> str:
        """Return where an uploaded result is."""
        return f"http://localhost:{self.port}/bucket/{job.id}.mp4"

    def show(self, job: Job, status: str) -> Response:
        """Return the VideoResponse."""
        return JSONResponse(self.record(job, status))

    def record(self, job: Job, status: str) -> dict[str, Any]:
        """Return what is stored of a job."""
        done = status == "completed"
        url = self.url(job) if done and self.s3 else None
        file = f"/outputs/{job.id}.mp4" if not self.s3 and status != "failed" else None
        return {
            "id": job.id, "object": "video", "model": job.fields.get("model", self.model), "status": status,
            "progress": 100 if done else 0, "created_at": 1_796_130_435, "size": "832x480", "seconds": str(job.seconds),
            "quality": "standard", "url": url, "urls": [url] if done else None, "remixed_from_video_id": None,
            "completed_at": 1_796_130_439 if done else None, "expires_at": None,
            "error": {"message": job.failure[1]} if status == "failed" and job.failure else None,
            "file_path": file, "file_paths": [file] if done else None, "num_outputs": 1 if done else None,
            "peak_memory_mb": None, "inference_time_s": 4.2 if done else None, "revised_prompt": None, "action": None,
            "lidar": None,
        }  # fmt: skip

    def content(self, job: Job) -> Response:
        """Return the file, or say that it is elsewhere, not there yet, or will never be."""
        if not self.is_finished(job):
            return self.error(404, "Generation is still in-progress")
        if job.failure is not None:
            return self.error(404, "Video variant None not found")
        if self.s3:
            message = f"Video has been uploaded to cloud storage. Please use the cloud URL: {self.url(job)}"
            return self.error(400, message)
        return Response(CLIP, media_type="video/mp4")

    def delete(self, job: Job) -> Response:
        """Forget the job, which goes on all the same."""
        del self.jobs[job.id]
        self.deleted.append(job)
        return self.show(job, "deleted")

    def listed(self) -> Response:
        """Return the latest job, as `limit=1` asks."""
        page = [self.record(job, "queued") for job in list(self.jobs.values())[-1:]]
        ends = dict.fromkeys(("first_id", "last_id"), page[0]["id"] if page else None)
        return JSONResponse({"data": page, "object": "list", **ends, "has_more": len(self.jobs) > 1})


class NewApi(VideoServer):
    """New API, a gateway: its own words for statuses, an account with a quota, and an upstream that it may lose.

    `words`: what stands for `completed` and others, such as `succeeded`, or `SUCCESS`: the upstream's own. `quota`:
    seconds of video that are left; None: enough. `channels`: the models that it has a channel for; empty: all. What
    `made` counts are jobs of its upstream. It has no list and no DELETE.
    """

    def __init__(
        self,
        *,
        words: Mapping[str, str] | None = None,
        quota: int | None = None,
        channels: Collection[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.words = dict(words or {})
        self.quota, self.channels = quota, channels
        self.beside: dict[str, Any] = {}
        """What else stands in the answer about a job."""

    def error(self, status: int, message: str, code: str = "") -> Response:
        """Return a task error: code and message at the top, with the gateway's request id."""
        body = {"code": code or "fail_to_fetch_task", "message": message, "data": None}
        return JSONResponse(body, status, {"X-Oneapi-Request-Id": REQUEST_ID})

    def unauthorized(self) -> Response:
        """Return what stands before the relay: keys, quotas, channels."""
        return self._aborted(401, "Invalid token")

    def _aborted(self, status: int, message: str, code: str = "") -> Response:
        said = {"message": f"{message} (request id: {REQUEST_ID})", "type": "new_api_error", "code": code}
        return JSONResponse({"error": said}, status, {"X-Oneapi-Request-Id": REQUEST_ID})

    def unread(self) -> Response:
        """Return what follows an upstream that accepted with 201 or 202: the gateway takes 200 alone for an answer."""
        return self.error(201, '{"id":"video_1","object":"video","status":"queued"}')

    def lost(self) -> Response:
        """Return what follows a connection to the upstream that broke, maybe after it had accepted."""
        return self.error(500, 'Post "http://upstream/v1/videos": EOF', "do_request_failed")

    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Refuse what no channel serves, and what the account cannot pay for."""
        model = fields.get("model", "")
        if self.channels and not model:
            return self._aborted(400, "Model name not specified, model name cannot be empty")
        if self.channels and model not in self.channels:
            message = f"No available channel for model {model} under group default (distributor)"
            return self._aborted(503, message, "model_not_found")
        wanted = int(fields.get("seconds", "4"))
        if self.quota is None or self.billed_seconds + wanted <= self.quota:
            return None
        return self.error(403, "user quota is not enough", "insufficient_user_quota")

    def missing(self) -> Response:
        """Return the answer about a task that its database does not have, or not yet: a 400."""
        return self.error(400, "task_not_exist", "task_not_exist")

    def new_id(self) -> str:
        """Return an id as New API makes them."""
        return f"task_{len(self.made):032d}"

    def show(self, job: Job, status: str) -> Response:
        """Return the task in the OpenAI shape."""
        error = {"code": "task_failed", "message": job.failure[1]} if status == "failed" and job.failure else None
        body = {
            "id": job.id, "task_id": job.id, "object": "video", "model": job.fields.get("model", ""),
            "status": self.words.get(status, status), "progress": 100 if self.is_finished(job) else 0,
            "created_at": 1_796_130_435, **({"error": error} if error else {}), **self.beside,
        }  # fmt: skip
        return JSONResponse(body)

    def content(self, job: Job) -> Response:
        """Pass the file on."""
        if not self.is_finished(job):
            message = "Task is not completed yet, current status: IN_PROGRESS"
            return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, 400)
        return Response(CLIP, media_type="video/mp4")

    def delete(self, job: Job) -> Response:
        """Say that there is no such route."""
        return self.no_route(404, "DELETE", f"/v1/videos/{job.id}")

    def listed(self) -> Response:
        """Say that there is no such route."""
        return self.no_route(404, "GET", "/v1/videos")

    def no_route(self, status: int, method: str, path: str) -> Response:
        """Say that there is none, also for another method of one that there is."""
        said = {"message": f"Invalid URL ({method} {path})", "type": "invalid_request_error", "param": "", "code": ""}
        return JSONResponse({"error": said}, 404)
