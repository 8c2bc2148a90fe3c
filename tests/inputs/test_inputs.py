"""Scenes and profiles from files, text and tables; and where their mistakes are."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import DuplicateScene, FileFormatError, InputError, MissingKey
from vidgen_nb.inputs import load_profiles, load_scenes
from vidgen_nb.inputs.tables import MISSING
from vidgen_nb.inputs.text_files import rows_of_csv, rows_of_json, rows_of_json_lines, rows_of_text

pd = pytest.importorskip("pandas")

TWO = [Scene("s001", "a lighthouse"), Scene("s002", "a harbour")]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "# a comment\n\na lighthouse\r\n  a harbour \n"), ("a.txt", b"\xef\xbb\xbfa lighthouse\na harbour"),
        ("a.csv", "prompt\na lighthouse\n\na harbour\n"),
        ("A.CSV", b"\xef\xbb\xbfPrompt ,id\r\na lighthouse,\r\na harbour,s002\r\n"),
        ("a.csv", "id;prompt\ns001;a lighthouse\n;a harbour"), ("a.json", '["a lighthouse", {"prompt": "a harbour"}]'),
        ("a.json", '{"scenes": [{"id": "s001", "prompt": "a lighthouse"}, "a harbour"]}'),
        ("a.jsonl", '"a lighthouse"\n\n{"id": null, "prompt": "a harbour"}\n'),
    ],
)  # fmt: skip
def test_formats(tmp_path: Path, name: str, content: str | bytes) -> None:
    """Every format gives the same scenes, by Path and by str."""
    path = write(tmp_path, name, content)
    assert load_scenes(path) == TWO
    assert load_scenes(str(path)) == TWO


def test_what_is_at_hand() -> None:
    """Text of several lines, lists of prompts, mappings and scenes, a generator and a single scene are scenes too."""
    assert load_scenes("a lighthouse\na harbour\n") == TWO
    assert load_scenes(["a lighthouse", {"prompt": "a harbour"}]) == TWO
    assert load_scenes(scene for scene in TWO) == TWO
    assert load_scenes(TWO[0]) == TWO[:1]
    assert load_scenes([]) == []
    assert load_scenes([{"id": 7, "prompt": "x", "seconds": 4}]) == [Scene("7", "x", seconds=4)]
    assert load_scenes(["x"] * 1000)[0].id == "s0001"


def test_parameters_of_a_csv(tmp_path: Path) -> None:
    """Cells that look like numbers are numbers, empty cells are not there, ids stay text."""
    path = write(tmp_path, "a.csv", "id,prompt,seconds,size,cfg,seed,x\n007,12,4,1280x720,1.5,,1e400\n")
    assert load_scenes(path) == [Scene("007", "12", seconds=4, size="1280x720", cfg=1.5, x="1e400")]


def test_a_dataframe() -> None:
    """A DataFrame's columns are parameters; missing cells are left out; numpy's numbers are plain ones."""
    frame = pd.DataFrame(
        {"id": [1, 2], "prompt": ["a", "b"], "seconds": pd.array([4, None], dtype="Int64"), "cfg": [float("nan"), 1.5]}
    )
    assert load_scenes(frame) == [Scene("1", "a", seconds=4), Scene("2", "b", cfg=1.5)]
    assert [scene.id for scene in load_scenes(pd.DataFrame({"prompt": ["a", "b"]}))] == ["s001", "s002"]
    with pytest.raises(InputError, match="scene 2: it has no prompt"):
        load_scenes(pd.DataFrame({"prompt": ["a", None]}))


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "words"),
    [
        ("a.csv", 'prompt,x\n"two\nlines",1\nb,1,2\n', 4, 3, "line 4 has 3 values; the header has 2 columns. Quote"),
        ("a.csv", "prompt,x\nb\n", 2, 2, "has 1 value;"), ("a.csv", "id,x\n1,2\n", 1, 1, "no column is named 'prompt'"),
        ("a.csv", "x,prompt\n1, \n", 2, 2, "an empty prompt"), ("a.csv", 'prompt,x\na,"b"c\n', 2, 2, "malformed CSV"),
        ("a.csv", 'prompt,x\n"a ""b"" c",1\na,"never closed\n\n', 3, 2, "malformed CSV"),
        ("a.csv", "prompt,x,x\n", 1, 3, "twice"), ("a.csv", "prompt,\na,b\n", 2, 2, "without a name"),
        ("a.csv", "prompt\n", None, None, "no scenes"), ("a.csv", "prompt,self\na,1\n", 2, None, "'self'"),
        ("a.json", '["a",\n  b]', 2, 3, "malformed JSON"),
        ("a.json", '["a", 3]', None, None, "scene 2: a scene is a prompt"),
        ("a.json", '[{"prompt": ""}]', None, None, "empty prompt"), ("a.json", "{}", None, None, "scenes"),
        ("a.json", '{"scenes": 3}', None, None, "not int"),
        ("a.json", '[{"prompt": "x", "y": NaN}]', None, None, "NaN"),
        ("a.json", "[" * 100_000, None, None, "can't be read"),
        ("a.json", "[" + "9" * 5000 + "]", None, None, "can't be read"),
        ("a.json", "", 1, 1, "malformed"), ("a.json", "[]", None, None, "no scenes"),
        ("a.jsonl", '"a"\n{"prompt": \n', 2, 12, "malformed"),
        ("a.jsonl", '"a"\n{"x": 1}', 2, None, "no prompt; found: 'x'"),
        ("a.txt", "", None, None, "no scenes"), ("a.txt", "# x\n", None, None, "no scenes"),
        ("a.txt", b"good\nb\xe4d", 2, 2, "0xe4 is not UTF-8"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, column: int | None, words: str
) -> None:
    """A malformed file is reported with its path, line and column, and what is wrong there."""
    path = write(tmp_path, name, content)
    with pytest.raises(FileFormatError) as caught:
        load_scenes(path)
    assert (caught.value.path, caught.value.line, caught.value.column) == (str(path), line, column)
    assert words in str(caught.value)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    """A missing file, a folder, and an impossible name are distinguished from bad content."""
    (tmp_path / "folder.txt").mkdir()
    for name in ("none.csv", "folder.txt", "a\0.txt"):
        with pytest.raises(FileFormatError):
            load_scenes(tmp_path / name)


@pytest.mark.parametrize("source", ["a prompt", "a.xlsx", 3, None, b"x", {"prompt": "x"}])
def test_what_is_no_source(source: Any) -> None:
    """Anything else is an input error that says what is expected."""
    with pytest.raises(InputError):
        load_scenes(source)


def test_duplicates(tmp_path: Path) -> None:
    """The same id twice is an error that names it and the line, also where one of the two was counted."""
    with pytest.raises(DuplicateScene, match="line 3") as caught:
        load_scenes(write(tmp_path, "a.csv", "id,prompt\nx,a\nx,b\n"))
    assert caught.value.scene == "x"
    with pytest.raises(DuplicateScene, match="'s001' is given twice"):
        load_scenes(["a", Scene("s001", "b")])


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: text.strip() and not MISSING.fullmatch(text.strip())
)
"""What a table can hold; words such as NaN and null stand for a missing cell."""


@given(st.lists(cells, min_size=1))
def test_csv_reads_back_what_csv_writes(prompts: list[str]) -> None:
    """Any text in a well-formed CSV comes out as the prompt, and the lines are counted as in the file."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["prompt"], *([prompt] for prompt in prompts)])
    rows = list(rows_of_csv(text.getvalue(), "a.csv"))
    assert [row["prompt"] for _, row in rows] == [prompt.strip() for prompt in prompts]
    lines = [line for line, _ in rows]
    assert lines == sorted(set(lines))  # type: ignore[type-var]


