"""Records made quickly are the same as those made slowly."""

from __future__ import annotations

import contextlib
import gc
import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from vidgen_nb.analysis.records.builder import AttemptRecord, CooldownRecord, MoveRecord, SceneRecord
from vidgen_nb.analysis.records.fast_dataclass import collector_paused, fast_constructor


@pytest.mark.parametrize("kind", [AttemptRecord, CooldownRecord, MoveRecord, SceneRecord])
def test_a_quick_record_is_a_record(kind: type[Any]) -> None:
    """Equal to the slow one, with the same hash and text, frozen, and it can be pickled."""
    values = [f"v{index}" for index, _ in enumerate(fields(kind))]
    slow, made = kind(*values), fast_constructor(kind)(*values)
    assert type(made) is kind and made == slow and hash(made) == hash(slow) and repr(made) == repr(slow)
    assert pickle.loads(pickle.dumps(made)) == slow  # noqa: S301 - our own
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(kind)[0].name, "other")
    with pytest.raises(TypeError):
        fast_constructor(kind)(*values, "one too many")


def test_the_collector_is_back_after_a_pause() -> None:
    """Also after an error; where it was off before, it stays off."""
    with contextlib.suppress(RuntimeError), collector_paused():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_made_in_a_pause_is_old_and_what_others_froze_stays_frozen() -> None:
    """Nothing made in a pause is left among the young, nothing is left frozen, and a freeze of someone else holds."""
    with collector_paused():
        made = [[index] for index in range(1000)]
    young = {id(each) for each in gc.get_objects(generation=0)}
    assert young.isdisjoint(map(id, made)) and not gc.get_freeze_count()
    gc.freeze()
    try:
        with collector_paused():
            pass
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
