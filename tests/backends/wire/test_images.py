"""Images that scenes bring along."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vidgen_nb.backends.wire.images import absolute_path, check_image, image_type, is_http_url, read_image
from vidgen_nb.errors import InputError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
WEBP = b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 20
KINDS = [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]


def uri(data: bytes, media_type: str = "image/png") -> str:
    """Return a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(("data", "media_type"), KINDS)
def test_path_bytes_and_data_uri_are_read_alike(data: bytes, media_type: str, tmp_path: Path) -> None:
    """The type follows from the first bytes, not from the file's name."""
    path = tmp_path / "picture.txt"
    path.write_bytes(data)
    for value in (path, str(path), data, bytearray(data), uri(data, media_type), uri(data, media_type.upper())):
        assert read_image(value) == (media_type, data)
        assert check_image(value) == media_type


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "is empty"),
        (b"GIF89a" + b"\0" * 20, "no PNG, JPEG or WebP"),
        (b"RIFF\0\0\0\0WAVEfmt ", "no PNG, JPEG or WebP"),
        (PNG + b"\0" * 100, "at most"),
        (uri(PNG + b"\0" * 100), "at most"),
        (uri(PNG + b"\0" * 4000), "at most"),
        (uri(PNG, "image/webp"), "says image/webp, but its image is image/png"),
        (uri(b"<svg>"), "no PNG, JPEG or WebP"),
        ("data:image/png,%89PNG", "must look like data:image/png;base64"),
        ("data:image/png;base64,iVBO?", "base64 is broken"),
        ("missing.png", "can't be read"),
        ("a\0b.png", "can't be read"),
        (".", "is no file"),
        ("", "an image must be a path or a data URI, not"),
        (None, "an image must be a path or a data URI, not"),
        ({"file_id": "file_1"}, "an image must be a path or a data URI, not"),
        ("https://images.example/dawn.png", "download it"),
    ],
)
def test_what_is_no_image_is_said(value: object, says: str) -> None:
    """Each mistake has an error of its own, the same before a run and at the submit."""
    for read in (read_image, check_image):
        with pytest.raises(InputError, match=says):
            read(value, limit=64)


def test_other_files_are_not_read(tmp_path: Path) -> None:
    """A text file, a pipe (which would block) and a large file are refused."""
    secret = tmp_path / "secret.png"
    secret.write_text("password")
    os.mkfifo(tmp_path / "pipe.png")
    large = tmp_path / "large.png"
    large.write_bytes(PNG + b"\0" * 100)
    for name, says in (("secret.png", "no PNG"), ("pipe.png", "is no file"), ("large.png", "at most")):
        for read in (read_image, check_image):
            with pytest.raises(InputError, match=says) as caught:
                read(tmp_path / name, limit=64)
            assert name in str(caught.value)
            assert "password" not in str(caught.value)


@given(st.text(max_size=60) | st.binary(max_size=60) | st.text(max_size=60).map(lambda text: "data:" + text))
@example("~0")
def test_any_value_is_an_image_or_an_input_error(value: object) -> None:
    """Junk never raises anything else, and its error is short."""
    said = ""
    try:
        media_type, data = read_image(value)
        assert image_type(data) == media_type
    except InputError as error:
        said = str(error)
    assert len(said) < 400


def test_addresses_are_told_apart() -> None:
    """What adapters pass on is an http or https address."""
    assert is_http_url("https://images.example/dawn.png")
    assert is_http_url("HTTP://images.example/dawn.png")
    assert not any(map(is_http_url, ("httpd.png", "data:image/png;base64,", b"https://", None)))


def test_only_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no path of this machine stays as it is: addresses, data URIs, ids of uploads, objects."""
    monkeypatch.chdir(tmp_path)
    here = Path.cwd()
    assert absolute_path("a.png") == str(here / "a.png") and absolute_path("../a.png") == str(here / "../a.png")
    assert absolute_path("~/a.png") == str(Path("~/a.png").expanduser())
    assert absolute_path(["a.png", "https://x.example/b.png"]) == [str(here / "a.png"), "https://x.example/b.png"]
    kept: object
    for kept in ("/a.png", uri(PNG), uri(PNG).upper(), " HTTPS://x.example/a", "runway://upload-1", "", " ", 7, None):
        assert absolute_path(kept) == kept
    for kept in ({"image_url": "a.png"}, [{"uri": "a.png", "position": "first"}], "~nobody-of-that-name/a.png"):
        assert absolute_path(kept) == kept


def test_without_a_current_folder_a_path_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that follows reports what is wrong with it."""

    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert absolute_path("a.png") == "a.png"
