"""Text of others that would do harm if it were taken for markup."""

from __future__ import annotations

from dataclasses import replace

from vidgen_nb.analysis.records.builder import RunData

__all__ = ["PAYLOAD", "hostile"]

PAYLOAD = (
    '<img src=x onerror="window.stolen=1"><a href="javascript:window.stolen=1">x</a>'
    "</script><script>window.stolen=1</script>"
)


def hostile(run: RunData) -> RunData:
    """Return the run with a payload wherever text of others stands."""
    bad = PAYLOAD + "{0}"
    names = {name: bad.format(name) for name in run.profiles}
    ids = {scene.id: bad.format(scene.id) for scene in run.scenes}
    return replace(
        run,
        profiles=list(names.values()),
        scenes=[replace(s, id=ids[s.id], prompt=PAYLOAD) for s in run.scenes],
        attempts=[replace(a, scene=ids[a.scene], profile=names[a.profile], reason=PAYLOAD) for a in run.attempts],
        cooldowns=[replace(c, profile=names[c.profile], group=PAYLOAD, reason=PAYLOAD) for c in run.cooldowns],
        moves=[
            replace(m, scene=ids[m.scene], from_profile=names[m.from_profile], to_profile=names[m.to_profile])
            for m in run.moves
        ],
    )
