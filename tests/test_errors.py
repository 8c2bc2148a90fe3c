"""Errors: one tree, with context that survives pickling."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from vidgen_nb import errors
from vidgen_nb.core.outcomes import RateLimited
from vidgen_nb.errors import (
    DuplicateScene,
    FileFormatError,
    InputError,
    JournalError,
    MissingKey,
    NoUsableProfile,
    OutputError,
    ReplayError,
    SessionError,
    VidgenError,
)
from vidgen_nb.ports import BackendError

EXAMPLES = [
    InputError("wrong"),
    DuplicateScene("s1"),
    DuplicateScene("s1", "is already queued in this run"),
    MissingKey("alice", "set ALICE_API_KEY"),
    FileFormatError("a.csv", "no column 'prompt'", 3, 7),
    FileFormatError("a.csv", "is empty"),
    ReplayError("does not follow", 3),
    JournalError("runs/x.jsonl", "can't be written"),
    SessionError("closed"),
    NoUsableProfile("all keys are refused", run=["a run"]),
    OutputError("no room", run=["a run"]),
    BackendError(RateLimited(5.0)),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling(error: VidgenError) -> None:
    """Type, message and context are the same after pickling and copying, as an executor or dask does it."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


def test_every_error_is_in_the_tree_and_exported() -> None:
    """One `except VidgenError` catches all; input errors are ValueErrors, too."""
    found = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
    }
    assert sorted(found) == sorted(errors.__all__)
    assert all(issubclass(kind, VidgenError) for kind in found.values())
    assert all(name in str(errors.__doc__) for name in found)
    assert {type(error) for error in EXAMPLES} == {*found.values(), BackendError} - {VidgenError}
    assert issubclass(BackendError, VidgenError) and "BackendError" in str(errors.__doc__)
    for kind in (InputError, DuplicateScene, MissingKey, FileFormatError):
        assert issubclass(kind, ValueError)


def test_where_a_file_is_wrong() -> None:
    """File, line and column come before the problem, as far as they are known."""
    assert str(FileFormatError("a.csv", "no text", 3, 7)) == "a.csv, line 3, column 7: no text"
    assert str(FileFormatError("a.csv", "no text", 3)) == "a.csv, line 3: no text"
    assert str(FileFormatError("a.csv", "no text")) == "a.csv: no text"
