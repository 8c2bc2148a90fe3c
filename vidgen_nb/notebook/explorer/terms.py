"""Short texts for values: `token_bucket(4, 60) + concurrency(2)`, written and read back without running any code."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Term", "read_terms", "write_terms"]

MAX_CHARS = 20_000
"""A longer text is no setting."""


@dataclass(frozen=True, repr=False)
class Term:
    """A name with values: `token_bucket(4, 60)`, or a name alone."""

    name: str
    values: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def fields(self, *names: str) -> dict[str, Any]:
        """Return its values by name, those without one in the order of `names`; `ValueError` if there are too many."""
        if len(self.values) > len(names):
            raise ValueError(f"{self.name} has too many values: {', '.join(names) or 'it takes none without a name'}")
        found = dict(zip(names, self.values, strict=False))
        if twice := sorted(found.keys() & self.named.keys()):
            raise ValueError(f"{self.name} has {twice[0]} twice")
        return {**found, **self.named}

    def __repr__(self) -> str:
        return _term(self)


def write_terms(terms: Iterable[Term]) -> str:
    """Return terms as a text, joined by a plus."""
    return "+".join(map(_term, terms))


def _term(term: Term) -> str:
    values = [*map(_value, term.values), *(f"{name}={_value(each)}" for name, each in term.named.items())]
    return f"{term.name}({','.join(values)})" if values else term.name


def _value(value: Any) -> str:
    """Return a value's text; `ValueError` for one that has none."""
    if isinstance(value, Term):
        return _term(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_value(name)}:{_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_value, value)) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    raise ValueError(f"{value!r} has no text")


def read_terms(text: str) -> list[Term]:
    """Return the terms of a text that `write_terms` could have written; `ValueError` for any other one."""
    if len(text) > MAX_CHARS:
        raise ValueError(f"it has more than {MAX_CHARS:,} characters")
    try:
        found = _read_all(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("it is not of the form name(value, …)") from None
    if not all(isinstance(each, Term) for each in found):
        raise ValueError("it is not of the form name(value, …)")
    return found


def _read_all(node: ast.expr) -> list[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_read_all(node.left), *_read_all(node.right)]
    return [_read(node)]


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        named = {each.arg: _read(each.value) for each in node.keywords if each.arg is not None}
        return Term(node.func.id, tuple(map(_read, node.args)), named)
    if isinstance(node, ast.Name):
        return math.inf if node.id == "inf" else Term(node.id)
    if isinstance(node, ast.List):
        return [_read(each) for each in node.elts]
    if isinstance(node, ast.Dict):
        return {_read(name): _read(each) for name, each in zip(node.keys, node.values, strict=True) if name is not None}
    return ast.literal_eval(node)
