"""An emulator that is served over HTTP while the test holds its clock, and official clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from vidgen_nb.clock import Clock
from vidgen_nb.emulator import Emulator
from vidgen_nb.provider import SimulatedProfile

__all__ = ["ServedEmulator", "serve"]


class Closable(Protocol):
    """A client of an SDK."""

    def close(self) -> None:
        """Close its connections."""


Client = TypeVar("Client", bound=Closable)


class ServedEmulator(Generic[Client]):
    """A served emulator; `now` is its time, which only the test moves; `client` makes SDK clients for it."""

    def __init__(self, make_client: Callable[..., Client], profiles: tuple[SimulatedProfile, ...], **options: Any):
        self.now = 1000.0
        self.emulator = Emulator(
            profiles or [SimulatedProfile("p1")], clock=Clock(monotonic=lambda: self.now), **options
        )
        self._make_client = make_client
        self._clients: list[Client] = []

    @property
    def root(self) -> str:
        """The base URL without the version, as some SDKs want it."""
        return self.emulator.base_url.removesuffix("/v1")

    def client(self, key: str = "sk-emulated-p1", **options: Any) -> Client:
        """Return an official client with a key."""
        client = self._make_client(self, key, **options)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            client.close()


@contextmanager
def serve(
    make_client: Callable[..., Client], *profiles: SimulatedProfile, **options: Any
) -> Iterator[ServedEmulator[Client]]:
    """Serve an emulator; `make_client(service, key, **options)` makes an SDK client for it."""
    service = ServedEmulator(make_client, profiles, **options)
    with service.emulator:
        try:
            yield service
        finally:
            service.close()
