"""What the scheduler wants done. A driver carries these out and feeds the result back as an event."""

from __future__ import annotations

from vidgen_nb.core.model import Artifact, Operation, Scene, record

__all__ = ["Cancel", "Command", "Fetch", "Poll", "Submit"]


@record
class Submit:
    """Send the scene; answer with `Accepted` or `CallFailed`."""

    scene: Scene
    number: int
    profile: str


@record
class Poll:
    """Ask about the job; answer with `Progressed`, `Generated`, `JobFailed` or `CallFailed`."""

    scene: Scene
    number: int
    profile: str
    operation: Operation


@record
class Fetch:
    """Fetch the result; answer with `Fetched` or `CallFailed`."""

    scene: Scene
    number: int
    profile: str
    operation: Operation
    artifact: Artifact


@record
class Cancel:
    """Cancel the job; answer with `CancelAnswered` or `CallFailed`."""

    scene: Scene
    number: int
    profile: str
    operation: Operation


Command = Submit | Poll | Fetch | Cancel
