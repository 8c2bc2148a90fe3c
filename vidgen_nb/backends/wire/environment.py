"""What the environment says of proxies and certificates, looked at before anything is sent.

httpx reads these variables when a client is made, and fails in its own words, or in those of `ssl`, which name neither
the variable nor the file. A variable that can't work is refused here with its name.
"""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx

from vidgen_nb.backends.wire.urls import is_loopback, usable_url
from vidgen_nb.core.outcomes import Transient
from vidgen_nb.errors import InputError
from vidgen_nb.machine.local_trouble import local_trouble
from vidgen_nb.plaintext import one_line
from vidgen_nb.ports import BackendError

__all__ = ["check_environment", "checked_ca", "needs_of", "proxy_of", "tls_context", "unread_certificates"]

_PROXY_SCHEMES: Final = ("http", "https")
_SOCKS_SCHEMES: Final = ("socks5", "socks5h")
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OF_OTHERS: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Certificates that other programs read."""
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.\d+")
"""How files are named in a folder of certificates: OpenSSL opens no other."""


def checked_ca(verify: object) -> str | None:
    """Return the absolute path of a private CA's file, None for `True`; `InputError` for anything else."""
    if verify is True:
        return None
    if not isinstance(verify, str | os.PathLike) or not str(verify).strip():
        raise InputError(
            f"verify must be True, or the path of your CA's certificates (PEM), not {verify!r:.80}: without a check "
            "anybody between here and the server could read the key. For a self-signed server give its certificate"
        )
    path = Path(verify).expanduser().absolute()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        problem = f"verify: {one_line(str(path), 200)!r} has no usable certificates ({_why(error)})"
        raise InputError(f"{problem}: give a PEM file") from None
    return str(path)


def tls_context(ca: str | None) -> ssl.SSLContext:
    """Return what TLS connections trust: SSL_CERT_FILE or SSL_CERT_DIR if set, else certifi's list; and `ca`, too."""
    context = httpx.create_ssl_context()
    if ca is not None:
        context.load_verify_locations(cafile=ca)
    return context


def needs_of(url: httpx.URL) -> tuple[bool, bool]:
    """Return whether connections to a URL use TLS, and whether they leave this machine."""
    return url.scheme == "https", not is_loopback(url.host)


def check_environment(*, tls: bool, remote: bool) -> None:
    """Raise `InputError` for a variable of the environment that can't work; it names the variable and what to do.

    `tls`: whether the server needs it; a proxy may, too. `remote`: whether proxies matter.
    """
    if tls or remote:
        _check_certificates(*map(os.environ.get, (*_CERTIFICATES, "SSLKEYLOGFILE")))
    if remote:
        _check_proxies(tuple(sorted(getproxies().items())))


def unread_certificates() -> str:
    """Return a hint at a variable with certificates that other programs read, with a `; ` before it, or nothing."""
    found = next((name for name in _OF_OTHERS if os.environ.get(name)), None)
    return "" if found is None else f"; {found} is set, but is not read here: its value would do"


def proxy_of(url: httpx.URL) -> str:
    """Return the proxy that the environment sets for a URL, and its variable, in words; an empty text without one."""
    proxies = getproxies()
    kind = next((kind for kind in (url.scheme, "all") if proxies.get(kind)), None)
    if kind is None or is_loopback(url.host) or proxy_bypass(url.host):
        return ""
    return f"the proxy {one_line(proxies[kind].rpartition('@')[2], 100)!r} of {_variable(f'{kind}_proxy')}"


@lru_cache(maxsize=8)
def _confirmed(cafile: str | None, capath: str | None, keylog: str | None) -> bool:
    httpx.create_ssl_context()
    return True


