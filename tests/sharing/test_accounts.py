"""What makes two profiles the same account."""

from __future__ import annotations

import pytest

from tests.fakes import FakeBackend
from vidgen_nb.backends.openai.videos import OpenAIVideos
from vidgen_nb.ports import Profile
from vidgen_nb.sharing.accounts import account_of

HERE = OpenAIVideos("https://api.example/v1")
KEY = "sk-planted-secret"


def test_the_name_of_a_profile_does_not_matter_and_the_key_does() -> None:
    """Kernels name their profiles as they like."""
    assert account_of(Profile("a", KEY), HERE, "s") == account_of(Profile("b", KEY), HERE, "s") is not None
    assert account_of(Profile("a", KEY), HERE, "s") != account_of(Profile("a", "sk-another"), HERE, "s")


def test_a_quota_group_is_one_account_whatever_its_keys() -> None:
    """It cools as one; its name counts instead of the key."""
    grouped = [Profile(name, f"sk-{name}", quota_group="team") for name in "ab"]
    assert len({account_of(profile, HERE, "s") for profile in grouped}) == 1
    assert account_of(Profile("a", "team"), HERE, "s") != account_of(grouped[0], HERE, "s")


@pytest.mark.parametrize("url", ["https://API.example", "https://api.example:443/v1/", "https://user@api.example/v2"])
def test_the_same_server_may_be_written_in_several_ways(url: str) -> None:
    """Path, port and case of the host do not make another account."""
    assert account_of(Profile("a", KEY, base_url=url), HERE, "s") == account_of(Profile("a", KEY), HERE, "s")


@pytest.mark.parametrize("url", ["http://api.example/v1", "https://other.example/v1", "https://api.example:8443/v1"])
def test_another_server_is_another_account(url: str) -> None:
    """Two emulators in one notebook have the same keys and nothing to do with each other."""
    assert account_of(Profile("a", KEY, base_url=url), HERE, "s") != account_of(Profile("a", KEY), HERE, "s")


def test_what_can_not_be_told_from_others_is_not_shared() -> None:
    """Neither key nor group, or a backend without an address."""
    assert account_of(Profile("a"), HERE, "s") is None
    assert account_of(Profile("a", KEY), FakeBackend(), "s") is None
    assert account_of(Profile("a", KEY, base_url="https://[broken"), HERE, "s") is None


def test_a_name_reveals_nothing_and_depends_on_the_salt() -> None:
    """It is 128 bits of a keyed hash."""
    names = [account_of(Profile("alice", KEY, quota_group=group), HERE, "salt") for group in (None, "team-planted")]
    for name in names:
        assert name is not None
        assert len(name) == 32
        assert not any(word in name for word in ("planted", "sk-", "alice", "example"))
    assert account_of(Profile("alice", KEY), HERE, "other") != names[0]
