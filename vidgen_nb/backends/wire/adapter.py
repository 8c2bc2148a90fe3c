"""What the adapters have in common beside the transport: their settings, and checks of what is given and answered."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from vidgen_nb.backends.wire.http import Answer, HttpPool
from vidgen_nb.backends.wire.images import absolute_path
from vidgen_nb.backends.wire.retry_after import parse_http_date
from vidgen_nb.backends.wire.urls import usable_url
from vidgen_nb.clock import Clock
from vidgen_nb.core.model import PollSchedule, Scene
from vidgen_nb.core.outcomes import Permanent
from vidgen_nb.errors import InputError
from vidgen_nb.ports import BackendError, Profile

__all__ = [
    "HttpAdapter",
    "check_schedule",
    "check_unicode",
    "form_text",
    "fraction",
    "header_safe",
    "is_usable_id",
    "json_object",
    "server_epoch",
]

MAX_ID_CHARS: Final = 512


class HttpAdapter:
    """The part of a backend that is the same for every wire format over HTTP.

    `base_url`: up to and with the version; a profile's own comes first. `model`: of scenes that name none. `poll`: when
    jobs are asked about, in run seconds. `timeout`: wall seconds a server may be silent. `transport`: any httpx
    transport, such as `ASGITransport`, in place of the network. Raises `InputError` for what cannot work.
    """

    name: str
    key_header: str = "Authorization"
    """The header that carries the key; in `Authorization` it stands as a bearer token, elsewhere alone."""
    key_scheme: str | None = None
    """The word before the key, where it is another one."""
    image_parameters: Collection[str] = ()
    """Those of a scene that may hold an image's path."""

    def __init__(
        self,
        base_url: str,
        model: str | None,
        *,
        poll: PollSchedule | None,
        timeout: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        if model is not None and (not isinstance(model, str) or not model.strip()):
            raise InputError(f"model is a non-empty text or None, not {model!r}")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            raise InputError(f"timeout must be more than 0 seconds, and finite, not {timeout!r}")
        check_schedule("poll", poll)
        _check_base_url(base_url)
        self.base_url = base_url
        self.model = model
        self.poll_schedule = poll or PollSchedule()
        self._pool = HttpPool(
            timeout=timeout, transport=transport, key_header=self.key_header, key_scheme=self.key_scheme
        )
        self._clock = Clock()

    def check(self, profile: Profile) -> None:
        """Raise `InputError` if the profile has no key, one that no header can carry, or an unusable base_url."""
        if not all("!" <= c <= "~" for c in profile.api_key.reveal()):
            raise InputError(
                f"profile {profile.name!r}: the API key has spaces, line breaks or other characters that can't be sent "
                "in a header; copy it again"
            )
        _check_base_url(profile.base_url or self.base_url)

    def with_absolute_paths(self, scene: Scene) -> Scene:
        """Return the scene with its images' paths absolute: the current folder may be another when it is sent."""
        given = {name: scene.params[name] for name in self.image_parameters if name in scene.params}
        found = {name: self._absolute(image) for name, image in given.items()}
        return scene if found == given else Scene(scene.id, scene.prompt, **{**scene.params, **found})

    def _absolute(self, image: object) -> object:
        return absolute_path(image)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    def settings(self) -> Mapping[str, Any]:
        """Return what a run's header says about the backend."""
        poll = {name: getattr(self.poll_schedule, name) for name in ("first", "factor", "longest", "shortest")}
        return {"name": self.name, "base_url": self.base_url, "model": self.model, "poll": poll}

    def _address(self, profile: Profile, *path: str) -> httpx.URL:
        """Return the URL of a path under the profile's base_url; its parts are quoted."""
        base = (profile.base_url or self.base_url).rstrip("/")
        return httpx.URL("/".join((base, *(quote(part, safe="") for part in path))))

    def _now_epoch(self) -> float:
        return self._clock.epoch + self._clock.now()


def check_schedule(option: str, schedule: object) -> None:
    """Raise `InputError` for what is no schedule of polls."""
    if schedule is not None and not isinstance(schedule, PollSchedule):
        raise InputError(f"{option} is a PollSchedule(...) or None, not {schedule!r}")


def _check_base_url(base_url: str) -> None:
    """Raise `InputError` where requests can't be built on a base_url; the text shows no password in it."""
    url = usable_url(base_url)
    if url is None or url.query or url.fragment:
        raise InputError("base_url is an address such as http://127.0.0.1:8000/v1, without a query; this one is not")
    if url.userinfo:
        raise InputError(f"base_url of {url.host} holds a user or password: the key belongs into the profile")


def server_epoch(answer: Answer, now_epoch: float) -> float:
    """Return the epoch seconds that an answer's dates count from: the server's own clock where it tells it."""
    date = parse_http_date(answer.header("date"))
    return now_epoch if date is None else date


def json_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer, an empty one where it holds something else."""
    return answer.data if isinstance(answer.data, dict) else {}


def fraction(progress: object, whole: float = 1.0) -> float | None:
    """Return 0 to 1 of a progress out of `whole`; None where it is no number."""
    if isinstance(progress, bool) or not isinstance(progress, int | float) or progress != progress:
        return None
    return min(max(progress, 0.0), whole) / whole


def is_usable_id(found: object) -> bool:
    """Return whether a job id can stand in a URL: a dot segment would be another address."""
    if isinstance(found, int) and not isinstance(found, bool):
        return True
    return isinstance(found, str) and 0 < len(found) <= MAX_ID_CHARS and found.strip(".") != "" and found.isprintable()


def check_unicode(content: object) -> None:
    """Raise `BackendError` where JSON holds text that UTF-8 can't carry: half a surrogate pair."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BackendError(Permanent("the prompt or a parameter is no valid Unicode text")) from None


def form_text(value: object) -> str:
    """Return a form's field: text as it is, the rest as JSON; 4 of 4.0, for a DataFrame makes that of a 4."""
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def header_safe(scene_id: str) -> str:
    """Return a scene id for a header: as it is where it is plain ASCII, else percent-encoded; at most 512 long."""
    plain = all(" " <= c <= "~" and c != "%" for c in scene_id) and scene_id == scene_id.strip()
    return (scene_id if plain else quote(scene_id, errors="backslashreplace"))[:MAX_ID_CHARS]
