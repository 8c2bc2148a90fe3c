"""Addresses of this machine: which only it can reach, and at which others do."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["address_for_others", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_for_others() -> str:
    """Return the address at which others in the same network probably reach this machine; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()
