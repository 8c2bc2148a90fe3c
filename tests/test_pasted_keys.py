"""Keys as people paste them: what is taken off, and what is said of the rest, without showing it."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.errors import InputError, MissingKey
from vidgen_nb.inputs import load_profiles
from vidgen_nb.keys import key_problem, trim_key
from vidgen_nb.ports import Profile

KEY = "sk-planted-1234567890"


@pytest.mark.parametrize(
    "pasted",
    [
        f'"{KEY}"', f"'{KEY}'", f"“{KEY}”", f"„{KEY}“", f"‘{KEY}’", f"`{KEY}`", f"«{KEY}»",
        f" {KEY}\r\n", f'\n"{KEY}" ', f'" {KEY} "', f"\ufeff{KEY}", f"{KEY}\u200b", f"\u00a0{KEY}\u00a0",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_surrounds_a_key_is_taken_off(pasted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes that docker's --env-file and the set of Windows keep, spaces, line ends: wherever a key comes from."""
    monkeypatch.setenv("ALICE_API_KEY", pasted)
    (tmp_path / "p.toml").write_text("[profiles.alice]\n", encoding="utf-8")
    for profile in (Profile("alice", pasted), Profile.from_env("alice"), *load_profiles(tmp_path / "p.toml")):
        assert profile.api_key.reveal() == KEY


@pytest.mark.parametrize("pasted", ['""', "''", '" "', "“”"])
def test_quotes_around_nothing_are_no_key(pasted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty text in quotes is a key that is missing."""
    monkeypatch.setenv("ALICE_API_KEY", pasted)
    with pytest.raises(MissingKey, match="ALICE_API_KEY"):
        Profile.from_env("alice")


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        (f'"{KEY}', "a quotation mark at one of its ends"), (f"{KEY}'", "a quotation mark at one of its ends"),
        (f"Bearer {KEY}", "leave out 'Bearer'"), (f'"Bearer {KEY}"', "leave out 'Bearer'"),
        (f"{KEY} {KEY}", "without spaces or line ends; was all of it copied?"), (f"{KEY}\n{KEY}", "line ends"),
        (f"ALICE_API_KEY={KEY}", "the whole line"), (f"export ALICE_API_KEY={KEY}", "the whole line"),
        (KEY.replace("-", "–"), "character 3 is U+2013 EN DASH"), (KEY.replace("a", "а"), "CYRILLIC SMALL LETTER A"),
        (KEY.replace("-", "-\u200b"), "U+200B ZERO WIDTH SPACE"), ("sk-pl********7890", "its middle hidden"),
        ("your-key-here", "a placeholder"), ("YOUR_API_KEY", "a placeholder"), ("sk-...", "a placeholder"),
        ("sk-…", "a placeholder"), ("sk-your-key", "a placeholder"), ("<your key>", "a placeholder"),
        ("your api key here", "a placeholder"), ("${ALICE_API_KEY}", "a placeholder"),
        ("$OPENAI_API_KEY", "a placeholder"), ("%ALICE_API_KEY%", "a placeholder"), ("{{ api_key }}", "a placeholder"),
        ("...", "a placeholder"), ("changeme", "a placeholder"), ("${{ secrets.ALICE_KEY }}", "a placeholder"),
        ("$env:ALICE_API_KEY", "a placeholder"), ("os.environ['ALICE_API_KEY']", "a placeholder"),
        ("process.env.ALICE_KEY", "a placeholder"), (f"ALICE_API_KEY: {KEY}", "the whole line"),
        (f"Authorization: Bearer {KEY}", "a whole header"), (f"x-api-key:{KEY}", "a whole header"),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_can_be_no_key_is_said(pasted: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is wrong and what to do; neither it nor a traceback's variables show the key."""
    monkeypatch.setenv("ALICE_API_KEY", pasted)
    with pytest.raises(InputError, match="profile 'alice'") as caught:
        Profile.from_env("alice")
    assert words in str(caught.value)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    shown = str(caught.value) + str([frame.locals for frame in frames if "tests" not in frame.filename])
    assert "planted" not in shown and "1234567890" not in shown


@pytest.mark.parametrize(
    "key", [KEY, "EMPTY", "none", "not-needed", "sk-xxx", "dummy", "k", "a.b.c==", "my-secret-key"]
)
def test_other_keys_are_as_they_are(key: str) -> None:
    """Also those that are given to a server that wants none."""
    assert Profile("alice", key).api_key.reveal() == key


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'`<[${%.*=")), st.text())
def test_any_text_is_a_key_or_a_problem(key: str, other: str) -> None:
    """Taking off is done once and for all, whatever the text."""
    assert trim_key(f" '{key}'\n") == trim_key(key) == key
    if other:
        assert isinstance(key_problem(other), str | None)