@given(st.text() | st.text(alphabet='prompt,;"\n\r x\t'))
def test_any_text_is_rows_or_a_format_error(text: str) -> None:
    """No text makes a reader fail in another way than with a FileFormatError."""
    for reader in (rows_of_text, rows_of_csv, rows_of_json, rows_of_json_lines):
        with suppress(FileFormatError):
            list(reader(text, "a"))


@given(st.lists(st.text(min_size=1).filter(str.strip)))
def test_json_reads_back(prompts: list[str]) -> None:
    """Prompts written as JSON are read as they are."""
    assert [item for _, item in rows_of_json(json.dumps(prompts), "a")] == prompts
    assert [item for _, item in rows_of_json_lines("\n".join(map(json.dumps, prompts)), "a")] == prompts


def test_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both table forms, keys from the environment by name or by default, and keys in the file."""
    monkeypatch.setenv("ALICE_KEY", "sk-a")
    monkeypatch.setenv("CAROL_API_KEY", "sk-c")
    content = """
        [[profile]]
        name = "alice"
        key_env = "ALICE_KEY"
        capacity = 4
        quota_group = "x"
        base_url = "http://127.0.0.1:9/v1"
        [profiles.bob]
        api_key = "sk-b"
        [profiles.carol]
    """
    profiles = load_profiles(write(tmp_path, "p.toml", content))
    assert [(p.name, p.api_key.reveal(), p.capacity) for p in profiles] == [
        ("alice", "sk-a", 4), ("bob", "sk-b", None), ("carol", "sk-c", None),
    ]  # fmt: skip
    assert (profiles[0].quota_group, profiles[0].base_url) == ("x", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ("[[profile]]\nname = alice\n", 2, 8, "malformed TOML"), ('[[profile]]\nname = "a', 2, 10, "malformed TOML"),
        ("x = " + "9" * 5000, None, None, "can't be read"), ("", None, None, "no profiles"),
        ('[[profile]]\nname="a"\ncapcity=3', None, None, "unknown key 'capcity'; did you mean 'capacity'?"),
        ('[[profil]]\nname="a"', None, None, "did you mean 'profile'?"),
        ("[[profile]]\ncapacity=3", None, None, "has no name"),
        ('[[profile]]\nname="a"\napi_key="sk-1"\ncapacity=0', None, None, "capacity is a whole number"),
        ('[[profile]]\nname="a"\napi_key=17', None, None, "api_key must be a text"),
        ("profile = 3", None, None, "[[profile]]"),
        ('[[profile]]\nname="a"\napi_key="sk-1"\nkey_env="A"', None, None, "both"),
        ('[[profile]]\nname="a"\nkey_env="sk-1"', None, None, "key_env is the name"),
        (b'[[profile]]\nname="\xff"', 2, 7, "not UTF-8"),
        ('[[profile]]\nname="a"\nsk-1 = "api_key"', None, None, "profile 1: an unknown option, not shown"),
        ('[[profile]]\nname="a"\napi_key_sk-1 = ""', None, None, "an unknown option, not shown"),
        ('sk-1 = "x"', None, None, "an unknown option, not shown as it may be an API key (known: profile, profiles)"),
        ('[[profile]]\nname="a"\napi_key="x"\ncapacity="sk-1"', None, None, "or None for no bound, not a str"),
    ],
)  # fmt: skip
def test_mistakes_in_profiles(
    tmp_path: Path, content: str | bytes, line: int | None, column: int | None, words: str
) -> None:
    """A malformed file of profiles is reported with position and hint, and shows no key."""
    with pytest.raises(FileFormatError) as caught:
        load_profiles(write(tmp_path, "p.toml", content))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_missing_keys_and_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that isn't set is named, an empty key counts as missing, and a name may appear once."""
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(MissingKey, match="NOT_SET"):
        load_profiles(write(tmp_path, "p.toml", '[[profile]]\nname="a"\nkey_env="NOT_SET"'))
    with pytest.raises(MissingKey, match="api_key is empty"):
        load_profiles(write(tmp_path, "p.toml", '[[profile]]\nname="a"\napi_key=" "'))
    with pytest.raises(InputError, match="'a' appears twice"):
        load_profiles(write(tmp_path, "p.toml", '[[profile]]\nname="a"\napi_key="x"\n[profiles.a]\napi_key="y"'))
