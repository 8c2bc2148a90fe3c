"""TLS that fails or breaks, and proxies that refuse: what it means, and what a person can do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer
from tests.backends.openai.mocked_videos import ALICE, JOB, refusal, submit
from tests.fakes import MemorySink
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.transport_errors import transport_failure
from vidgen_nb.core.model import Artifact, Scene
from vidgen_nb.core.outcomes import Ambiguous, Failure, ProfileUnusable, Transient
from vidgen_nb.ports import BackendError, Profile

Call = Callable[[OpenAIVideos], Coroutine[Any, Any, object]]
CALLS: dict[str, Call] = {
    "submit": submit,
    "poll": lambda backend: backend.poll(JOB, ALICE),
    "fetch": lambda backend: backend.fetch(JOB, Artifact("with_key"), ALICE, MemorySink()),
}


def ssl_error(reason: str) -> ssl.SSLError:
    """Return an error as OpenSSL gives it."""
    error = ssl.SSLError(1, f"[SSL: {reason}] it failed (_ssl.c:1)")
    error.reason = reason
    return error


def unconnected(error: Exception) -> httpx.ConnectError:
    """Return an error of a handshake as httpx gives it."""
    found = httpx.ConnectError(str(error))
    found.__cause__ = error
    return found


NOWHERE_ELSE = httpx.Response(200, json={"status": "completed"})
"""Where else a result is that can't be downloaded: the job is asked."""


class BrokenStream(httpx.AsyncByteStream):
    """A body in whose middle a record can't be decrypted."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin, and break."""
        yield b"\0\0\0\x18ftypmp42"
        raise ssl_error("DECRYPTION_FAILED_OR_BAD_RECORD_MAC")


@pytest.mark.parametrize(("phase", "kind"), [("submit", Ambiguous), ("poll", Transient), ("fetch", Transient)])
@pytest.mark.parametrize("reason", ["DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "WRONG_VERSION_NUMBER"])
def test_a_connection_that_breaks_in_tls(phase: str, kind: type[Failure], reason: str) -> None:
    """It is lost as any other; httpx does not translate it, and a bug of the backend would end the run."""
    server = MockServer(ssl_error(reason), NOWHERE_ELSE)
    assert isinstance(refusal(server, CALLS[phase]), kind)


def test_a_download_that_breaks_in_tls() -> None:
    """In its middle, too."""
    server = MockServer(httpx.Response(200, stream=BrokenStream(), headers={"Content-Type": "video/mp4"}), NOWHERE_ELSE)
    assert isinstance(refusal(server, CALLS["fetch"]), Transient)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (unconnected(ssl_error("UNSUPPORTED_PROTOCOL")), "no version of TLS is common"),
        (unconnected(ssl_error("SSLV3_ALERT_HANDSHAKE_FAILURE")), "client's certificate"),
        (ssl_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "client's certificate"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "a user and a password"),
    ],
)
def test_what_no_second_try_mends(error: Exception, words: str) -> None:
    """It costs no scene anything: the profile is out until it is mended, and it is said what to do."""
    found = transport_failure(error, "submit")
    assert isinstance(found, ProfileUnusable) and words in found.reason and "nothing was sent" in found.reason
    assert isinstance(transport_failure(error, "poll"), Transient)


def test_https_to_a_server_without_tls() -> None:
    """The address is wrong, not the scene; over a real connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(9)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def go() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        backend = OpenAIVideos(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        async with server:
            try:
                await backend.submit(Scene("s", "a fox"), Profile("alice", "sk-1"))
            finally:
                await backend.aclose()

    with pytest.raises(BackendError) as caught:
        asyncio.run(go())
    assert isinstance(caught.value.outcome, ProfileUnusable)
    assert "write http:// in the address" in caught.value.outcome.reason


def test_a_server_that_speaks_something_else() -> None:
    """An answer that is no HTTP, such as a TLS alert, leaves a submit in doubt, with a hint at the address."""
    found = transport_failure(httpx.RemoteProtocolError("illegal request line"), "submit")
    assert isinstance(found, Ambiguous) and "does it speak https:// there?" in found.reason


def test_the_proxy_that_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that failed names it and its variable, without its password; not where none is used."""
    monkeypatch.setenv("HTTPS_PROXY", "http://alice:hunter2@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", ".local.example")

    def reason(url: str) -> str:
        error = httpx.ConnectError("All connection attempts failed", request=httpx.Request("GET", url))
        return transport_failure(error, "submit").reason

    assert "through the proxy '127.0.0.1:9' of HTTPS_PROXY, nothing was sent" in reason("https://videos.example/v1")
    assert "hunter2" not in reason("https://videos.example/v1")
    for url in ("http://videos.example/v1", "https://a.local.example/v1", "https://127.0.0.1/v1"):
        assert "no connection to the server, nothing was sent" in reason(url)


def test_certificates_that_other_programs_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """REQUESTS_CA_BUNDLE has no effect here: it is said where a certificate is not trusted."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.delenv(name, raising=False)
    error = unconnected(ssl.SSLCertVerificationError("certificate verify failed"))
    assert "not read here" not in transport_failure(error, "submit").reason
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ca.pem")
    assert "REQUESTS_CA_BUNDLE is set, but is not read here" in transport_failure(error, "submit").reason
