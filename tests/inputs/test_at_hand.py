"""Scenes from what people have at hand: open files, rows and columns of tables, texts that are JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import FileFormatError, InputError
from vidgen_nb.inputs import load_scenes

np = pytest.importorskip("numpy")
FOX = [Scene("s001", "a fox", seconds=4), Scene("s002", "an owl", seconds=8)]
PLAIN = [Scene("s001", "a fox"), Scene("s002", "an owl")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "Prompt;seconds\na fox;4\nan owl;8\n"), ("a.tsv", "prompt\tseconds\na fox\t4\nan owl\t8\n"),
        ("a.json", json.dumps([{"prompt": "a fox", "seconds": 4}, {"prompt": "an owl", "seconds": 8}])),
        ("a.ndjson", '\ufeff{"prompt": "a fox", "seconds": 4}\r\n{"prompt": "an owl", "seconds": 8}\r\n'),
        ("a.json", '{"Prompt": ["a fox", "an owl"], "seconds": [4, 8]}'),
    ],
)  # fmt: skip
def test_an_open_file_is_read_as_its_name_says(name: str, content: str, tmp_path: Path) -> None:
    """Not line by line: a header or half an object is no prompt to be paid for."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with path.open(encoding="utf-8") as text, path.open("rb") as data:
        assert load_scenes(text) == load_scenes(data) == load_scenes(path) == FOX


def test_an_open_file_without_a_name_is_a_text() -> None:
    """With a table or prompts in it; an empty one is a mistake."""
    assert load_scenes(io.StringIO("prompt,seconds\na fox,4\nan owl,8\n")) == FOX
    assert load_scenes(io.BytesIO(b"\xef\xbb\xbfa fox\r\nan owl\r\n")) == PLAIN
    with pytest.raises(FileFormatError, match="there are no scenes in it"):
        load_scenes(io.StringIO(""))


@pytest.mark.parametrize(
    "text",
    ["Prompt\na fox\nan owl\n", '"prompt"\r\n"a fox"\r\n"an owl"\r\n', "prompt\ra fox\ran owl\r", "a fox\ran owl",
     '["a fox",\n "an owl"]', '{"scenes": ["a fox",\n"an owl"]}\n', '{"prompt": "a fox"}\n\n{"Prompt": "an owl"}\n'],
)  # fmt: skip
def test_a_text_that_is_a_table_or_json(text: str, tmp_path: Path) -> None:
    """What a file holds is often passed as a text, or saved as .txt: its syntax is no prompt."""
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert load_scenes(text) == load_scenes(tmp_path / "a.txt") == PLAIN


def test_prompts_that_look_like_json() -> None:
    """A prompt may be in JSON, one a line; what could be one prompt or many is not guessed."""
    assert [each.prompt for each in load_scenes('{"shot": "wide"}\n{"shot": "close"}')] == [
        '{"shot": "wide"}', '{"shot": "close"}'
    ]  # fmt: skip
    assert load_scenes("[wide] a fox\n[close] an owl")[0].prompt == "[wide] a fox"
    with pytest.raises(FileFormatError, match=r"one object of JSON in 3 lines: for one prompt give a list, \[text\]"):
        load_scenes('{\n"shot": "wide"\n}\n')
    with pytest.raises(FileFormatError, match=r"Extra data \(one value a line is a .jsonl file\)"):
        load_scenes(io_file('{"prompt": "a"}\n{"prompt": "b"}\n', "a.json"))


def io_file(content: str, name: str) -> io.StringIO:
    """Return an open file with a name."""
    file = io.StringIO(content)
    file.name = name
    return file


def test_rows_of_a_table() -> None:
    """As pandas, polars and csv give them: `Prompt`, the index, missing cells, numpy's numbers."""
    rows: list[dict[Any, Any]] = [
        {"Unnamed: 0": 0, "Prompt": np.str_("a fox"), "seconds": np.int64(4), "seed": float("nan")},
        {"Unnamed: 0": 1, "Prompt": "an owl", "seconds": 8, "seed": float("nan")},
    ]
    assert load_scenes(rows) == FOX
    assert type(load_scenes(rows)[0].params["seconds"]) is int and type(load_scenes(rows)[0].prompt) is str
    assert load_scenes(np.array(["a fox", "an owl"])) == PLAIN
    assert load_scenes(csv.DictReader([",prompt", "0,a fox", "1,an owl"])) == PLAIN
    assert load_scenes([{"prompt": "a", "seed": None}])[0].params["seed"] is None
    with pytest.raises(InputError, match="scene 1: a row has more cells than the header has names"):
        load_scenes(csv.DictReader(["prompt,seconds", "a fox, red,4"]))
    with pytest.raises(InputError, match="it has 'prompt' twice"):
        load_scenes([{"prompt": "a", "Prompt": "b"}])


def test_columns_of_a_table() -> None:
    """A mapping of columns is a table; of one scene it says what to do."""
    assert load_scenes({"Prompt": ["a fox", "an owl"], "seconds": np.array([4.0, 8.0])}) == FOX
    with pytest.raises(InputError, match="the columns have from 1 to 2 cells"):
        load_scenes({"prompt": ["a", "b"], "seconds": [4]})
    for single in ({"prompt": "a fox"}, {"prompt": ["a"], "seconds": 4}, {}):
        with pytest.raises(InputError, match="not from dict: put a single scene in a list"):
            load_scenes(single)


@dataclass
class ArrowScalar:
    """A value as Arrow's arrays yield them."""

    value: Any

    def as_py(self) -> Any:
        """Return it as Python's."""
        return self.value


def test_tables_and_arrays_of_arrow() -> None:
    """They give the same scenes; a lazy frame says what to do."""
    table = SimpleNamespace(
        schema=SimpleNamespace(names=["", "Prompt", "seconds", ""]), to_pylist=list,
        columns=[[ArrowScalar(each) for each in column] for column in
                 ([0, 1, 2], [" a fox ", "an owl", None], [4, 8.0, None], [None, None, None])],
    )  # fmt: skip
    assert load_scenes(table) == FOX
    assert load_scenes([ArrowScalar("a fox"), ArrowScalar("an owl")]) == PLAIN
    with pytest.raises(InputError, match=r"collect\(\) it first"):
        load_scenes(SimpleNamespace(columns=["prompt"], collect=None))
