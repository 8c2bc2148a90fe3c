"""What is checked of profiles before anything is sent."""

from __future__ import annotations

import pytest

from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.ports import Profile
from vidgen_nb.session.validation import as_profiles

KEY = "sk-planted-1234567890"
BACKEND = OpenAIVideos("http://127.0.0.1:1/v1")


def test_two_profiles_with_one_key(caplog: pytest.LogCaptureFixture) -> None:
    """They are one account, so that a 429 of one means the other: it is said, without the key."""
    as_profiles(BACKEND, [Profile("alice", KEY), Profile("bruno", "sk-other-1234567890"), Profile("chiara", KEY)])
    assert "profiles alice and chiara have the same key for the same server" in caplog.text
    assert caplog.text.count("WARNING") == 1 and "planted" not in caplog.text


@pytest.mark.parametrize(
    "profiles",
    [
        [Profile("alice", KEY, quota_group="team"), Profile("bruno", KEY, quota_group="team")],
        [Profile("alice", KEY), Profile("bruno", KEY, base_url="http://127.0.0.1:2/v1")],
        [Profile("alice", "EMPTY"), Profile("bruno", "EMPTY")],
        [Profile("alice", lambda: KEY), Profile("bruno", lambda: KEY)],
    ],
)  # fmt: skip
def test_what_is_not_known_to_be_one_account(profiles: list[Profile], caplog: pytest.LogCaptureFixture) -> None:
    """A group, another server, a key that is none, a key that is not known yet: nothing is said."""
    as_profiles(BACKEND, profiles)
    assert not caplog.text
