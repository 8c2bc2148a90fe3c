"""The scenes of a run as a table: what each is, how it stands, and why it failed; with stills of the videos."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from vidgen_nb.analysis.records.builder import RunData, SceneRecord
from vidgen_nb.plaintext import one_line
from vidgen_nb.recording.posters import read_poster
from vidgen_nb.wording.standing import standing

__all__ = ["scene_table"]

MAX_SCENES = 400
"""Rows of the table; those that did not succeed come first if there are more scenes."""
MAX_POSTER_BYTES_IN_ALL = 300_000
_MARKS = {"succeeded": "✓", "failed": "✕", "held": "?", "cancelled": "–", "queued": "·"}


def scene_table(data: RunData, videos: Path | None, costs: Mapping[str, str]) -> str:
    """Return the table as HTML. `videos`: what the paths of videos are relative to. `costs`: by scene, where known."""
    scenes = data.scenes
    shown = scenes if len(scenes) <= MAX_SCENES else sorted(scenes, key=_has_succeeded)[:MAX_SCENES]
    posters = _posters(shown, videos)
    columns = ["Scene", "Prompt", "Status", "Account", "Tries", *(["Cost"] if costs else []), "Why"]
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "".join(_row(scene, posters.get(scene.id), costs) for scene in shown)
    more = len(scenes) - len(shown)
    note = f"<p>And {more:,} more that succeeded.</p>" if more else ""
    if more and not _has_succeeded(shown[-1]):
        note = f"<p>And {more:,} more: the recorded run has all.</p>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}'


def _has_succeeded(scene: SceneRecord) -> bool:
    return scene.status == "succeeded"


def _row(scene: SceneRecord, poster: bytes | None, costs: Mapping[str, str]) -> str:
    still = f'<img alt="" src="data:image/jpeg;base64,{b64encode(poster).decode()}">' if poster else ""
    error = scene.error if scene.status != "succeeded" else None
    cost = f"<td>{_text(costs.get(scene.id, ''), 40)}</td>" if costs else ""
    return (
        f'<tr class="{escape(standing(scene.status))}"><th scope="row">{_text(scene.id, 80)}</th>'
        f'<td class="prompt">{still}<span>{_text(scene.prompt, 300)}</span></td>'
        f'<td class="status">{_MARKS.get(scene.status, "▸")} {escape(standing(scene.status))}</td>'
        f"<td>{_text(scene.profile or '', 60)}</td><td>{scene.attempts or ''}</td>{cost}"
        f"<td>{_text(error or '', 300)}</td></tr>"
    )


def _text(text: str, limit: int) -> str:
    return escape(one_line(text, limit))


def _posters(scenes: Sequence[SceneRecord], videos: Path | None) -> dict[str, bytes]:
    """Return the stills of scenes that have one, as many as the page has room for."""
    found: dict[str, bytes] = {}
    left = MAX_POSTER_BYTES_IN_ALL
    for scene in scenes:
        if scene.path is not None and (still := read_poster((videos or Path()) / scene.path)) is not None:
            left -= len(still)
            if left < 0:
                break
            found[scene.id] = still
    return found
