"""The records of a run as pandas tables."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING

from vidgen_nb.analysis.records.model import AttemptRecord, CooldownRecord, MoveRecord, RunData, SceneRecord
from vidgen_nb.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["records_frame"]

TABLES = {"scenes": SceneRecord, "attempts": AttemptRecord, "cooldowns": CooldownRecord, "moves": MoveRecord}


def records_frame(data: RunData, table: str) -> pd.DataFrame:
    """Return `scenes`, `attempts`, `cooldowns` or `moves` as a DataFrame; `InputError` for another name."""
    if table not in TABLES:
        raise InputError(f"no table {table!r}: choose one of {', '.join(TABLES)}")
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install pandas") from error
    columns = [column.name for column in fields(TABLES[table])]
    return pd.DataFrame(map(attrgetter(*columns), getattr(data, table)), columns=columns)
