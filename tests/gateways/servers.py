"""Small servers on loopback that behave like other people's: vLLM-Omni, SGLang and New API.

Sources: vllm_omni 0.30.0 (`entrypoints/openai/api_server.py`, `protocol/videos.py`), sglang 0.5.23
(`multimodal_gen/runtime/entrypoints/openai/video_api.py`), New API (`relay/relay_task.go`, `controller`), as published.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from tests.gateways.video_server import PNG, Job, VideoServer
from vidgen_nb.emulator.clip import CLIP

__all__ = ["NewApi", "Sglang", "VllmOmni"]


class VllmOmni(VideoServer):
    """vLLM-Omni 0.30: GET of a failed job answers the error's own status, with the job as its body.

    Another model's name than the served one is refused with 400; fields that it does not know are ignored, and billed.
    An image comes as the file `input_reference`, or as JSON in `image_reference`.
    """

    def error(self, status: int, message: str, code: str = "") -> Response:
        """Return vLLM's ErrorResponse, whose code is the status."""
        said = {"message": message, "type": HTTPStatus(status).phrase, "param": None, "code": status}
        return JSONResponse({"error": said}, status)

    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Refuse another model, and a form without a prompt as FastAPI does."""
        model = fields.get("model", self.model)
        if model != self.model:
            message = f"Model mismatch: request specifies '{model}' but server is running '{self.model}'."
            return self.error(400, message)
        if "prompt" not in fields:
            lacks = {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None}
            return JSONResponse({"detail": [lacks]}, 422)
        return None

    def image_of(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes | None:
        """Read the file, or take what `image_reference` names for fetched."""
        return files.get("input_reference") or (PNG if "image_url" in fields.get("image_reference", "") else None)

    def new_id(self) -> str:
        """Return an id as vLLM-Omni makes them."""
        return f"video_gen_{len(self.made):032x}"

    def show(self, job: Job, status: str) -> Response:
        """Return the VideoResponse; of a failed one under the failure's status."""
        code, message = job.failure or (500, "")
        failed = status == "failed"
        body = {
            "model": self.model, "prompt": job.prompt, "id": job.id, "object": "video", "status": status, "size": None,
            "progress": 100 if status == "completed" else 0, "seconds": str(job.seconds), "quality": "default",
            "completed_at": 1_796_130_439 if self.is_finished(job) else None, "created_at": 1_796_130_435,
            "remixed_from_video_id": None, "error": {"code": code, "message": message} if failed else None,
            "media_type": "video/mp4", "expires_at": None, "file_name": None,
        }  # fmt: skip
        return JSONResponse(body, code if failed else 200)

    def content(self, job: Job) -> Response:
        """Return the file; 404 while there is none, 422 of a failed job."""
        if not self.is_finished(job):
            return self.error(404, "Generation is still in-progress")
        if job.failure is not None:
            return self.error(422, "Video generation failed. Check job status for error details.")
        return Response(CLIP, media_type="video/mp4")

    def delete(self, job: Job) -> Response:
        """Abort the job, and forget it."""
        del self.jobs[job.id]
        return JSONResponse({"id": job.id, "object": "video.deleted", "deleted": True})

    def listed(self) -> Response:
        """Return an empty page."""
        return JSONResponse({"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None})


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
        done = status == "completed"
        url = self.url(job) if done and self.s3 else None
        body = {
            "id": job.id, "object": "video", "model": job.fields.get("model", self.model), "status": status,
            "progress": 100 if done else 0, "created_at": 1_796_130_435, "size": "832x480", "seconds": str(job.seconds),
            "quality": "standard", "url": url, "urls": [url] if done else None, "remixed_from_video_id": None,
            "error": {"message": job.failure[1]} if status == "failed" and job.failure else None,
        }  # fmt: skip
        return JSONResponse(body)

    def content(self, job: Job) -> Response:
        """Return the file, or say that it is elsewhere."""
        if not self.is_finished(job):
            return self.error(404, "Generation is still in-progress")
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
        """Return an empty page."""
        return JSONResponse({"object": "list", "data": [], "has_more": False})


class NewApi(VideoServer):
    """New API, a gateway: its own words for statuses, an account with a quota, and an upstream that it may lose.

    `words`: what stands for `completed` and others, such as `succeeded`, or `SUCCESS`. `quota`: seconds of video that
    are left; None: enough. What `made` counts are jobs of its upstream. It has no list and no DELETE.
    """

    def __init__(self, *, words: Mapping[str, str] | None = None, quota: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.words = dict(words or {})
        self.quota = quota
        self.beside: dict[str, Any] = {}
        """What else stands in the answer about a job."""

    def error(self, status: int, message: str, code: str = "") -> Response:
        """Return a task error: code and message at the top, with the gateway's request id."""
        body = {"code": code or "fail_to_fetch_task", "message": message, "data": None}
        return JSONResponse(body, status, {"X-Oneapi-Request-Id": "202612010208465024182514F8IDBuV"})

    def lost(self) -> Response:
        """Return what follows a connection to the upstream that broke, maybe after it had accepted."""
        return self.error(500, 'Post "http://upstream/v1/videos": EOF', "do_request_failed")

    def refuse(self, fields: Mapping[str, str], files: Mapping[str, bytes]) -> Response | None:
        """Refuse what the account cannot pay for."""
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
        return self._no_route("DELETE")

    def listed(self) -> Response:
        """Say that there is no such route."""
        return self._no_route("GET")

    def _no_route(self, method: str) -> Response:
        said = {"message": f"Invalid URL ({method} /v1/videos)", "type": "invalid_request_error", "code": ""}
        return JSONResponse({"error": said}, 404)
