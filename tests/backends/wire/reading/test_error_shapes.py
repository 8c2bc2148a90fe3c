"""Errors in the shapes of many APIs: what a person reads, and which codes decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgen_nb.backends.wire.answer import Answer
from vidgen_nb.backends.wire.reading.error_body import read_error
from vidgen_nb.backends.wire.reading.refusals import error_of, is_refusal

ODD = "must be a multiple of 16"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"title": "Invalid", "errors": [{"detail": ODD, "pointer": "#/width"}]}, ["width"], id="RFC 9457"),
        ({"title": "Invalid", "invalid-params": [{"name": "width", "reason": ODD}]}, ["width"]),
        ({"title": "Validation errors occurred.", "errors": {"Width": [ODD]}}, ["Width", "Validation errors"]),
        ({"message": "Invalid.", "errors": {"width": ODD}}, ["width", "Invalid"]),
        pytest.param(
            {"errors": [{"source": {"pointer": "/data/attributes/width"}, "title": "Invalid", "detail": ODD}]},
            ["width", "Invalid"], id="JSON:API",
        ),
        ({"errors": [{"source": {"parameter": "width"}, "detail": ODD}]}, ["width"]),
        ({"error": {"code": "X", "message": "m", "details": [{"target": "width", "message": ODD}]}}, ["width"]),
        pytest.param(
            {"error": {"message": "No.", "details": [{"fieldViolations": [{"field": "width", "description": ODD}]}]}},
            ["width", "No: "], id="google.rpc.BadRequest",
        ),
        ({"errors": [{"instancePath": "/width", "message": ODD}]}, ["width"]),
        ({"title": "Violation", "violations": [{"propertyPath": "width", "message": ODD}]}, ["width"]),
        ({"error": {"fieldErrors": {"width": [ODD]}}}, ["width"]),
        ({"error": {"message": {"detail": [{"loc": ["body", "width"], "msg": ODD}]}}}, ["width"]),
        ({"statusCode": 400, "message": ["seconds is missing", ODD], "error": "Bad Request"}, ["seconds is missing"]),
        ({"Message": ODD, "__type": "com.acme#ValidationException"}, ["validationexception"]),
        ({"Response": {"Error": {"Code": "InvalidParameter", "Message": ODD}}}, ["invalidparameter"]),
        ({"ResponseMetadata": {"Error": {"Code": "InvalidParameter", "Message": ODD}}}, ["invalidparameter"]),
        ({"base_resp": {"status_code": 2013, "status_msg": ODD}}, ["2013"]),
        ({"errcode": 4001, "errmsg": ODD}, ["4001"]), ({"error_code": "4001", "error_msg": ODD}, ["4001"]),
        ({"code": -20001, "message": ODD}, ["-20001"]), ({"error": {"code": 1214, "message": ODD}}, ["1214"]),
        ({"fault": {"faultstring": ODD}}, []), ({"error": {"message": {"lang": "en", "value": ODD}}}, []),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps({"detail": ODD})}}}, []),
        ({"errors": [{"message": ODD, "extensions": {"code": "BAD_USER_INPUT"}}]}, ["bad_user_input"]),
        (json.dumps({"error": {"message": ODD, "code": "bad_width"}}), ["bad_width"]),
        (f'event: error\ndata: {json.dumps({"error": {"message": ODD}})}\n\n', []),
        (f"<?xml version='1.0'?><Error><Code>BadWidth</Code><Message>{ODD}</Message></Error>", ["badwidth"]),
        ({"data": {"message": ODD}, "success": False}, []), ({"input": {"width": [ODD]}}, ["width"]),
        ({"something": {"else": {"entirely": ODD}}}, ["entirely"]),
    ],
)  # fmt: skip
def test_reason_field_and_code_reach_a_person(body: Any, words: list[str]) -> None:
    """Nothing that says why is lost, whatever the shape; what has no known shape is shown as it is."""
    found = read_error(body)
    said = f"{found.shown_code} {found.message} {found.field}"
    assert [word for word in (ODD, *words) if word not in said] == []


@pytest.mark.parametrize(
    "body",
    [
        {"error": "rate_limit_exceeded"}, {"detail": "rate_limit_exceeded"}, {"errorCode": "rateLimitExceeded"},
        {"detail": {"error": "rate_limit_exceeded"}}, {"errors": [{"extensions": {"code": "RATE_LIMIT_EXCEEDED"}}]},
        {"__type": "com.acme#RateLimitExceeded"}, {"Error": {"Code": "RateLimitExceeded"}},
        {"error": {"code": "BadRequest", "innererror": {"code": "RateLimitExceeded"}}},
        {"type": "urn:problem:rate_limit_exceeded", "title": "x"}, {"name": "rate_limit_exceeded", "message": "x"},
        {"type": "https://acme.example/a/rate_limit_exceeded"}, {"status": "RATE_LIMIT_EXCEEDED", "message": "x"},
        {"error": {"message": 'A - {"error": {"code": "rate_limit_exceeded", "message": "x"}}'}},
        '{"code": "rate_limit_exceeded"}', "<Error><Code>RateLimitExceeded</Code></Error>",
        {"base_resp": {"status_code": 1002, "status_msg": "x"}},
    ],
)  # fmt: skip
def test_a_code_counts_wherever_it_stands(body: Any) -> None:
    """All of these say the same."""
    assert "rate_limit_exceeded" in read_error(body).words


@pytest.mark.parametrize("body", [{"error": "Rate limit exceeded"}, {"message": "rate limit exceeded"}])
def test_a_sentence_is_no_code(body: Any) -> None:
    """Prose decides nothing (R13)."""
    assert read_error(body).words == ()


@pytest.mark.parametrize(
    "header",
    [
        ("x-error-code", "SlowDown"), ("x-amzn-errortype", "SlowDown:http://acme.example/"),
        ("x-ms-error-code", "SlowDown"), ("x-fal-error-type", "slow_down"),
    ],
)  # fmt: skip
def test_a_code_in_a_header(header: tuple[str, str]) -> None:
    """Some APIs have it there."""
    assert error_of(Answer(400, [header], {"message": "x"})).words == ("slow_down",)


def test_a_text_in_a_header() -> None:
    """It is read where the body says nothing."""
    challenge = ("www-authenticate", 'Bearer error="invalid_token", error_description="The token has expired"')
    assert error_of(Answer(401, [challenge], None)).message == "The token has expired"
    assert error_of(Answer(400, [("grpc-message", "no%20width")], None)).message == "no width"
    assert error_of(Answer(400, [challenge], {"detail": "said"})).message == "said"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "x"}, {"errors": [{"message": "x"}]}, {"success": False, "message": "x"}, {"ok": False},
        {"code": 1302, "message": "x"}, {"code": "bad_width", "data": None}, {"ErrCode": 400017, "Resp": None},
        {"base_resp": {"status_code": 1002}, "task_id": ""}, {"status": "error", "message": "x"},
        {"ResponseMetadata": {"RequestId": "r", "Error": {"Code": "x"}}}, {"__type": "ValidationException"},
        [{"error": {"code": 429}}],
    ],
)  # fmt: skip
def test_a_success_that_is_a_refusal(body: Any) -> None:
    """By its fields."""
    assert is_refusal(body)


@pytest.mark.parametrize(
    "body",
    [
        {}, [], None, "x", 7, {"message": "Rate limit exceeded"}, {"code": 0, "data": {"task_id": "t"}},
        {"code": 1, "data": {"task_id": "t"}}, {"code": 1302, "data": {"task_id": "t"}}, {"code": 200, "msg": "x"},
        {"code": "SUCCESS"}, {"status": 3}, {"status": "queued"}, {"task_id": "t", "code": 17},
        {"base_resp": {"status_code": 0}}, {"success": True}, {"error": {"code": "", "message": ""}},
    ],
)  # fmt: skip
def test_a_success_that_may_have_a_job(body: Any) -> None:
    """What may be paid for is not taken for a refusal."""
    assert not is_refusal(body)
