"""What answers say that a job costs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.backends.mock_server import MockServer
from tests.backends.openai.mocked_videos import ALICE, JOB, call, submit
from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.told_costs import cost_of_job, cost_of_submit


@pytest.mark.parametrize(
    ("data", "cost"),
    [
        ({"usage": {"cost": 0.5, "is_byok": False}}, 500_000),
        ({"usage": {"cost": "0.1"}}, 100_000),
        ({"usage": {"cost": 0}}, 0),
        ({"usage": {"cost": None}}, None),
        ({"usage": {"cost": True}}, None),
        ({"usage": {"cost": -1}}, None),
        ({"usage": {"cost": 1e400}}, None),
        ({"usage": {"total_tokens": 5}}, None),
        ({"usage": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_job_that_is_done(data: Any, cost: int | None) -> None:
    """`usage.cost`, in dollars; anything else is no cost."""
    assert cost_of_job(data) == cost


@pytest.mark.parametrize(("header", "cost"), [("0.4", 400_000), ("0.0", None), ("None", None), ("nan", None)])
def test_a_submit(header: str, cost: int | None) -> None:
    """LiteLLM's header; 0 is what it says where it knows no price."""
    assert cost_of_submit(Answer(200, [("x-litellm-response-cost", header)], {})) == cost


def test_it_reaches_the_scheduler() -> None:
    """In what a submit and a poll return."""
    told = httpx.Response(200, json={"id": "video_1"}, headers={"x-litellm-response-cost": "0.62"})
    assert call(MockServer(told), submit).cost == 620_000
    done = httpx.Response(200, json={"id": "video_1", "status": "completed", "usage": {"cost": 0.6}})
    assert call(MockServer(done), lambda backend: backend.poll(JOB, ALICE)).cost == 600_000
