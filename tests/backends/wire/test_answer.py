"""Answers as they are read: any charset, pages and texts, and nothing of a key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from vidgen_nb.backends.wire.answer import Answer, read_answer
from vidgen_nb.patience import Patience
from vidgen_nb.ports import Secret

KEY = "sk-planted+0123/4567"
ERROR = {"error": "taille trop élevée"}
TEXT = json.dumps(ERROR, ensure_ascii=False)


def read(body: bytes, content_type: str = "application/json") -> Answer:
    """Return the answer that is read of a body."""

    async def go() -> Answer:
        async def pieces() -> AsyncIterator[bytes]:
            yield body

        response = httpx.Response(400, content=pieces(), headers={"Content-Type": content_type})
        return await read_answer(response, Secret(KEY), Patience(5))

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode(), "text/plain"), (TEXT.encode("utf-8-sig"), ""), (TEXT.encode("utf-16"), "application/json"),
        (TEXT.encode("latin-1"), "application/json; charset=iso-8859-1"), (TEXT.encode("latin-1"), "application/json"),
        (TEXT.encode("cp1252"), 'application/json; charset="windows-1252"'), (TEXT.encode("gbk"), "x; charset=GBK"),
        (TEXT.encode("latin-1"), "application/json; charset=no-such-thing"),
    ],
)  # fmt: skip
def test_json_in_any_charset(body: bytes, content_type: str) -> None:
    """The charset that is told counts, and without one what can be read."""
    assert read(body, content_type).data == ERROR


def test_json_that_is_almost_one() -> None:
    """A line break inside a string is no reason to read nothing."""
    assert read(b'{"error": "a\nb"}').data == {"error": "a\nb"}


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"\xef\xbb\xbfno such size", "text/plain", "no such size"),
        ("余额不足".encode("gbk"), "text/plain; charset=gbk", "余额不足"),
        ("trop élevée".encode("latin-1"), "text/plain", "trop élevée"),
        (b"\x1b[31mno such size, but one of the list above\x1b[0m", "", "\x1b[31mno such size, but one of the list"),
        (b"<html><title>502 &amp; more</title>", "text/html", "<502 & more>"),
        (b"<html><body><h1>Blocked</h1>", "text/html", "<Blocked>"), (b"<html><p>x", "text/html", "<>"),
        (b"<!-- " + b"x" * 5000 + b"--><html><title>far</title>", "text/html", "<far>"),
        (b"<Error><Code>SlowDown</Code></Error>", "application/xml", "<Error><Code>SlowDown</Code></Error>"),
        (bytes(range(256)), "", ""), (b"\0\0\0\x18ftypmp42" + bytes(200), "video/mp4", ""),
    ],
)  # fmt: skip
def test_what_is_shown_of_other_bodies(body: bytes, content_type: str, text: str) -> None:
    """Texts in their charset, pages by their title; nothing of what nobody can read."""
    assert read(body, content_type).text.startswith(text)
    assert bool(read(body, content_type).text) == bool(text)


@pytest.mark.parametrize(
    ("text", "kind"), [("<x>", "an HTML page"), ("<Error><a>1</a></Error>", "a text that is no JSON")]
)
def test_a_page_is_told_from_xml(text: str, kind: str) -> None:
    """An S3 error is no sign of a wrong address."""
    assert Answer(400, [], None, text).kind == kind


@pytest.mark.parametrize("before", [0, 7990, (1 << 16) - 10, (1 << 16) - 8192 - 10])
def test_half_a_key_is_not_shown(before: int) -> None:
    """Wherever a body is cut."""
    page = b"<html>" + b" " * before + f"<title>{KEY}</title>".encode()
    for body in (b"x " * (before // 2) + KEY.encode() + b" y" * 40_000, page + b" " * 80_000):
        assert KEY[:8] not in read(body, "text/html").text
