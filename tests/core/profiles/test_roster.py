"""The roster: profiles by name."""

from __future__ import annotations

import pytest

from tests.core.profiles.test_rotation import roster_of
from vidgen_nb.errors import InputError


def test_names() -> None:
    """An unknown name is answered with the known ones; a name can be used once."""
    roster = roster_of(2)
    with pytest.raises(InputError, match="no profile is named 'x'; there are: p0, p1"):
        roster["x"]
    with pytest.raises(InputError, match="profile 'p1' is already there"):
        roster.add("p1", None, "", 0.0)
