"""A backend for any API with a submit, a poll and a result, described in a notebook's cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import httpx

from vidgen_nb.backends.described import checks
from vidgen_nb.backends.described.call_urls import CallUrls
from vidgen_nb.backends.described.job_failures import CANCEL_REFUSALS, checked_codes, failure_of_job, tells_failure
from vidgen_nb.backends.described.json_paths import JsonPath, value_at, value_of
from vidgen_nb.backends.described.key_comparison import UNKNOWN_JOB_ID, check_by_comparison, is_no_such_job
from vidgen_nb.backends.described.path_check import PathCheck, missing_value, text_in
from vidgen_nb.backends.described.request_body import RequestBody
from vidgen_nb.backends.openai.errors import classify
from vidgen_nb.backends.wire.adapter import HttpAdapter, check_schedule
from vidgen_nb.backends.wire.fields import fraction_or_percent, is_usable_id, server_epoch
from vidgen_nb.backends.wire.http import Answer, Phase, redacted_line
from vidgen_nb.backends.wire.jobs.last_words import LastWords
from vidgen_nb.backends.wire.jobs.results import MAX_INLINE_BYTES, is_inline, save_inline, warn_of_more
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.backends.wire.reading.rate_headers import rate_info
from vidgen_nb.backends.wire.reading.refusals import is_refusal
from vidgen_nb.backends.wire.reading.told_costs import cost_of_job
from vidgen_nb.core.model import Artifact, Operation, PollSchedule, Scene
from vidgen_nb.core.outcomes import Ambiguous, Cancelled, Failure, Permanent, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, CancelAnswer, Profile, Progress, Sink, tells_when_it_leaves

__all__ = ["HttpBackend"]


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

    Calls are written as "POST /jobs" (a path under base_url; without a method a GET, or a POST for submit and cancel),
    or as "{status_url}" (a whole URL at that place in the submit's answer). `submit`: its braces are parameters of the
    scene. All others take the job's id as `{id}`: `poll`; `cancel`, if there is one; `details`, whose answer has the
    result if the poll's has not, and `content`, whose body is the video itself: these two take places in the poll's
    answer, too ("/files/{file_id}"); `probe`, for `session.check()`, if polls of unknown jobs don't tell keys apart.

    Places in answers are written as "output.0.url", or as a function of the answer. `job`: the id, in the submit's
    answer, or one of its headers ("headers.location"). In the poll's: `status`, `progress` (a fraction, or percent
    if above 1), `error`, `code`, and `result`: the video's URL (or a list, whose first counts), or the video as a data
    URI or base64. `transient`: codes of failed jobs that may be tried again.

    `body` makes the submit's JSON from a scene; with `form`, it is sent as multipart fields instead. `statuses` maps
    the API's statuses, in any case, to `queued`, `running`, `succeeded`, `failed` and `cancelled`; usual words need not
    be there; an unknown one counts as running, with a warning. `images`: parameters that are images (paths, data URIs);
    the scene that `body` gets has them as data URIs. `auth`: how the key is sent. `headers`: for every call. Key and
    headers go only to the origin of base_url.

    Refusals are classified as in OpenAI's error shape: by status, code, and every known form of Retry-After; a subclass
    may override `classify`, and `job_failure` for those of jobs. `gateway`, `verify`: as in `OpenAIVideos`. Raises
    `InputError` for a description that can't work. One also stops the run if the very first answer has no `job`, no
    `status` or no URL of a call at its place, or the first job that succeeded lacks the place of `result`, unless the
    answer contains an error. A job that is done, and has null at `result`, is asked for it again, and then held.
    """

    def __init__(
        self,
        base_url: str,
        *,
        submit: str,
        body: Callable[[Scene], Mapping[str, Any]],
        poll: str,
        statuses: Mapping[str, checks.Status],
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
        transient: Collection[str] = (),
        form: bool = False,
        images: Sequence[str] = (),
        auth: str = "Authorization: Bearer {key}",
        headers: Mapping[str, str] | None = None,
        name: str = "http",
        schedule: PollSchedule | None = None,
        timeout: float = 60.0,
        gateway: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        verify: bool | str | os.PathLike[str] = True,
    ) -> None:
        self.key_header, self.key_scheme = checks.parse_auth(auth)
        check_schedule("schedule", schedule)
        checks.check_name(name)
        super().__init__(base_url, None, poll=schedule, timeout=timeout, transport=transport, verify=verify)
        self.name, self.gateway = name, gateway
        self._calls = checks.checked_calls(
            submit=submit, poll=poll, cancel=cancel, details=details, content=content, probe=probe
        )
        self._urls = CallUrls(base_url, self._calls)
        self._job, self._status, self._progress, self._error, self._code = job, status, progress, error, code
        self._result, self._body = result, RequestBody(body, form=form, images=images)
        self.image_parameters = tuple(images)
        self._headers = checks.checked_headers({} if headers is None else headers, self.key_header)
        self._path_check, self._transient = PathCheck(self._first_answers, error), checked_codes(transient)
        checks.check_statuses(statuses)
        self._words, self._last_words = StatusWords(name, statuses), LastWords()
        checks.check_paths(job, status, progress, error, code, result)
        if (result is None) == (content is None):
            raise InputError("give result= (where the video's URL is) or content= (the video itself), not both")

    def check_scene(self, scene: Scene) -> None:
        """Raise `InputError` for a scene that can't be sent, because of a missing parameter or an image."""
        self._body.check(scene)
        self._urls.check_scene(scene)

    async def probe(self, profile: Profile) -> None:
        """Try the key without a submit; raises `BackendError` if it is refused, or if that can't be found out."""
        call = self._calls.get("probe") or self._calls["poll"]
        path = call.fill(lambda name: UNKNOWN_JOB_ID if name == "id" else None)
        if path is None or call.is_whole_url:
            raise BackendError(Transient('the key can\'t be tried without a submit: give probe="/…", a free call'))
        ask = partial(self._pool.call, call.method, self._urls.at(profile, path), "poll", headers=self._headers)
        answer = await ask(profile.api_key)
        if "probe" not in self._calls and is_no_such_job(answer, self.classify(answer, "poll", profile)):
            classify_poll = partial(self.classify, phase="poll", profile=profile)
            await check_by_comparison(answer, profile.api_key, ask, classify_poll)
        elif answer.data is None or not answer.ok or is_refusal(answer.data):
            self._fail(answer, "poll", profile)

    @tells_when_it_leaves
    async def submit(self, scene: Scene, profile: Profile) -> Operation:
        """Send the scene; raises `BackendError`, with an `Ambiguous` outcome if it may have been accepted."""
        self.check(profile)
        async with self._first_answers.one_until_accepted(self._server(profile)):
            return await self._submit(scene, profile)

    async def _submit(self, scene: Scene, profile: Profile) -> Operation:
        try:
            url = self._urls.of_submit(scene, profile)
            answer = await self._pool.call(
                self._calls["submit"].method, url, "submit", profile.api_key, headers=self._headers,
                **self._body.pool_arguments(scene),
            )  # fmt: skip
        except InputError as error:  # an image has gone since the run began
            raise BackendError(Permanent(str(error))) from None
        found = value_of(answer, self._job)
        elsewhere = answer.status == 303 and self._job == "headers.location"  # "see other": the job, once it is made
        if not (answer.ok or elsewhere) or not is_usable_id(found):
            failure, server = self._unreadable("job", self._job, answer, "submit", profile), self._server(profile)
            advice = f"{self._calls['submit'].text} is submitted to under base_url, which is {server}: is that right?"
            own = bool(self._calls["submit"].placeholders) and not answer.ok
            raise self._first_answers.judged(failure, answer, server, advice, scenes_own=own)
        given = {option: call for option, call in self._calls.items() if call.is_whole_url}
        urls = {option: call.fill(lambda path: value_of(answer, path)) for option, call in given.items()}
        for option, word in urls.items():
            if word:
                self._first_answers.confirm(option)
            elif option != "cancel":
                self._path_check.check(option, given[option].placeholders[0], answer, profile.api_key, job=str(found))
        if "poll" in urls and urls["poll"] is None:
            reason = f"accepted as {str(found)!r}, but the answer does not say where to poll"
            raise BackendError(Ambiguous(redacted_line(reason, profile.api_key)))
        self._first_answers.confirm("job")
        word, place = value_at(answer.data, self._status), None if "details" in self._calls else self._result
        if self._words.has_ended(word) and (
            place is None or value_at(answer.data, place) or self._words.known(word) != "succeeded"
        ):
            self._last_words.note(str(found), answer)
        rate = rate_info(answer.headers, server_epoch(answer, self._now_epoch()))
        return Operation(str(found), self.name, {o: url for o, url in urls.items() if url} or None, rate=rate)

    async def poll(self, operation: Operation, profile: Profile) -> Progress:
        """Ask about a job; raises `BackendError` if the answer does not say."""
        answer = await self._answer_about("poll", operation, profile)
        word, error = value_at(answer.data, self._status), value_at(answer.data, self._error)
        if word_of(word) is None:
            if answer.status == 202:  # accepted, and not done yet: some say no more until it is
                return Progress("running")
            raise BackendError(self._unreadable("status", self._status, answer, "poll", profile))
        self._first_answers.confirm("status", self._server(profile))
        status = self._words.status(word, error, profile.api_key, operation.id)
        if status == "cancelled":
            return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
        if status == "failed" or (status == "succeeded" and tells_error(error)):
            return Progress("failed", outcome=self.job_failure(answer, profile))
        if status != "succeeded":
            return Progress(status, fraction_or_percent(value_at(answer.data, self._progress)))
        if "details" in self._calls:
            answer = await self._answer_about("details", operation, profile, answer)
            if not answer.ok:  # some say "completed" of failed jobs, too, and the failure in the place of the result
                return Progress("failed", outcome=self.job_failure(answer, profile))
        if (reason := self._path_check.why_no_result(self._result, answer, profile.api_key)) is not None:
            return Progress("failed", outcome=reason)
        return Progress("succeeded", 1.0, artifact=Artifact("with_key"), cost=cost_of_job(answer.data))

    async def fetch(self, operation: Operation, artifact: Artifact, profile: Profile, sink: Sink) -> None:
        """Stream the result into the sink, from a freshly requested URL, since such URLs expire."""
        place = next((each for each in ("content", "details") if each in self._calls), None)
        needs_poll = place is None or self._urls.needs_poll(place, operation)
        latest = await self._answer_about("poll", operation, profile) if needs_poll else Answer(200, [], None)
        if "content" in self._calls:
            url = self._urls.of_job("content", operation, profile, latest.data)
        else:
            if place == "details":
                latest = await self._answer_about("details", operation, profile, latest)
                video = self._path_check.text_at("result", self._result, latest, profile.api_key)
            else:  # a poll has checked the path, perhaps before a restore; the result may have expired since
                video = text_in(value_at(latest.data, self._result))
            warn_of_more(value_at(latest.data, self._result), operation.id)
            if video is not None and is_inline(video):
                await save_inline(video, sink)
                return
            url = self._urls.resolve(profile, video) if video is not None else None
        self._last_words.take(operation.id)
        if url is None:
            problem = missing_value("result", self._result or "content", latest, profile.api_key)
            raise BackendError(Permanent(f"it succeeded, but there is no video: {problem}", "no_result"))
        public = not self._urls.is_home(url, profile)
        if refused := await self._pool.download(url, profile.api_key, sink, public=public, headers=self._headers):
            self._fail(refused, "fetch", profile)

    def job_failure(self, answer: Answer, profile: Profile) -> Failure:
        """Return what the answer about a failed job means; override it for an API with its own codes."""
        return failure_of_job(answer, self._error, self._code, self._transient, profile.api_key)

    async def cancel(self, operation: Operation, profile: Profile) -> CancelAnswer:
        """Cancel the job if the description says how; polling goes on unless the answer says that it is cancelled."""
        url = self._urls.of_job("cancel", operation, profile) if "cancel" in self._calls else None
        if url is None or self._words.may_be_done(operation.id):
            return "unsupported"
        answer = await self._ask(self._calls["cancel"].method, url, "cancel", profile)
        if answer.ok:
            return "cancelled" if self._words.known(value_at(answer.data, self._status)) == "cancelled" else "requested"
        if answer.status not in CANCEL_REFUSALS:
            self._fail(answer, "cancel", profile)
        return CANCEL_REFUSALS[answer.status]

    def classify(self, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        """Return the failure that an answer means; override it for an API with its own codes."""
        found = classify(answer, phase, key=profile.api_key, now_epoch=self._now_epoch(), gateway=self.gateway)
        if answer.ok and answer.data and phase == "submit" and isinstance(found, Ambiguous):
            return Ambiguous(missing_value("job", self._job, answer, profile.api_key))
        if answer.ok and answer.data and phase == "poll" and isinstance(found, Transient):
            return Transient(missing_value("status", self._status, answer, profile.api_key))
        return found

    async def _answer_about(
        self, option: str, operation: Operation, profile: Profile, polled: Answer | None = None
    ) -> Answer:
        """Ask about a job (of one that is over by a poll, for details); its own last word counts with any status."""
        url = self._urls.of_job(option, operation, profile, polled.data if polled is not None else None)
        if url is None:
            if polled is not None:
                self._path_check.check(option, self._calls[option].placeholders[0], polled, profile.api_key)
            raise BackendError(Permanent(f"there is no URL to ask about the job ({option})", "no_result"))
        answer = self._last_words.of(operation.id) if option == "poll" else None
        answer = answer or await self._ask(self._calls[option].method, url, "poll", profile)
        word, told = value_at(answer.data, self._status), value_at(answer.data, self._job)
        last_word = self._words.is_last_word(word, answer.data, operation.id, told)
        of_job = polled is not None and tells_failure(answer, self._code, self._transient)
        if not (answer.ok or last_word or of_job) or (polled is not None and answer.data is None):
            self._fail(answer, "poll", profile)
        return answer

    async def _ask(self, method: str, url: httpx.URL, phase: Phase, profile: Profile) -> Answer:
        """Call a URL; only the profile's own server gets the key. A refusal elsewhere says nothing about it."""
        key, most = profile.api_key, MAX_INLINE_BYTES
        if self._urls.is_home(url, profile):
            return await self._pool.call(method, url, phase, key, headers=self._headers, max_bytes=most)
        answer = await self._pool.call(method, url, phase, key, public=True, max_bytes=most)
        if not answer.ok:
            reason = f"HTTP {answer.status} from {url.host}, to which no key is sent"
            raise BackendError(Transient(redacted_line(reason, key)))
        return answer

    def _unreadable(self, option: str, path: JsonPath, answer: Answer, phase: Phase, profile: Profile) -> Failure:
        """Return what an answer without a value at a path is; raise `InputError` if no answer ever had one."""
        failure = self.classify(answer, phase, profile)
        if isinstance(failure, Ambiguous | Transient):
            self._path_check.check(option, path, answer, profile.api_key)
        return failure

    def _fail(self, answer: Answer, phase: Phase, profile: Profile) -> NoReturn:
        raise BackendError(self.classify(answer, phase, profile))
