"""What an interaction says of its job: how far it is, and where its video is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx

from vidgen_nb.backends.google.errors import is_content, job_failure
from vidgen_nb.backends.wire.http import redacted_line
from vidgen_nb.backends.wire.jobs.status_words import StatusWords, word_of
from vidgen_nb.backends.wire.reading.error_body import tells_error
from vidgen_nb.backends.wire.urls import origin, usable_url
from vidgen_nb.core.model import Artifact
from vidgen_nb.core.outcomes import Cancelled, Permanent, ProfileUnusable
from vidgen_nb.ports import Progress, Secret

__all__ = ["BACKEND_NAME", "artifact_of", "download_url", "no_video", "read_progress", "video_of"]

BACKEND_NAME: Final = "google_interactions"
_FILE_PATH: Final = re.compile(r"(.*/files/[^/:]+)(?::download)?")
_DEAD_END_STATUSES: Final = {
    "incomplete": "the job ended before it had a video",
    "requires_action": "the model waits for a tool's result that nobody gives",
    "requires_continuation": "the job stopped half-way and waits to be continued",
    "idle": "the job waits for more input that nobody gives",
}


def read_progress(
    found: Mapping[str, Any], key: Secret, home: httpx.URL, words: StatusWords | None = None, job: str = ""
) -> Progress:
    """Return the progress of an interaction.

    One that is completed and names no video that can be fetched is done, and paid for: the fetch asks for it again.
    `home`: the API's URL, from which results are fetched with the key. `words`: what remembers words that nobody knows.
    """
    table = words or StatusWords(BACKEND_NAME)
    word, errors = (word_of(found.get("status")) or "").strip().lower(), _errors(found)
    if word in _DEAD_END_STATUSES:
        dead_end = Permanent(_DEAD_END_STATUSES[word], "no_result")
        return Progress("failed", outcome=job_failure(errors, key) if errors else dead_end)
    status = table.status(found.get("status"), errors, key, job)
    if status == "succeeded":
        if errors and video_of(found) is None:
            reason = job_failure(errors, key, "completed without a video").reason
            return Progress("failed", outcome=Permanent(reason, "content" if is_content(errors) else "no_result"))
        return Progress("succeeded", 1.0, artifact=artifact_of(found, home) or Artifact("inline"))
    if status == "cancelled":
        return Progress("cancelled", outcome=Cancelled("cancelled at the provider"))
    if word == "budget_exceeded":
        return Progress("failed", outcome=ProfileUnusable("the job exceeded the project's budget", "credit"))
    return Progress("failed", outcome=job_failure(errors, key)) if status == "failed" else Progress(status)


def artifact_of(found: Mapping[str, Any], home: httpx.URL) -> Artifact | None:
    """Return where the video of an interaction is, or None if it names none that can be fetched."""
    video = video_of(found) or {}
    if isinstance(video.get("data"), str) and video["data"]:
        return Artifact("inline")
    url = download_url(video.get("uri"), home)
    if url is None:
        return None
    return Artifact("with_key" if origin(url) == origin(home) else "public", str(url))


def no_video(found: Mapping[str, Any], key: Secret) -> Permanent:
    """Return why there is nothing to fetch of an interaction that is completed."""
    place = (video_of(found) or {}).get("uri")
    where = f"its video is at {redacted_line(str(place), key, 200)}, which can't be fetched from here"
    return Permanent(where if place else "completed without a video", "no_result")


def video_of(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the last video among the model's outputs; not those of the input."""
    steps = found.get("steps")
    contents: list[object] = []
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and step.get("type") != "user_input" and isinstance(step.get("content"), list):
            contents += step["content"]
    contents = contents or [found.get("output_video")]
    videos = [each for each in contents if isinstance(each, dict) and each.get("type") == "video"]
    return next((video for video in reversed(videos) if video.get("data") or video.get("uri")), None)


def _errors(found: Mapping[str, Any]) -> list[object]:
    """Return the errors in `error`, `errors[]` and `steps[].error`."""
    errors, steps = found.get("errors"), found.get("steps")
    errors_found = [found.get("error"), *(errors if isinstance(errors, list) else ())]
    errors_found += [step.get("error") for step in (steps if isinstance(steps, list) else ()) if isinstance(step, dict)]
    return [error for error in errors_found if tells_error(error)]


def download_url(uri: object, home: httpx.URL) -> httpx.URL | None:
    """Return the URL to download a result from, for a file of the Files API that of its content; None: unusable."""
    url = usable_url(uri)
    if url is None:
        return None
    file = _FILE_PATH.fullmatch(url.path) if origin(url) == origin(home) else None
    return url.copy_with(path=f"{file[1]}:download", params={"alt": "media"}) if file else url
