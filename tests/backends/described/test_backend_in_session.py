"""A session over a toy API, described in a cell, over real HTTP."""

from __future__ import annotations

from pathlib import Path

import vidgen_nb as vg
from tests.audit import audit
from vidgen_nb.core.model import BOOST
from vidgen_nb.emulator.clip import CLIP


def test_a_session_over_a_described_api(toy_url: str, tmp_path: Path) -> None:
    """A run over real HTTP: 429s cool, scenes move, all videos arrive; the rules hold."""
    backend = vg.HttpBackend(
        toy_url,
        submit="/jobs",
        body=lambda scene: {"prompt": scene.prompt},
        auth="X-Api-Key: {key}",
        job="job.id",
        poll="/jobs/{id}",
        status="state",
        statuses={"done": "succeeded"},
        result="video",
        name="toy",
    )
    profiles = [vg.Profile("p1", "toy-key-1", capacity=3), vg.Profile("p2", "toy-key-2", capacity=3)]
    with vg.Session(backend, profiles, mode="boost", output=tmp_path, speed=50) as session:
        run = session.run_blocking([f"scene {k}" for k in range(8)])
        saved = run.save(tmp_path / "run.jsonl").read_text()
    assert [scene.status for scene in run.scenes] == ["succeeded"] * 8
    assert run.metrics().rate_limited == 2
    audit(run.events, BOOST)
    assert all(Path(scene.path or "").read_bytes() == CLIP for scene in run.scenes)
    assert run.header["backend"]["name"] == "toy"
    assert "toy-key" not in saved
