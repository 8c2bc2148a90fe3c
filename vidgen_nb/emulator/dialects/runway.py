"""The dialect of Runway's API, version 2024-11-06.

Wire format from the SDK's sources (runwayml 5.24.0: `types/task_retrieve_response.py`, `types/*_to_video_create_*.py`,
`resources/tasks.py`) and docs.dev.runwayml.com/errors; validation errors and result URLs look as users quote them. A
task above the concurrency is accepted and THROTTLED; only a daily quota, or a rate, answers 429. An internal failure is
refunded, one because of its content is not. Texts are ours; so is the 400 for a refused prompt.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from vidgen_nb.emulator.app import ApiError, Call, Dialect, EmulatorState
from vidgen_nb.emulator.bodies import parse_json
from vidgen_nb.emulator.clip import CLIP
from vidgen_nb.emulator.dialects.runway_errors import TASK_FAILURES, refusal
from vidgen_nb.provider import DailyQuota, Job, Refused
from vidgen_nb.provider.limits import DAY, All, queues_over

__all__ = ["RunwayDialect"]

API_VERSION: Final = "2024-11-06"
_CREDITS: Final = 1_000_000
"""The balance of every account, whatever it spends."""
_MAX_PROMPT_UNITS: Final = 1000
"""UTF-16 code units."""
_MAX_DATA_URI_CHARS: Final = 5 << 20
_MAX_URL_CHARS: Final = 2048
_FIRST_FRAMES: Final = ("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672")


@dataclass(frozen=True, slots=True)
class _Model:
    """What a model accepts."""

    credits: int
    """Per second."""
    ratios: Mapping[str, tuple[str, ...]]
    """By endpoint; the model is unknown at all others."""


_MODELS: Final = {
    "gen4.5": _Model(12, {"text_to_video": ("1280:720", "720:1280"), "image_to_video": _FIRST_FRAMES}),
    "gen4_turbo": _Model(5, {"image_to_video": _FIRST_FRAMES}),
}
_DURATIONS: Final = range(2, 11)


@dataclass(slots=True)
class _Task:
    """A job as this dialect shows it."""

    id: str
    job: Job
    credits: int


class RunwayDialect(Dialect):
    """`/v1/text_to_video`, `/v1/image_to_video`, `/v1/tasks/{id}`, `/v1/organization`, and results under `/artifacts`.

    Results need no key, and refuse one, as a store with signed URLs does. A URL is valid for the emulator's
    `expires_after`, a day by default, counted from the request for the task; the result, until its task is deleted.
    """

    def __init__(self, state: EmulatorState) -> None:
        super().__init__(state)
        self.provider.queue_over_concurrency()
        self._tasks: dict[str, _Task] = {}
        self._created: list[tuple[str, str, float]] = []
        """(Profile, model, run seconds) of every created task."""

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self.route("/v1/text_to_video", "POST", self._create),
            self.route("/v1/image_to_video", "POST", self._create),
            self.route("/v1/organization", "GET", self._organization),
            self.route("/v1/tasks/{id}", "GET", self._retrieve),
            self.route("/v1/tasks/{id}", "DELETE", self._delete),
            self.route("/artifacts/{id}.mp4", "GET", self._artifact, public=True),
        ]

    def envelope(self, error: ApiError) -> Response:
        """Return the error as Runway writes it: `{"error": text}`, with `issues` if the body was wrong."""
        issues = {"issues": list(error.details)} if error.details else {}
        return JSONResponse({"error": error.message, **issues}, error.status, error.headers)

    def owner(self, request: Request) -> str:
        """Return the profile of the key; the version header is required, too."""
        owner = super().owner(request)
        version = request.headers.get("X-Runway-Version")
        if version != API_VERSION:
            raise ApiError(400, f"Send the header 'X-Runway-Version: {API_VERSION}', not {version!r}.")
        return owner

    async def _create(self, call: Call) -> Response:
        endpoint = call.request.url.path.rsplit("/", 1)[1]
        body = await _json_object(call.request)
        _check_body(body, endpoint)
        prompt = str(body.get("promptText", ""))
        call.scene = call.scene_id(prompt)
        answer = self.provider.submit(call.profile, call.scene, self.state.clock.now(), prompt, body)
        if isinstance(answer, Refused):
            raise self.explained(answer, refusal(answer.cause, call.told_wait(answer.retry_after)))
        cost = _MODELS[body["model"]].credits * body.get("duration", 5)
        task = _Task(str(UUID(self.new_id(answer))), answer, cost)
        self._tasks[task.id] = task
        self._created.append((call.profile, body["model"], answer.created))
        call.job = task.id
        if answer.lost:
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
        return JSONResponse({"id": task.id, "estimatedCost": {"credits": cost}})

    async def _organization(self, call: Call) -> Response:
        """Return what the account may use, and what it has used."""
        limit = self.provider.profiles[call.profile].limit
        parts = limit.parts if isinstance(limit, All) else (limit,)
        a_day = min((part.n for part in parts if isinstance(part, DailyQuota)), default=None)
        at_once = None if limit is None else queues_over(limit)
        since = self.state.clock.now() - DAY
        made = Counter(model for profile, model, at in self._created if profile == call.profile and at > since)
        allowed = {"maxConcurrentGenerations": at_once, "maxDailyGenerations": a_day}
        return JSONResponse(
            {
                "creditBalance": _CREDITS,
                "tier": {"maxMonthlyCreditSpend": _CREDITS, "models": dict.fromkeys(_MODELS, allowed)},
                "usage": {"models": {name: {"dailyGenerations": made[name]} for name in _MODELS}},
            }
        )

    async def _retrieve(self, call: Call) -> Response:
        task = self._find(call)
        now = self.state.clock.now()
        trouble = self.provider.fault_of("poll", task.job, now)
        if trouble is not None:
            raise refusal(trouble.kind, call.told_wait(trouble.retry_after))
        return JSONResponse(self._fields(task, now, call))

    async def _delete(self, call: Call) -> Response:
        task = self._find(call)
        self.provider.cancel(task.job, self.state.clock.now())
        del self._tasks[task.id]
        return Response(status_code=204)

    async def _artifact(self, call: Call) -> Response:
        call.job = call.request.path_params["id"]
        task = self._tasks.get(call.job)
        now = self.state.clock.now()
        if "Authorization" in call.request.headers:
            raise ApiError(400, "Only one way of authentication is allowed: the address is signed.")
        until, _, signature = call.request.query_params.get("_jwt", "").partition(".")
        good = hmac.compare_digest(signature.encode(), self._signature(call.job, until).encode())
        if not good or now >= int(until, 16) / 1000:
            raise ApiError(403, "The address is not signed, or has expired.")
        if task is None or self.provider.poll(task.job, now).status != "succeeded":
            raise ApiError(404, "There is no such object.")
        call.scene = task.job.scene
        gone = ApiError(403, "The address has expired.")
        return self.deliver_present(call, task.job, CLIP, "video/mp4", expired=gone, refused=refusal)

    def _find(self, call: Call) -> _Task:
        """Return the caller's own task; for the caller, those of others don't exist."""
        call.job = call.request.path_params["id"]
        task = self._tasks.get(call.job)
        if task is None or task.job.profile != call.profile:
            raise ApiError(404, "The task was not found.")
        call.scene = task.job.scene
        return task

    def _fields(self, task: _Task, now: float, call: Call) -> dict[str, Any]:
        """Return the Task object of the API."""
        job = task.job
        progress = self.provider.poll(job, now)
        created = datetime.fromtimestamp(self.state.clock.epoch + call.told(job.created), UTC)
        body = {"id": task.id, "createdAt": created.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        if progress.status == "succeeded" or (progress.status == "failed" and job.failure == "empty"):
            output = [] if job.failure == "empty" else [self._url(task, str(call.request.base_url))]
            return body | {"status": "SUCCEEDED", "cost": {"credits": task.credits}, "output": output}
        if progress.status == "failed":
            code, text = TASK_FAILURES[job.failure or "internal"]
            paid = task.credits if job.failure == "content" else 0
            return body | {"status": "FAILED", "cost": {"credits": paid}, "failure": text, "failureCode": code}
        unfinished = body | {"estimatedCost": {"credits": task.credits}}
        if progress.status == "queued":
            return unfinished | {"status": "THROTTLED"}
        if now <= job.start:
            return unfinished | {"status": "PENDING"}
        return unfinished | {"status": "RUNNING", "progress": round(progress.progress, 4)}

    def _url(self, task: _Task, root: str) -> str:
        """Return a URL for the result, valid from now on for as long as URLs last."""
        lasts = DAY if self.provider.expires_after is None else self.provider.expires_after
        until = f"{int((self.state.clock.now() + lasts) * 1000):x}"
        return f"{root}artifacts/{task.id}.mp4?_jwt={until}.{self._signature(task.id, until)}"

    def _signature(self, task: str, until: str) -> str:
        text = f"{self.provider.seed}\x1f{task}\x1f{until}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=16).hexdigest()


async def _json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, or raise the API's error."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = parse_json(await request.body()) if kind == "application/json" else None
    if not isinstance(body, dict):
        raise ApiError(400, "The body is no JSON object.")
    return body


def _check_body(body: Mapping[str, Any], endpoint: str) -> None:
    """Raise the API's error about a wrong body, which lists everything that is wrong."""
    issues: list[dict[str, Any]] = []

    def wrong(field: str, message: str, **more: Any) -> None:
        issues.append({"code": "invalid_value", "path": [field], "message": message, **more})

    model = _MODELS.get(body["model"]) if isinstance(body.get("model"), str) else None
    ratios = model.ratios.get(endpoint) if model is not None else None
    if ratios is None:
        known = [name for name, each in _MODELS.items() if endpoint in each.ratios]
        wrong("model", f"Invalid option: expected one of {', '.join(known)}", values=known)
    elif body.get("ratio") not in ratios:
        wrong("ratio", f"Invalid option: expected one of {', '.join(ratios)}", values=ratios)
    prompt = body.get("promptText", "" if endpoint == "image_to_video" else None)
    if not isinstance(prompt, str) or (endpoint == "text_to_video" and not prompt):
        wrong("promptText", "Invalid input: expected a non-empty string")
    elif len(prompt.encode("utf-16-le", "surrogatepass")) > 2 * _MAX_PROMPT_UNITS:
        wrong("promptText", f"Too big: expected string to have <={_MAX_PROMPT_UNITS} characters")
    duration = body.get("duration", 5 if body.get("model") == "gen4_turbo" else None)
    if isinstance(duration, bool) or not isinstance(duration, int) or duration not in _DURATIONS:
        wrong("duration", f"Invalid input: expected an integer from {_DURATIONS[0]} to {_DURATIONS[-1]}")
    if endpoint == "image_to_video" and not _is_image(body.get("promptImage")):
        wrong("promptImage", "Invalid asset: expected a HTTPS URL, a Runway upload URI or a data URI of an image")
    if issues:
        raise ApiError(400, "Validation of body failed", details=issues)


def _is_image(value: object) -> bool:
    """Return whether a value may be an image: a URL, upload or data URI, or a list of these with positions."""
    if isinstance(value, list):
        return 0 < len(value) <= 2 and all(
            isinstance(each, dict) and isinstance(each.get("uri"), str) and _is_image(each["uri"]) for each in value
        )
    if not isinstance(value, str):
        return False
    if re.match(r"data:image/(png|jpeg|webp);base64,", value):
        return len(value) < _MAX_DATA_URI_CHARS
    return value.startswith(("https://", "runway://")) and len(value) <= _MAX_URL_CHARS
