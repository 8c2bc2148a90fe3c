"""What is read of an error's body, whatever its shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.backends.wire.reading.error_body import read_error, tells_error

NESTED = (
    'litellm.BadRequestError: OpenAIException - {"error":{"message":"bad","param":"size","code":"invalid_value"}} x'
)
PYTHONS = "Error code: 400 - {'error': {'message': \"it's bad\", 'code': 'invalid_size', 'param': None}}"


@pytest.mark.parametrize(
    ("body", "message", "field", "codes"),
    [
        ({"detail": "no such thing"}, "no such thing", "", ()),
        ({"error": "no such thing"}, "no such thing", "", ()),
        ({"error": "rate_limit_exceeded", "message": "slow down"}, "slow down", "", ("rate_limit_exceeded",)),
        ({"error": "Bad Request", "message": "bad size"}, "Bad Request: bad size", "", ()),
        ({"error": {"message": "bad", "param": "size", "code": "x"}}, "bad", "size", ("x",)),
        ({"detail": [{"loc": ["body", "seconds"], "msg": "too long", "type": "int"}]}, "seconds: too long",
         "seconds", ()),
        ({"detail": {"message": "slow down", "code": "x"}}, "slow down", "", ("x",)),
        ({"title": "Too many", "status": 429, "detail": "wait"}, "Too many: wait", "", ()),
        ({"error": "bad body", "issues": [{"path": ["ratio"], "message": "odd"}]}, "bad body: ratio: odd", "ratio", ()),
        ([{"error": {"message": "bad size"}}], "bad size", "", ()),
        ({"errors": [{"message": "a"}, {"message": "b"}]}, "a; b", "", ()),
        ({"errors": {"size": ["must be WxH"]}}, "size: must be WxH", "", ()),
        ({"error": {"message": NESTED, "code": "400"}}, "bad", "size", ("invalid_value",)),
        ({"error": {"message": PYTHONS}}, "it's bad", "", ("invalid_size",)),
        ({"error": {"message": "a {brace} is no error"}}, "a {brace} is no error", "", ()),
        ("text", "text", "", ()), (None, "", "", ()), (7, "", "", ()),
    ],
)  # fmt: skip
def test_what_a_person_needs(body: object, message: str, field: str, codes: tuple[str, ...]) -> None:
    """Reason, field and codes are found in every shape; the innermost error is the most exact."""
    found = read_error(body)
    assert (found.message, found.field, found.codes) == (message, field, codes)


@pytest.mark.parametrize("code", ["rateLimitExceeded", "Rate Limit Exceeded", "RATE-LIMIT-EXCEEDED"])
def test_codes_in_one_spelling(code: str) -> None:
    """Codes are compared in one spelling, however a server writes them."""
    assert read_error({"error": {"code": code}}).words == ("rate_limit_exceeded",)


@pytest.mark.parametrize(("code", "numbers"), [(429, (429,)), ("503", (503,)), (200, ()), (True, ()), ("7", ())])
def test_numbers_are_http_statuses(code: object, numbers: tuple[int, ...]) -> None:
    """The status of an upstream stands in the body as a number, or as digits."""
    assert read_error({"error": {"code": code}}).numbers == numbers


EMPTY: list[Any] = [None, {}, "", [], 0, {"code": "", "message": ""}, {"code": None, "message": None}, {"code": 0}]


@pytest.mark.parametrize("value", EMPTY)
def test_an_error_without_content_is_none(value: object) -> None:
    """Fields without content beside a job say nothing."""
    assert not tells_error(value)
    assert tells_error({"inner": value, "message": "broken"})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([NESTED, PYTHONS, "[{", "{"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "detail", "details", "message", "code", "type", "loc", "path", "x"]),
            inner,
            max_size=4,
        )
    ),
)


@given(values)
def test_every_body_is_read(body: object) -> None:
    """Nothing that a server writes makes the reading fail."""
    found = read_error(body)
    assert isinstance(found.message, str)
    assert all(400 <= number <= 599 for number in found.numbers)
    tells_error(body)
