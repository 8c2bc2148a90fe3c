"""What a run offers of replays; widgets and their libraries are imported when they are asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.records.model import RunData

if TYPE_CHECKING:
    from vidgen_nb.replay.widget import Replay

__all__ = ["Replays"]


class Replays:
    """Replays of records, for `run.Run`, which has them."""

    @property
    def data(self) -> RunData:
        """The records that charts and analysis read."""
        raise NotImplementedError

    def replay(self, *, speed: float | None = None, **options: Any) -> Replay:
        """Return the run as a widget that plays in the page (`replay.widget.Replay`); a run under way as it is now.

        `speed`: run seconds per second; default: the whole run in at most 45 s. `after`, `until`: show a part of the
        run, in run seconds; more than 10,000 attempts need that. `limits`: what a live run's accounts admit, by profile
        or quota group, such as `{"alice": TokenBucket(4, per=60)}`, for the gauges; otherwise these show what the
        answers reveal. `title`: default: the run's name. Raises `InputError` for anything else.
        """
        from vidgen_nb.charts.gantt.svg import svg
        from vidgen_nb.replay.columns import replay_columns
        from vidgen_nb.replay.widget import Replay

        data = self.data
        return Replay(replay_columns(data, **options), speed=speed, picture=lambda: svg(data))

    def write_replay(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Write the replay as one HTML page that needs nothing else, and return its path; options as in `replay`.

        It opens from a mail, without a network. It holds the ids of scenes, the beginning of their prompts, the names
        of profiles and the providers' reasons; no keys. Raises `InputError` for a path that can't be written.
        """
        from vidgen_nb.replay.columns import replay_columns
        from vidgen_nb.replay.file import write_page

        return write_page(path, replay_columns(self.data, **options))
