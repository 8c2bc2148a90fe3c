"""Variables of proxies and certificates that can't work are refused by their names, before anything is sent."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx
import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.backends.wire.environment import check_environment
from vidgen_nb.backends.wire.transport_errors import transport_failure
from vidgen_nb.core.model import Scene
from vidgen_nb.core.outcomes import ProfileUnusable, Transient
from vidgen_nb.errors import InputError
from vidgen_nb.ports import Profile

NAMES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def check(base_url: str) -> None:
    """Do what a session does before it queues a scene."""
    backend = OpenAIVideos(base_url)
    backend.check(Profile("alice", "sk-1"))
    backend.with_absolute_paths(Scene("s", "a fox"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:9/"), ("all_proxy", "socks4://127.0.0.1:9"), ("HTTP_PROXY", "ftp://x:1"),
        ("HTTPS_PROXY", "http://proxy:99999"), ("HTTPS_PROXY", "http://"), ("https_proxy", "http://[::1"),
        ("NO_PROXY", "localhost,[::1]"), ("no_proxy", "[::1]:8000"), ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("NO_PROXY", "10.0.0.0/8,fe80::/10"), ("NO_PROXY", "host:port"), ("no_proxy", "exämple.de"),
        ("SSL_CERT_DIR", "/no/such/folder"), ("SSL_CERT_DIR", "/no/such:/folder"), ("SSL_CERT_FILE", __file__),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_work(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=variable):
        check("https://videos.invalid/v1")


def test_a_folder_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL finds them by their hashed names only, in one folder or in several; others may be missing."""
    (tmp_path / "ca.pem").write_text("a certificate")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"SSL_CERT_DIR is .* named by a hash, as `openssl rehash` does it"):
        check("https://videos.invalid/v1")
    (tmp_path / "0a1b2c3d.0").write_text("a certificate")
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(["/no/such/folder", str(tmp_path)]))
    check("https://videos.invalid/v1")


def test_a_proxys_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is, without user and password."""
    monkeypatch.setenv("ALL_PROXY", "socks4://alice:hunter2@127.0.0.1:9")
    with pytest.raises(InputError) as found:
        check("https://videos.invalid/v1")
    assert "127.0.0.1:9" in str(found.value) and "hunter2" not in str(found.value)


def test_what_works_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies with and without a scheme, hosts that need none, and what a server on loopback never uses."""
    monkeypatch.setenv("HTTPS_PROXY", "127.0.0.1:8080")
    monkeypatch.setenv("NO_PROXY", "localhost, ::1, 10.0.0.0/8, .example")
    check("https://videos.invalid/v1")
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:9/")
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    check("http://127.0.0.1:8000/v1")
    with pytest.raises(InputError, match="SSL_CERT_FILE"):
        check_environment(tls=True, remote=False)


@pytest.mark.parametrize("verify", [False, "", 3, "/no/such/ca.pem", __file__])
def test_a_ca_that_is_none(verify: object) -> None:
    """Not to check certificates at all is no option: the key would go to anybody."""
    with pytest.raises(InputError, match="verify"):
        OpenAIVideos(verify=verify)  # type: ignore[arg-type]


def test_a_certificate_that_is_not_trusted() -> None:
    """It is said so, and costs no scene anything: the profile is out until it is mended."""
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    found = transport_failure(error, "submit")
    assert isinstance(found, ProfileUnusable) and "verify=" in found.reason and "certificate" in found.reason
    assert isinstance(transport_failure(error, "poll"), Transient)
