"""LiteLLM's own proxy, installed into a folder of its own and started on loopback, in front of the emulator.

How it behaves (`litellm[proxy]` 1.108.7, run in front of the emulator):

- A job's id is the upstream's with provider, model and the deployment's 64 hexadecimal digits, in base64 after
  `video_`: 242 characters here. It is all that a poll needs, after a restart of the proxy as well. A poll about any
  other id goes to OpenAI's own servers, wherever the deployments are: here that is turned to the emulator.
- What it answers itself has `x-litellm-call-id` and `x-litellm-version`, errors too. `/content` answers and 405s have
  none of them. The upstream's own headers come as `llm_provider-...`, also `llm_provider-retry-after` and
  `llm_provider-retry-after-ms`; there is no `Retry-After`. The upstream's `openai-poll-after-ms` is dropped, and so is
  the client's `X-Client-Request-Id`.
- An error is `{"error": {message, type, param, code}}` with the status as a text in `code`; the upstream's JSON stands
  in `message` after `OpenAIException - `. A 429 is of type `throttling_error`, whether it is the upstream's or the
  proxy's own (`rpm` of the deployment, with `llm_provider-retry-after: 60`). 502 and 503 of the upstream keep their
  status; a `/content` that is not ready keeps its 404.
- 408 `litellm.Timeout` comes after the deployment's `timeout`, whatever the upstream has accepted. An upstream that
  can't be reached is a 500 `internal_server_error`, as is one whose connection breaks: the two look alike.
- With its defaults it retries by itself: a submit that the upstream refused with 503 went there three times in 8 s,
  and for a 429 the proxy waits the upstream's Retry-After before it answers, longer than a client's patience of 60 s.
  A scene may so be made after its client has gone. `num_retries: 0` turns both off, as here.
- An unknown model is a 400 that names it. `GET /v1/videos` is a 400 (`LLM Provider NOT provided`) for a good key; a bad
  one is a 401 only where it has a database, else a 400 (`No connected db.`). DELETE is a 405. `/v1/models` works.
- It is started within 3 to 15 s, and asks its upstream for `/v1/models` first.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType
from typing import Any, Final, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.first_use import first_use

__all__ = ["KEY", "MODEL", "LiteLLM", "installed"]

VERSION: Final = "1.108.7"
KEY: Final = "sk-litellm-master-1234"
MODEL: Final = "film"
"""What clients call the model; the proxy's upstream calls it `sora-2`."""
STARTUP: Final = 90.0
"""Seconds that it may take to start; eight on a quiet machine."""


def installed(folder: Path) -> Path:
    """Return the program in a virtual environment in this folder, made on first use; skip where it can't be had."""
    folder = folder / VERSION
    with first_use(folder) as is_missing:
        if is_missing:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder / "venv"], check=True)
            pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            done = subprocess.run([*pip, f"litellm[proxy]=={VERSION}"], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"litellm[proxy]=={VERSION} can't be installed: {done.stderr.strip()[-200:]}")
    return folder / "venv" / "bin" / "litellm"


class LiteLLM:
    """The proxy with one model, `film`, whose requests go to `upstream`; it runs for as long as the `with` block.

    `parameters`: more of the deployment's own, such as `timeout`. `settings`: more top-level sections of its
    configuration.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        upstream: str,
        upstream_key: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._program, self._upstream = program, upstream
        self._config, self._log = folder / "litellm.json", folder / "litellm.log"
        own = {"model": "openai/sora-2", "api_base": upstream, "api_key": upstream_key, **(parameters or {})}
        config = {
            "model_list": [{"model_name": MODEL, "litellm_params": own}],
            "litellm_settings": {"num_retries": 0},
            "general_settings": {"master_key": KEY},
            **(settings or {}),
        }
        self._config.write_text(json.dumps(config))  # JSON is YAML
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        """What a client takes."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it; again after `stop`, under the same address."""
        self.port = self.port or _free_port()
        # what it does not know it would ask OpenAI's own servers for: nothing may leave this machine
        nowhere = {"OPENAI_BASE_URL": self._upstream, "OPENAI_API_BASE": self._upstream}
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **nowhere,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it downloads its table of prices
            "NO_PROXY": "127.0.0.1",
        }
        command = [str(self._program), "--config", str(self._config), "--host", "127.0.0.1", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--telemetry", "False"], stdout=log, stderr=log, env=environment, start_new_session=True
            )
        until = perf_counter() + STARTUP
        while not self._is_alive():
            if self._process.poll() is not None or perf_counter() > until:
                self.stop()
                pytest.fail("litellm does not start: " + self.log[-2000:])
            sleep(0.1)

    def _is_alive(self) -> bool:
        try:
            with build_opener(ProxyHandler({})).open(
                f"http://127.0.0.1:{self.port}/health/liveliness", timeout=2
            ) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def stop(self) -> None:
        """End it, with all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
