"""The content of the store is parsed without trust."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.sharing.stored_cooldown import StoredCooldown, parse_stored

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(), st.text(), st.text(max_size=500), st.booleans())
def test_what_was_written_is_read(line: str, peer: str, reason: str, unusable: bool) -> None:
    """Whatever characters a server put into its reason."""
    found = parse_stored(StoredCooldown(line, peer[:500], reason, unusable).text())
    assert found == StoredCooldown(line, peer[:500], reason, unusable)


@given(
    st.text()
    | JSON.map(json.dumps)
    | st.fixed_dictionaries({"line": JSON, "peer": JSON, "reason": JSON}).map(json.dumps)
)
def test_nothing_that_stands_there_is_an_error(text: str) -> None:
    """Anything else is None, or has texts in its fields."""
    found = parse_stored(text)
    assert found is None or all(isinstance(each, str) for each in (found.publisher, found.peer, found.reason))


def test_a_deep_or_long_text_does_no_harm() -> None:
    """No recursion error, and no megabyte in anybody's log."""
    assert parse_stored("[" * 100_000) is None
    long = json.dumps({"line": "a", "peer": "p" * 10**6, "reason": "r" * 10**6})
    found = parse_stored(long)
    assert found is not None and len(found.peer) + len(found.reason) <= 1000
