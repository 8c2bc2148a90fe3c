"""A backend for any API that is submitted to, polled and fetched from, described in a notebook's cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import httpx

from vidgen_nb.backends.described.checks import (
    Status,
    call_templates,
    check_name,
    check_paths,
    check_statuses,
    checked_headers,
    parse_auth,
)
from vidgen_nb.backends.described.json_paths import JsonPath, is_missing, value_at
from vidgen_nb.backends.described.path_check import PathCheck, missing_value
from vidgen_nb.backends.described.request_body import RequestBody
from vidgen_nb.backends.described.status_map import StatusMap
from vidgen_nb.backends.openai.errors import classify, job_failure
from vidgen_nb.backends.wire.adapter import HttpAdapter, check_schedule, fraction, is_usable_id, server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.rate_headers import rate_info
from vidgen_nb.backends.wire.urls import origin, usable_url
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink

__all__ = ["HttpBackend"]

_CANCEL_REFUSALS: Final[Mapping[int, CancelAnswer]] = {
    405: "unsupported", 501: "unsupported",
    # after these the polls go on, and tell what became of it
    400: "too late", 404: "too late", 409: "too late", 410: "too late", 422: "too late",
}  # fmt: skip
_UNKNOWN_JOB_ID: Final = "00000000-0000-0000-0000-000000000000"


class HttpBackend(HttpAdapter):
    """Backend for any API over HTTP with JSON answers, by a description of its calls.

        replicate = HttpBackend(
            "https://api.replicate.com/v1",
            submit="/models/acme/film/predictions",
            body=lambda scene: {"input": {"prompt": scene.prompt, **scene.params}},
            poll="/predictions/{id}",
            statuses={"starting": "queued", "processing": "running", "succeeded": "succeeded",
                      "failed": "failed", "canceled": "cancelled"},
            result="output",
            cancel="POST /predictions/{id}/cancel",
        )

    Calls (`backends.places` says how they are written): `submit`, whose braces are parameters of the scene; `poll`, and
    all that follow, with the job's id for `{id}`, and nothing else in braces; `cancel`, if there is one; `details`,
    whose answer has the result where that of the poll has not; `content`, which is the video itself; `probe`, for
    `session.check()`, where asking about an unknown job is not answered by 404.

    Places in answers: `job`, the id in the submit's; `status`, `progress` (a fraction, or percent above 1), `error` and
    `code` in the poll's; `result`, the video's address (or a list of such, of which the first counts).

    `body`: makes the submit's JSON of a scene; `form`: it is sent as multipart fields instead. `statuses`: the API's
    words for `queued`, `running`, `succeeded`, `failed` and `cancelled`; one that is not told counts as running,
    with a warning. `images`: parameters that are images (paths, data URIs); the scene that `body` gets has them as data
    URIs. `auth`: how the key is sent. `headers`: of every call. Key and headers go to the origin of base_url alone.

    Refusals are classified as in the OpenAI shape: by status, code, and every known form of Retry-After; a subclass may
    override `classify`. Raises `InputError` for a description that can't work; the run is stopped by one where the very
    first answer has no `job`, no `status` or no address of a call at its place, or that of the first job that succeeded
    has no such place as `result`, and tells of no error. Null at `result` means that this job has no video.
    """

    def __init__(
        self,
        base_url: str,
        *,
        submit: str,
        body: Callable[[Scene], Mapping[str, Any]],
        poll: str,
        statuses: Mapping[str, Status],
        result: JsonPath | None = None,
        content: str | None = None,
        details: str | None = None,
        cancel: str | None = None,
        probe: str | None = None,
        job: JsonPath = "id",
        status: JsonPath = "status",
        progress: JsonPath | None = None,
        error: JsonPath = "error",
        code: JsonPath | None = None,
        form: bool = False,
        images: Sequence[str] = (),
        auth: str = "Authorization: Bearer {key}",
        headers: Mapping[str, str] | None = None,
        name: str = "http",
        schedule: PollSchedule | None = None,
        timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.key_header, self.key_scheme = parse_auth(auth)
        check_schedule("schedule", schedule)
        check_name(name)
        super().__init__(base_url, None, poll=schedule, timeout=timeout, transport=transport)
        self.name = name
        self._calls = call_templates(
            submit=submit, poll=poll, cancel=cancel, details=details, content=content, probe=probe
        )
        self._job, self._status, self._progress, self._error, self._code = job, status, progress, error, code
        self._result, self._body = result, RequestBody(body, form=form, images=images)
        self.image_parameters = tuple(images)
        self._headers = checked_headers({} if headers is None else headers, self.key_header)
        self._path_check = PathCheck(error)
        check_statuses(statuses)
        self._status_map = StatusMap(name, statuses)
        check_paths(job, status, progress, error, code, result)
        if (result is None) == (content is None):
            raise InputError("give result= (where the video's address stands) or content= (the video itself), not both")

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` for a scene of which no request can be made: a missing parameter, or an image."""
        self._body.check(scene)
        self._submit_path(scene)

    async def probe(self, profile: Profile) -> None:
        """Try the key without a submit; raises `BackendError` where it is refused, or where that can't be told."""
        call = self._calls.get("probe") or self._calls["poll"]
        path = call.fill(lambda place: _UNKNOWN_JOB_ID if place == "id" else None)
        if path is None or call.is_whole_url:
            raise BackendError(Transient('can\'t be told without a submit: give probe="/…", a call that costs nothing'))
        answer = await self._ask(call.method, self._at(profile, path), "poll", profile)
        unknown = "probe" not in self._calls and answer.status in (400, 404, 410, 422)
        if answer.data is None or not (answer.ok or unknown):
            self._fail(answer, "poll", profile)

    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome where it may have been accepted."""
        self.check(profile)
        async with self._path_check.one_until_confirmed():
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        try:
            url = self._at(profile, self._submit_path(scene))
            answer = await self._pool.call(
                self._calls["submit"].method, url, "submit", profile.api_key, headers=self._headers,
                **self._body.pool_arguments(scene),
            )  # fmt: skip
        except InputError as error:  # an image was there when the run began
            raise BackendError(Permanent(str(error))) from None
        found = value_at(answer.data, self._job)
        if not answer.ok or not is_usable_id(found):
            self._fail_unreadable("job", self._job, answer, "submit", profile)
        given = {option: call for option, call in self._calls.items() if call.is_whole_url}
        urls = {option: call.fill(lambda place: value_at(answer.data, place)) for option, call in given.items()}
        for option, word in urls.items():
            if word:
                self._path_check.confirm(option)
            elif option != "cancel":
                self._path_check.check(option, given[option].placeholders[0], answer, profile.api_key, job=str(found))
        if "poll" in urls and urls["poll"] is None:
            reason = f"accepted as {str(found)!r}, but the answer does not say where to ask about it"
            raise BackendError(Ambiguous(redacted_line(reason, profile.api_key)))
        self._path_check.confirm("job")
        rate = rate_info(answer.headers, server_epoch(answer, self._now_epoch()))
        return Operation(str(found), self.name, {o: url for o, url in urls.items() if url} or None, rate=rate)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job; raises `BackendError` where the server does not say."""
        answer = await self._answer_about("poll", operation, profile)
        word, error = value_at(answer.data, self._status), value_at(answer.data, self._error)
        if not isinstance(word, str):
            self._fail_unreadable("status", self._status, answer, "poll", profile)
        self._path_check.confirm("status")
        status = self._status_map.status(word, error, profile.api_key)
        if status == "cancelled":
            return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
        if status == "failed" or (status == "succeeded" and error):
            code = value_at(answer.data, self._code)
            shaped = {"code": code, "message": error if isinstance(error, str) else None} if code else error
            return Progress("failed", outcome=job_failure(shaped, profile.api_key))
        if status == "succeeded":
            if self._result is not None and "details" not in self._calls and self._video(answer, profile) is None:
                why = missing_value("result", self._result, answer, profile.api_key)
                return Progress(
                    "failed", outcome=Permanent(f"the job is done, but there is no video: {why}", "no_result")
                )
            return Progress("succeeded", 1.0, artifact=Artifact("with_key"))
        return Progress(status, _fraction(value_at(answer.data, self._progress)))

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink; its address is asked for anew, for such addresses expire."""
        if "content" in self._calls:
            url = self._url("content", operation, profile)
        else:
            if "details" not in self._calls:
                self._path_check.confirm("result")  # by a poll, maybe before a restore: now it may have expired
            answer = await self._answer_about("details" if "details" in self._calls else "poll", operation, profile)
            video = self._video(answer, profile)
            url = self._joined(profile, video) if video is not None else None
        if url is None:
            raise BackendError(Permanent("the job is done, but there is no address of a video", "no_result"))
        public = not self._is_home(url, profile)
        refused = await self._pool.download(url, profile.api_key, sink, public=public, headers=self._headers)
        if refused is not None:
            self._fail(refused, "fetch", profile)

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel the job where the description says how; unless the answer says that it is over, the polls tell."""
        url = self._url("cancel", operation, profile) if "cancel" in self._calls else None
        if url is None:
            return "unsupported"
        answer = await self._ask(self._calls["cancel"].method, url, "cancel", profile)
        if answer.ok:
            return "cancelled" if self._status_map.is_cancelled(value_at(answer.data, self._status)) else "requested"
        if answer.status not in _CANCEL_REFUSALS:
            self._fail(answer, "cancel", profile)
        return _CANCEL_REFUSALS[answer.status]

    def classify(self, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        """Say what an answer that is no success means; to be overridden where an API has codes of its own."""
        found = classify(answer, phase, key=profile.api_key, now_epoch=self._now_epoch())
        if answer.ok and answer.data and phase == "submit" and isinstance(found, Ambiguous):
            return Ambiguous(missing_value("job", self._job, answer, profile.api_key))
        if answer.ok and answer.data and phase == "poll" and isinstance(found, Transient):
            return Transient(missing_value("status", self._status, answer, profile.api_key))
        return found

    # -- addresses and answers

    def _submit_path(self, scene: Scene) -> str:
        path = self._calls["submit"].fill(lambda place: scene.params.get(place), safe="/")
        if path is None:
            wanted = ", ".join(self._calls["submit"].placeholders)
            raise InputError(f"the submit's address needs the parameters {wanted}, each a text or a whole number")
        return path

    def _url(self, option: str, operation: Operation, profile: Profile) -> httpx.URL | None:
        """Return a call's address for a job: the server's own, or one under base_url."""
        call = self._calls[option]
        if call.is_whole_url:
            url = (operation.urls or {}).get(option)
            return self._joined(profile, url) if url else None
        path = call.fill(lambda place: operation.id if place == "id" else None)
        return self._at(profile, path) if path is not None else None

    def _at(self, profile: Profile, path: str) -> httpx.URL:
        return httpx.URL((profile.base_url or self.base_url).rstrip("/") + path)

    def _joined(self, profile: Profile, given: str) -> httpx.URL | None:
        """Return an address that the server gave, without user and password; None where it can't be asked."""
        url = usable_url(given, self._at(profile, "/"))
        return url.copy_with(userinfo=b"") if url is not None else None

    def _is_home(self, url: httpx.URL, profile: Profile) -> bool:
        return origin(url) == origin(self._at(profile, "/"))

    async def _answer_about(self, option: str, operation: Operation, profile: Profile) -> Answer:
        """Ask about a job, and return an answer that is a success."""
        url = self._url(option, operation, profile)
        if url is None:
            raise BackendError(Permanent(f"there is no address to ask about the job ({option})", "no_result"))
        answer = await self._ask(self._calls[option].method, url, "poll", profile)
        if not answer.ok:
            self._fail(answer, "poll", profile)
        return answer

    async def _ask(self, method: str, url: httpx.URL, phase: Phase, profile: Profile) -> Answer:
        """Call an address; the key goes along at home alone, and elsewhere a refusal says nothing of the profile."""
        if self._is_home(url, profile):
            return await self._pool.call(method, url, phase, profile.api_key, headers=self._headers)
        answer = await self._pool.call(method, url, phase, profile.api_key, public=True)
        if not answer.ok:
            raise BackendError(
                Transient(redacted_line(f"HTTP {answer.status} from {url.host}, where no key is sent", profile.api_key))
            )
        return answer

    def _video(self, answer: Answer, profile: Profile) -> str | None:
        """Return the video's address; `InputError` where something else is there, and no answer ever had one."""
        found = value_at(answer.data, self._result)
        found = found[0] if isinstance(found, list) and found else found
        if isinstance(found, str) and found:
            self._path_check.confirm("result")
            return found
        if self._result is not None and (found or is_missing(answer.data, self._result)):
            self._path_check.check("result", self._result, answer, profile.api_key)
        return None

    def _fail_unreadable(
        self, option: str, place: JsonPath, answer: Answer, phase: Phase, profile: Profile
    ) -> NoReturn:
        """Fail for an answer that has nothing at a place; with `InputError` where none ever had."""
        failure = self.classify(answer, phase, profile)
        if isinstance(failure, Ambiguous | Transient):
            self._path_check.check(option, place, answer, profile.api_key)
        raise BackendError(failure)

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self.classify(answer, phase, profile))


def _fraction(value: object) -> float | None:
    """Return 0 to 1 of a fraction, or of percent; None where it is no number."""
    return fraction(value, 100 if isinstance(value, int | float) and value > 1 else 1)
