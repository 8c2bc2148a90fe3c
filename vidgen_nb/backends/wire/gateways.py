"""Whether an answer shows that a gateway stands before the server.

A gateway's 500 to a submit may follow an acceptance: at LiteLLM and New API an upstream that broke the connection after
it had the job is a 500 of the same shape as one that was never reached.

Sources: docs.litellm.ai/docs/proxy/response_headers, and `litellm.InternalServerError: …` in its bodies; New API
(`relay/relay_task.go`, `types/error.go`); RFC 9110 §7.6.3 (`Via`); Cloudflare's `cf-ray`.
"""

from __future__ import annotations

import re
from typing import Final

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.error_body import ErrorBody

__all__ = ["shows_gateway"]

_HEADERS: Final = re.compile(
    r"via|cf-ray|x-litellm-.+|llm_provider-.+|x-(oneapi|new-?api)-.+|cf-aig-.+|x-portkey-.+|helicone-.+|x-kong-.+|"
    r"x-envoy-upstream-.+"
)
_CODES: Final = re.compile(
    r"do_request_failed|fail_to_fetch_task|bad_response(_status_code|_body)?|read_response_body_failed|"
    r"(new|one)_api_(error|panic)|upstream_(error|timeout)|get_channel_failed|channel[_:].+"
)
_LITELLM: Final = re.compile(r"litellm\.\w+(Error|Timeout)?:")
"""How each of its messages begins: a class name, which stands there whatever the error is."""


def shows_gateway(answer: Answer, error: ErrorBody) -> bool:
    """Return whether headers, codes or the form of an answer are those of a gateway."""
    if any(_HEADERS.fullmatch(name) for name, _ in answer.headers) or "cloudflare" in answer.header("server").lower():
        return True
    return error.matches(_CODES) or any(_LITELLM.match(text) for text in error.texts)
