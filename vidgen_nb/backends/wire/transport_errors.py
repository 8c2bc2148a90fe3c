"""What a transport error means, and how its text is made safe to show."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import httpx

from vidgen_nb.backends.wire.environment import proxy_of, unread_certificates
from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.core.outcomes import Ambiguous, Failure, ProfileUnusable, Transient
from vidgen_nb.machine.local_trouble import local_trouble
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import BackendError, Secret

__all__ = [
    "HTTPX_ERRORS",
    "TRANSPORT_ERRORS",
    "Phase",
    "before_sending",
    "redacted_line",
    "reraisable",
    "transport_failure",
]

Phase = Literal["submit", "poll", "fetch", "cancel"]
TRANSPORT_ERRORS: Final = (
    TimeoutError,  # our own deadline; httpx raises others
    ssl.SSLError,  # httpx lets those of a connection that stands through as they are
    httpx.NetworkError,
    httpx.TimeoutException,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
)
HTTPX_ERRORS: Final = (TimeoutError, ssl.SSLError, httpx.HTTPError, httpx.InvalidURL)
CERTIFICATE_ADVICE: Final = (
    'give your CA\'s certificates as verify="ca.pem" (--ca), or in SSL_CERT_FILE; or correct the address or this '
    "machine's clock"
)
PROXY_ADVICE: Final = "write them into its address, as in http://user:password@proxy:8080"
_NO_TLS: Final = ("the server does not speak TLS there", "write http:// in the address, or correct its port")
_NO_HTTP: Final = "illegal request line"
"""What h11 says of an answer that begins as none does in HTTP, such as a TLS alert."""
_OTHER_TLS: Final = ("no version of TLS is common with the server", "have it speak TLS 1.2 or later")
_CLIENT_CERTIFICATE: Final = (
    "the server refuses the TLS connection, probably for want of a client's certificate",
    "give one in transport=httpx.AsyncHTTPTransport(verify=an ssl.SSLContext that has it)",
)
_TLS_ADVICE: Final = {
    "WRONG_VERSION_NUMBER": _NO_TLS, "HTTP_REQUEST": _NO_TLS, "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OTHER_TLS, "TLSV1_ALERT_PROTOCOL_VERSION": _OTHER_TLS,
    "NO_PROTOCOLS_AVAILABLE": _OTHER_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _CLIENT_CERTIFICATE, "SSLV3_ALERT_HANDSHAKE_FAILURE": _CLIENT_CERTIFICATE,
    "SSLV3_ALERT_BAD_CERTIFICATE": _CLIENT_CERTIFICATE, "TLSV1_ALERT_UNKNOWN_CA": _CLIENT_CERTIFICATE,
}  # fmt: skip
"""By OpenSSL's reason: problems of the set-up, which no second try mends."""
NOT_SENT_ERRORS: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@contextmanager
def before_sending() -> Iterator[None]:
    """Turn trouble of this machine, before anything is sent, into a `BackendError` that counts against nobody."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if trouble := local_trouble(error):
            raise BackendError(Transient(f"{trouble} (nothing was sent)", local=True)) from None
        raise


def redacted_line(text: str, key: Secret | None = None, limit: int = 200) -> str:
    """Make foreign text safe for a log: without key, control and bidi characters, one line, at most `limit` long."""
    # redacted before it is cut: half a key is a leak, too; what nobody sees may stand inside a key, and goes first
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char.isspace())
    return one_line(redact(text, key), limit)


def transport_failure(error: Exception, phase: Phase, key: Secret | None = None) -> Failure:
    """Classify a transport error: `Ambiguous` for a submit that may have arrived (R12), else `Transient` (R9).

    Trouble of this machine is said as such, and counts against nobody.
    """
    detail = redacted_line(str(error), key, 120)
    what = type(error).__name__ + (f": {detail}" if detail else "")
    what += "; does it speak https:// there?" if detail == _NO_HTTP else ""
    proxy = _proxy_of(error)
    if (advice := _advice_on_tls(error)) is not None:
        reason = f"{advice[0]}, nothing was sent ({detail}): {advice[1]}"
        reason += f"; connections go through {proxy}" if proxy else ""
        return ProfileUnusable(reason) if phase == "submit" else Transient(reason)
    if isinstance(error, httpx.ProxyError) and "407" in str(error).split():
        reason = f"{proxy or 'the proxy'} wants a user and a password, nothing was sent ({what}): {PROXY_ADVICE}"
        return ProfileUnusable(reason) if phase == "submit" else Transient(reason)
    timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)  # whatever failed here before, it was tried on
    trouble = "" if timed_out else local_trouble(error)
    if trouble and (phase != "submit" or isinstance(error, NOT_SENT_ERRORS)):
        return Transient(f"{trouble} ({what})", local=True)
    if isinstance(error, NOT_SENT_ERRORS):
        where = f"through {proxy}" if proxy else "to the server"
        return Transient(f"no connection {where}, nothing was sent ({what})")
    if phase == "submit":
        return Ambiguous(f"the connection was lost after sending, the job may have been accepted ({what})")
    return Transient(f"the connection was lost during the {phase} ({what})")


def _advice_on_tls(error: BaseException) -> tuple[str, str] | None:
    """Return what is wrong and what to do where a connection can't come about, or None.

    Told by the error that it was raised for. With TLS 1.3 a server refuses a client's certificate only afterwards.
    """
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return "the server's certificate is not trusted", CERTIFICATE_ADVICE + unread_certificates()
        found = _TLS_ADVICE.get(each.reason or "") if isinstance(each, ssl.SSLError) else None
        if found is _CLIENT_CERTIFICATE or (found is not None and isinstance(error, NOT_SENT_ERRORS)):
            return found
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _proxy_of(error: Exception) -> str:
    """Return which proxy a failed request went through, in words, or an empty text."""
    try:
        return proxy_of(error.request.url) if isinstance(error, httpx.RequestError) else ""
    except RuntimeError:  # it has no request
        return ""


def reraisable(error: Exception, phase: Phase, key: Secret | None) -> Exception:
    """Return what to raise `from None` instead of an error of httpx, which itself must not get out.

    Its text may quote what the server echoed, and the frames of its traceback hold the headers that were sent.
    """
    if isinstance(error, TRANSPORT_ERRORS):
        return BackendError(transport_failure(error, phase, key))
    if isinstance(error, RuntimeError):
        trouble = local_trouble(error)
        return BackendError(Transient(f"{trouble} (nothing was sent)", local=True)) if trouble else error
    return RuntimeError(redacted_line(f"httpx: {type(error).__name__}: {error}", key))
