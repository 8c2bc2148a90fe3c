"""What a transport error means, and how its text is made safe to show."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import httpx

from vidgen_nb.backends.wire.redaction import redact
from vidgen_nb.core.outcomes import Ambiguous, Failure, ProfileUnusable, Transient
from vidgen_nb.local_trouble import local_trouble
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
    httpx.NetworkError,
    httpx.TimeoutException,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
)
HTTPX_ERRORS: Final = (TimeoutError, httpx.HTTPError, httpx.InvalidURL)
CERTIFICATE_ADVICE: Final = (
    'give your CA\'s certificates as verify="ca.pem" (--ca), or in SSL_CERT_FILE; or correct the address or this '
    "machine's clock"
)
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
    if _is_certificate_error(error):
        reason = f"the server's certificate is not trusted, nothing was sent ({detail}): {CERTIFICATE_ADVICE}"
        return ProfileUnusable(reason) if phase == "submit" else Transient(reason)
    timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)  # whatever failed here before, it was tried on
    trouble = "" if timed_out else local_trouble(error)
    if trouble and (phase != "submit" or isinstance(error, NOT_SENT_ERRORS)):
        return Transient(f"{trouble} ({what})", local=True)
    if isinstance(error, NOT_SENT_ERRORS):
        return Transient(f"no connection to the server, nothing was sent ({what})")
    if phase == "submit":
        return Ambiguous(f"the connection was lost after sending, the job may have been accepted ({what})")
    return Transient(f"the connection was lost during the {phase} ({what})")


def _is_certificate_error(error: BaseException | None) -> bool:
    """Return whether a connection failed for the server's certificate: by the error that it was raised for."""
    for _ in range(8):
        if error is None:
            return False
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


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
