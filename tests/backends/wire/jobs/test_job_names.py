"""Which part of a refusal is about a job: the answer itself, or an upstream's in the text of a gateway's error."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from vidgen_nb.backends.wire.jobs.job_names import part_about

PARTS = "litellm:custom_llm_provider:openai;model_id:m;video_id:video_1;deployment_id:0"
JOB = "video_" + base64.b64encode(PARTS.encode()).decode().rstrip("=")


def within_a_text(found: Any) -> dict[str, Any]:
    """Return a gateway's error whose text ends in another answer."""
    return {"error": {"message": f"OpenAIException - {json.dumps(found)}", "code": "500"}}


FAILED = {"id": "video_1", "status": "failed", "error": {"message": "no memory"}}


@pytest.mark.parametrize(
    ("job", "data", "found"),
    [
        ("video_1", FAILED, FAILED), ("video_1", within_a_text(FAILED), FAILED), (JOB, within_a_text(FAILED), FAILED),
        ("video_2", FAILED, {}), ("video_2", within_a_text(FAILED), {}), ("video_§§", within_a_text(FAILED), {}),
        (JOB, within_a_text({**FAILED, "id": ["video_1"]}), {}), (JOB, within_a_text({**FAILED, "id": "m;video"}), {}),
        (JOB, [FAILED], {}), (JOB, None, {}), ("", {"error": "x"}, {}),
    ],
)  # fmt: skip
def test_the_part_that_names_the_job(job: str, data: Any, found: dict[str, Any]) -> None:
    """By the job's id, or by the upstream's that is in it; what names another job, or none, says nothing of it."""
    assert part_about(data, job) == found
