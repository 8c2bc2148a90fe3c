"""A session's replica of the store: bounds, losses, and that all sessions agree on the end."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.sharing.port import AccountCooldown
from vidgen_nb.sharing.replica import CooldownReplica
from vidgen_nb.sharing.stored_cooldown import StoredCooldown


class Stage:
    """A session's replica whose clock the test sets."""

    def __init__(self, line: str = "mine") -> None:
        self.now = 0.0
        self.heard: list[AccountCooldown] = []
        self.replica = CooldownReplica(lambda: self.now, line, f"host/{line}", self.heard.append)
        self.replica.accounts = frozenset({"a"})

    def reconcile(self, left: float, text: str, *, asked: float | None = None) -> None:
        """Let it read the store."""
        self.replica.reconcile("a", left, text, self.now if asked is None else asked)


def by(line: str, reason: str = "429") -> str:
    """Return what a session stores."""
    return StoredCooldown(line, f"host/{line}", reason).text()


def test_a_foreign_window_is_obeyed_until_the_later_bound_and_put_back_by_the_earlier() -> None:
    """The answer took 0.2 s: the end is somewhere between."""
    stage = Stage()
    stage.now = 10.2
    stage.reconcile(30.0, by("other"), asked=10.0)
    (cooldown,) = stage.heard
    assert cooldown.seconds_left == pytest.approx(30.0) and cooldown.reason == "429; seen by host/other"
    stage.now = 20.0
    stage.reconcile(0.0, "")
    ((account, known),) = stage.replica.unsent()
    assert (account, known.text) == ("a", by("other"))
    assert known.until == pytest.approx(40.2) and known.stored_until == pytest.approx(40.0)
    assert stage.replica.lost_count == 1


def test_the_same_window_read_again_is_no_news() -> None:
    """However quickly the answer came this time."""
    stage = Stage()
    stage.now = 0.3
    stage.reconcile(30.0, by("other"), asked=0.0)
    for at in (1.0, 2.0, 29.0):
        stage.now = at
        stage.reconcile(30.0 - at, by("other"))
    assert len(stage.heard) == 1
    assert stage.replica.unsent() == []


def test_what_this_peer_published_itself_is_not_heard() -> None:
    """Nothing goes round in circles."""
    stage = Stage()
    assert stage.replica.publish(AccountCooldown("a", 30.0, "429"))
    stage.reconcile(31.0, by("mine"))
    assert stage.heard == []


def test_a_shorter_window_is_neither_published_nor_heard() -> None:
    """Windows never become shorter."""
    stage = Stage()
    stage.reconcile(60.0, by("other"))
    assert not stage.replica.publish(AccountCooldown("a", 30.0, "429"))
    stage.reconcile(59.9, by("third"))
    assert len(stage.heard) == 1


def test_an_own_window_that_ends_between_the_bounds_shortens_nothing() -> None:
    """It is published, and the later bound goes on to hold."""
    stage = Stage()
    stage.now = 0.2
    stage.reconcile(30.0, by("other"), asked=0.0)
    assert stage.replica.publish(AccountCooldown("a", 29.9, "429"))
    ((_, known),) = stage.replica.unsent()
    assert known.until == pytest.approx(30.2) and known.stored_until == pytest.approx(30.1)


def test_a_window_that_was_replaced_by_a_shorter_one_counts_as_lost() -> None:
    """It was evicted, and somebody who did not know it set another."""
    stage = Stage()
    stage.reconcile(60.0, by("other"))
    stage.reconcile(10.0, by("third"))
    assert [known.text for _, known in stage.replica.unsent()] == [by("other")]


def test_windows_that_are_over_are_forgotten() -> None:
    """They are not passed on, however long the store was away."""
    stage = Stage()
    stage.replica.publish(AccountCooldown("a", 30.0, "429"))
    stage.now = 31.0
    assert stage.replica.unsent() == []


def test_accounts_of_others_and_foreign_texts_are_passed_over() -> None:
    """An account that is no longer watched, and a foreign value under the key."""
    stage = Stage()
    stage.reconcile(30.0, "not ours")
    stage.replica.accounts = frozenset()
    stage.reconcile(30.0, by("other"))
    assert stage.heard == []


def test_a_session_that_fails_to_take_it_over_does_not_end_the_line(caplog: pytest.LogCaptureFixture) -> None:
    """A policy of a user's own may raise in there."""

    def broken(_: AccountCooldown) -> None:
        raise ZeroDivisionError

    replica = CooldownReplica(lambda: 0.0, "mine", "host/mine", broken)
    replica.accounts = frozenset({"a"})
    replica.reconcile("a", 30.0, by("other"), 0.0)
    assert "could not be applied" in caplog.text


class Store:
    """The server's part, as the script has it, on a clock of its own."""

    def __init__(self) -> None:
        self.end, self.text = 0.0, ""

    def put(self, left: float, text: str, now: float) -> tuple[float, str]:
        """Keep the longer one; return what is stored then."""
        if self.end - now < left:
            self.end, self.text = now + left, text
        return self.get(now)

    def get(self, now: float) -> tuple[float, str]:
        """Return what is left, in whole milliseconds."""
        left = math.floor((self.end - now) * 1000) / 1000
        return (left, self.text) if left > 0 else (0.0, "")


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),  # who
        st.sampled_from(["publish", "publish", "send", "read", "read", "evict"]),
        st.floats(0.5, 60.0),  # a window's length
        st.floats(0.0, 0.5),  # until the store has the request
        st.floats(0.0, 0.5),  # until the peer has the answer
    ),
    max_size=40,
)


@given(STEPS)
def test_any_interleaving_leads_all_peers_to_the_same_end(steps: list[tuple[str, str, float, float, float]]) -> None:
    """Three sessions publish, send and read in any order, with any delays, while the store loses keys.

    No window is shortened, none is prolonged by more than the delays leave open, and in the end all know the longest.
    """
    now, store, delays, longest = 0.0, Store(), 0.0, -math.inf
    peers = {name: Stage(name) for name in "abc"}
    obeyed = dict.fromkeys(peers, -math.inf)

    def note(name: str) -> None:
        stage = peers[name]
        stage.now = now
        known = stage.replica._entries.get("a")
        assert known is not None or obeyed[name] <= now
        if known is not None:
            assert known.until >= obeyed[name]
            obeyed[name] = known.until

    def ask(name: str, there: float, back: float, *, put: bool) -> None:
        nonlocal now
        stage = peers[name]
        stage.now = asked = now
        unsent = stage.replica.unsent()
        now += there
        if put and unsent:
            known = unsent[0][1]
            left, text = store.put(math.ceil((known.stored_until - asked) * 1000) / 1000, known.text, now)
            known.sent = True
        else:
            left, text = store.get(now)
        now += back
        stage.now = now
        stage.replica.reconcile("a", left, text, asked)
        note(name)

    for name, what, length, there, back in steps:
        peers[name].now = now
        if what == "publish":
            peers[name].replica.publish(AccountCooldown("a", length, "429"))
            longest = max(longest, now + length)
            note(name)
        elif what == "evict":
            store.end = 0.0
        else:
            delays += there + back + 0.002
            ask(name, there, back, put=what == "send")
    for _ in range(2):  # the check of each peer, twice: what one finds lost, the next ones hear
        for name in peers:
            ask(name, 0.0, 0.0, put=False)
            ask(name, 0.0, 0.0, put=True)
    if longest > now + 0.01:
        for name in peers:
            assert longest - 0.006 <= obeyed[name] <= longest + delays + 0.02
        assert max(obeyed.values()) - min(obeyed.values()) <= delays + 0.02