def _check_certificates(cafile: str | None, capath: str | None, keylog: str | None) -> None:
    name, value = next(
        ((n, v) for n, v in zip(_CERTIFICATES, (cafile, capath), strict=True) if v), ("SSLKEYLOGFILE", keylog or "")
    )
    advice = f"correct {name}, or unset it; certificates of your own can be given as verify="
    shown = f"{name} is {one_line(value, 200)!r}"
    if name == "SSL_CERT_DIR":
        folders = [each for each in map(Path, value.split(os.pathsep)) if each.is_dir()]
        if not folders:
            raise InputError(f"{shown}, which is no folder: {advice}")
        if not any(map(_has_hashed_files, folders)):
            raise InputError(f"{shown}, in which no file is named by a hash, as `openssl rehash` does it: {advice}")
    if name == "SSL_CERT_FILE" and not Path(value).is_file():
        raise InputError(f"{shown}, which is no file: {advice}")
    try:
        _confirmed(cafile, capath, keylog)
    except (OSError, ssl.SSLError) as error:
        if trouble := local_trouble(error):
            raise BackendError(Transient(trouble, local=True)) from None
        raise InputError(f"{shown}, which can't be used ({_why(error)}): {advice}") from None


def _has_hashed_files(folder: Path) -> bool:
    try:
        return any(_HASHED.fullmatch(each.name) for each in folder.iterdir())
    except OSError:  # it can't be listed: OpenSSL opens its files by name
        return True


@lru_cache(maxsize=8)
def _check_proxies(found: tuple[tuple[str, str], ...]) -> None:
    proxies = dict(found)
    for kind in ("all", "https", "http"):
        address = proxies.get(kind, "")
        problem = _problem_of_proxy(address) if address else None
        if problem is not None:
            name = _variable(f"{kind}_proxy")
            raise InputError(f"{name}: {problem}. Set it to an address such as http://127.0.0.1:8080, or unset it")
    for host in filter(None, map(str.strip, proxies.get("no", "").split(","))):
        if _is_no_pattern(host):
            plain = host.strip("[]").partition("]")[0].partition("/")[0]
            do = f"write {one_line(plain, 80)!r}, without brackets and port" if ":" in plain else "leave it out"
            raise InputError(f"{_variable('no_proxy')} has {one_line(host, 80)!r}, at which connections fail: {do}")
    try:
        # nothing is sent: it reads the variables, as every client does
        httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    except Exception as error:  # noqa: BLE001 - whatever httpx thinks of them
        names = ", ".join(_variable(f"{kind}_proxy") for kind in proxies)
        raise InputError(
            f"the proxy settings of the environment can't be used ({type(error).__name__}); correct one of {names}"
        ) from None


def _is_no_pattern(host: str) -> bool:
    """Return whether httpx fails at the address that it makes of a host that needs no proxy."""
    is_ipv6 = host.partition("/")[0].count(":") > 1
    try:
        httpx.URL(host if "://" in host else f"all://[{host}]" if is_ipv6 else f"all://*{host}")
    except httpx.InvalidURL:
        return True
    return False


def _problem_of_proxy(address: str) -> str | None:
    """Say what is wrong with a proxy's address, without its user and password."""
    scheme, _, rest = address.partition("://") if "://" in address else ("http", "", address)
    shown = one_line(f"{scheme}://{rest.rpartition('@')[2]}", 100)
    if scheme.lower() in _SOCKS_SCHEMES:
        if importlib.util.find_spec("socksio") is None:
            return f"{shown!r} is a SOCKS proxy, for which the package socksio is missing (pip install httpx[socks])"
    elif scheme.lower() == "socks":
        return f"{shown!r}: 'socks' is no scheme of a proxy's address; write socks5:// (pip install httpx[socks])"
    elif scheme.lower() not in _PROXY_SCHEMES:
        return f"{shown!r}: {one_line(scheme, 20)!r} is no scheme of a proxy's address"
    if usable_url(f"http://{rest}") is None:
        return f"{shown!r} is no usable address of a proxy"
    return None


def _variable(name: str) -> str:
    """Return a variable's name as it is set: in capitals or not."""
    small, capitals = os.environ.get(name), os.environ.get(name.upper())
    return name if small and small != capitals else name.upper()


def _why(error: Exception) -> str:
    return one_line(getattr(error, "strerror", None) or type(error).__name__, 80)
