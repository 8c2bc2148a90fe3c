"""The provider model served over HTTP, in the wire format of a real API, on loopback only."""

from vidgen_nb.emulator.app import SCENE_HEADER, RequestRecord
from vidgen_nb.emulator.server import Emulator

__all__ = ["SCENE_HEADER", "Emulator", "RequestRecord"]
