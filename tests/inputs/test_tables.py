"""Tables as Excel, Google Sheets and pandas write them: the same scenes, whoever wrote the file."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen_nb.core.model import Scene
from vidgen_nb.errors import DuplicateScene, FileFormatError, InputError
from vidgen_nb.inputs import load_scenes

pd = pytest.importorskip("pandas")

FOX = [Scene("s001", "a fox", seconds=4), Scene("s002", "an owl", seconds=8)]
PLAIN = "prompt,seconds\na fox,4\nan owl,8\n"


def scenes_of(content: str | bytes, name: str = "a.csv") -> list[Scene]:
    """Return the scenes of a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_scenes(path)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN, PLAIN.replace(",", ";"), PLAIN.replace(",", "\t"), PLAIN.replace(",", "|"), PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("prompt", "PROMPT"), PLAIN.replace("prompt", '" Prompt "'),
        "prompt,seconds,,\na fox,4,,\nan owl,8,,\n,,,\n", "prompt,seconds,\na fox,4,\nan owl,8\n",
        PLAIN.replace("fox,4", "fox,4,,,"), ",,\n\nprompt,seconds,\na fox,4,\n,,\nan owl,8,\n",
        ",prompt,seconds\n0,a fox,4\n1,an owl,8\n", "Unnamed: 0,prompt,seconds\n0,a fox,4\n1,an owl,8\n",
        "Unnamed: 0.1,Unnamed: 0,prompt,seconds\n0,0,a fox,4\n1,1,an owl,8\n",
        "prompt,seconds\n0,a fox,4\n1,an owl,8\n",
        "index,prompt,seconds\n3,a fox,4\n7,an owl,8\n", ",,prompt,seconds\na,0,a fox,4\na,1,an owl,8\n",
        "sep=;\r\nprompt;seconds\r\na fox;4\r\nan owl;8\r\n", '"sep=\t"\nprompt\tseconds\na fox\t4\nan owl\t8\n',
        "sep=,\n" + PLAIN,
        "prompt,seconds,note\na fox,4.0,\nan owl,8.0,#N/A\n", "prompt;seconds\na fox;4,0\nan owl;8\n",
        PLAIN + "\x1a", PLAIN + "\0",
        "prompt,empty,,seconds\na fox,,,4\nan owl,,,8\n", "\ufeff" + PLAIN, "\ufeffsep=,\n" + PLAIN,
        PLAIN.encode("utf-16"), PLAIN.encode("utf-16-le"), PLAIN.encode("utf-16-be"), PLAIN.encode("utf-32"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"), PLAIN.replace(",", "\t").encode("utf-16"),
    ],
    ids=lambda content: ascii(content)[:60],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_every_dialect_gives_the_same_scenes(content: str | bytes, name: str) -> None:
    """Delimiters, empty rows and columns, indexes, Excel's first line, encodings: also in Excel's "Unicode text"."""
    assert scenes_of(content, name) == FOX


def test_plain_csv_of_excel_is_windows_1252() -> None:
    """Umlauts, accents, dashes and typographic quotes come out as they went in."""
    prompt = "Ein früher Leuchtturm – „Übersee“, é, ñ, 20 °C, m², 5 €, œuf"
    assert scenes_of(f"prompt;seconds\r\n{prompt};4\r\n".encode("cp1252")) == [Scene("s001", prompt, seconds=4)]


@pytest.mark.parametrize(
    ("prompt", "encoding"),
    [
        ("ранний маяк", "cp1251"), ("灯台の朝", "shift-jis"), ("灯塔", "gbk"), ("łódź o świcie, żółta", "cp1250"),
        ("früher Leuchtturm", "mac_roman"), ("φάρος", "cp1253"),
    ],
)  # fmt: skip
def test_other_encodings_are_not_guessed(prompt: str, encoding: str) -> None:
    """Wrong letters in a prompt would be paid for: the error says line and column, and what to do."""
    with pytest.raises(FileFormatError, match="is not UTF-8; save the file as UTF-8") as caught:
        scenes_of(f"prompt,seconds\n{prompt},4\n".encode(encoding))
    assert caught.value.line == 2 and caught.value.column


def test_a_cell_may_be_long() -> None:
    """The csv module takes 128 KiB; its limit, which is one for the whole process, is as before."""
    limit = csv.field_size_limit()
    prompt = "a fox, " * 40_000 + "in snow"
    assert scenes_of(f'prompt,seconds\n"{prompt}",4\n') == [Scene("s001", prompt, seconds=4)]
    assert csv.field_size_limit() == limit


def test_cells_are_what_they_look_like() -> None:
    """Numbers, also with a decimal comma between semicolons, and booleans; the rest stays text."""
    content = (
        "id;prompt;cfg;seed;hd;loop;code;much\n1.0;12;1,5;12345678901234567890;TRUE;false;007;1.280,5\n2;x;,5;;;;;\n"
    )
    one = Scene("1", "12", cfg=1.5, seed=12345678901234567890, hd=True, loop=False, code="007", much="1.280,5")
    assert load_scenes(pd.DataFrame({"prompt": ["x"], "at": [pd.array([1, 2]).to_numpy()]}))[0].params["at"] == [1, 2]
    assert dict(scenes_of("prompt,a,b\nx,1e+300,1e400\n")[0].params) == {"a": 1e300, "b": "1e400"}
    assert scenes_of(content) == [one, Scene("2", "x", cfg=0.5)]
    assert dict(scenes_of(f"prompt,a,b,c,d\nx,{1 / 81},{1 / 8100},+2,5.\n")[0].params) == {
        "a": 1 / 81, "b": 1 / 8100, "c": 2, "d": 5
    }  # fmt: skip
    [scene] = scenes_of('prompt,cfg,size\nx,"1,5",1e5\n')  # between commas it may be a list, or a thousand
    assert dict(scene.params) == {"cfg": "1,5", "size": 100_000}
    assert type(scenes_of("prompt,seconds\nx,4.0\n")[0].params["seconds"]) is int


def test_spaces_before_quotes() -> None:
    """Some write them after each comma: a prompt with a comma is whole all the same."""
    assert scenes_of('seconds, prompt\n4, "a fox, red"\n8, an owl\n') == [
        Scene("s001", "a fox, red", seconds=4), Scene("s002", "an owl", seconds=8)
    ]  # fmt: skip
    assert scenes_of('seconds, prompt\n4, "Hi" says a fox\n')[0].prompt == '"Hi" says a fox'


def test_a_single_column_needs_no_quotes() -> None:
    """A header without any delimiter: the one is taken that leaves every row whole."""
    assert scenes_of("Prompt\na fox, red\nan owl\n") == [Scene("s001", "a fox, red"), Scene("s002", "an owl")]
    assert scenes_of("Prompt\na fox; red\nan owl\n")[0].prompt == "a fox; red"


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ("prompt,x,X,x\na,1,2,3\n", 1, 4, "column 'x' appears twice: rename or remove"),
        ("prompt,Prompt\na,b\n", 1, 2, "column 'prompt' appears twice"),
        ("prompt,x,x.1\na,1,2\n", 1, 3, "column 'x' appears twice"),
        ("\nprompt,x,\na,1,oops\n", 3, 3, "a column without a name has a cell, 'oops': name the column"),
        ("prompts,x\na,1\n", 1, 1, "no column is named 'prompt'; the first row has the names: 'prompts', 'x'"),
        ("sep=;\nprompt;x\na;1\n;2\n", 4, 1, "an empty prompt"), ("prompt,x\n#N/A,1\n", 2, 1, "an empty prompt"),
        ("prompt,x\na,#REF!\n", 2, 2, "#REF! is an error of the spreadsheet: mend its formula"),
        ("prompt\n#NAME?\n", 2, 1, "an error of the spreadsheet"),
        ("prompt;x\na;#NV\n", 2, 2, "#NV is an error"), ("prompt,x\na,-inf\n", 2, 2, "-inf is no number"),
        ("# scenes of May\nprompt,x\na,1\n", 1, 1, "no column is named 'prompt'; the first row"),
        ("prompt,x\na, red,4\n", 2, 3, "Quote prompts that"),
        (b"PK\x03\x04rest", None, None, "a workbook and no text: save it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", None, None, "pass the table itself: load_scenes(pandas.read_excel("),
        (PLAIN.encode("utf-16")[:-1], None, None, "this is not UTF-16; save the file as UTF-8"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place(content: str | bytes, line: int | None, column: int | None, words: str) -> None:
    """What can't be read is said with line and column, and what to do."""
    with pytest.raises(FileFormatError) as caught:
        scenes_of(content)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["scenes.xlsx", "scenes.XLS", "scenes.ods", "scenes.parquet"])
def test_a_workbook_by_name(name: str, tmp_path: Path) -> None:
    """Given by its name, whether it is there or not, it says what to do."""
    with pytest.raises(InputError, match=r"is a workbook and no text: save it as CSV.*load_scenes\(pandas.read_"):
        load_scenes(tmp_path / name)


def test_what_a_dataframe_may_hold() -> None:
    """Mixed case, missing values of all kinds, numbers as floats and texts, days and times, categories, empty rows."""
    frame = pd.DataFrame(
        {
            "Unnamed: 0": [0, 1, 2], " Prompt": ["a fox ", None, "an owl"], "ID": [1.0, None, 2.0],
            "seconds": [4.0, float("nan"), 8.0], "cfg": pd.array([1.5, None, None], dtype="Float64"),
            "day": pd.to_datetime(["2026-01-02", None, None]), "at": pd.to_datetime(["2026-01-02 10:00", None, None]),
            "kind": pd.Categorical(["x", None, None]), "hd": pd.array([True, None, False], dtype="boolean"),
            "n": ["5", "", " "], "Unnamed: 10": [None, None, None],
        }
    )  # fmt: skip
    first = Scene("1", "a fox", seconds=4, cfg=1.5, day="2026-01-02", at="2026-01-02 10:00:00", kind="x", hd=True, n=5)
    assert load_scenes(frame) == [first, Scene("2", "an owl", seconds=8, hd=False)]
    assert type(load_scenes(frame)[0].params["seconds"]) is int


def test_the_index_of_a_dataframe() -> None:
    """An index with a name is a column, as in its CSV; one without is not read."""
    frame = pd.DataFrame({"id": ["x", "y"], "prompt": ["a", "b"]})
    assert load_scenes(frame.set_index("id")) == load_scenes(frame) == [Scene("x", "a"), Scene("y", "b")]
    assert load_scenes(frame.set_index(["id", "prompt"])) == load_scenes(frame)
    unnamed = pd.DataFrame({"prompt": ["a", "b"]}, index=["x", "y"])
    assert load_scenes(unnamed) == [Scene("s001", "a"), Scene("s002", "b")] == scenes_of(unnamed.to_csv())
    assert load_scenes(frame[frame.id == "y"].drop(columns="id").reset_index()) == [Scene("s001", "b")]


def test_mistakes_in_a_dataframe() -> None:
    """They name the row, counted from 1, the column, and what to do."""
    with pytest.raises(InputError, match="column 'x' appears twice"):
        load_scenes(pd.DataFrame([["a", 1, 2]], columns=["prompt", "x", "x"]))
    with pytest.raises(InputError, match="column 'x' appears twice"):
        load_scenes(pd.read_csv(io.StringIO("prompt,x,x\na,1,2\n")))
    with pytest.raises(InputError, match="row 2, column 2: #REF! is an error"):
        load_scenes(pd.DataFrame({"prompt": ["a", "b"], "x": ["1", "#REF!"]}))
    with pytest.raises(InputError, match="scene 2: it has no prompt"):
        load_scenes(pd.DataFrame({"prompt": ["a", None], "x": [1, 2]}))
    with pytest.raises(InputError, match="no prompt; found: 'text'"):
        load_scenes(pd.DataFrame({"text": ["a"]}))
    with pytest.raises(InputError, match=r"read it with its own delimiter, such as pandas.read_csv"):
        load_scenes(pd.read_csv(io.StringIO(PLAIN.replace(",", ";"))))
    with pytest.raises(InputError, match="column 'x' appears twice"):
        load_scenes(pd.DataFrame([["a", 1, 2]], columns=["prompt", "x", "x_duplicated_0"]))  # as polars names it
    with pytest.raises(InputError, match="row 1, column 2: inf is no number"):
        load_scenes(pd.DataFrame({"prompt": ["a"], "x": [float("inf")]}))
    with pytest.raises(DuplicateScene):
        load_scenes(pd.DataFrame({"id": [1, 1], "prompt": ["a", "b"]}))


def test_digits_that_pandas_has_lost() -> None:
    """A seed of 64 bits is not sent with other digits: a missing one makes floats of a column."""
    text = "prompt,seed\na,9007199254740993\nb,{}\n"
    assert load_scenes(pd.read_csv(io.StringIO(text.format(1)))) == scenes_of(text.format(1))
    whole = pd.read_csv(io.StringIO(text.format("")), dtype={"seed": "Int64"})
    assert load_scenes(whole) == scenes_of(text.format(""))
    with pytest.raises(InputError, match=r"row 1, column 2: 9007199254740992 is a float.*{'seed': 'Int64'}"):
        load_scenes(pd.read_csv(io.StringIO(text.format(""))))
    huge = f"prompt,seed\na,{10**30}\n"
    assert load_scenes(pd.read_csv(io.StringIO(huge))) == scenes_of(huge) == [Scene("s001", "a", seed=str(10**30))]


@pytest.mark.parametrize(
    "text", ["prompt\na fox, in snow\nan owl, at night\n", "prompt,seconds\na fox, in snow,4\nan owl, at night,8\n"]
)
def test_prompts_that_pandas_has_cut(text: str) -> None:
    """read_csv takes a first cell too many for the index: half a prompt is not paid for."""
    with pytest.raises(InputError, match="row 1: the prompt ' in snow' begins with a space, and 'a fox' stands in the"):
        load_scenes(pd.read_csv(io.StringIO(text)))
    assert load_scenes(pd.DataFrame({"prompt": [" a", "b"]})) == load_scenes(["a", "b"])


def test_numbers_as_prompts() -> None:
    """1 and 1.0 are the same, in a file or a frame; a text with a point is not cut."""
    for text in ("prompt,x\n1.0,a\n2.0,b\n", "prompt,x\n1,a\n2,b\n", "prompt,x\n1,a\n,\n2,b\n"):
        scenes = [Scene("s001", "1", x="a"), Scene("s002", "2", x="b")]
        assert load_scenes(pd.read_csv(io.StringIO(text))) == scenes_of(text) == scenes
    assert [each.prompt for each in scenes_of("prompt,x\n1.5 m of fox,a\n2.0,b\n")] == ["1.5 m of fox", "2.0"]


texts = st.text(st.sampled_from("aé灯\"';,|\t\n =#1.-"), max_size=8).map(lambda text: f"x{text}y")
tables = st.lists(
    st.fixed_dictionaries(
        {
            "prompt": texts, "seconds": st.none() | st.integers(1, 60),
            "cfg": st.none() | st.integers(-400, 400).map(lambda quarters: quarters / 4), "style": st.none() | texts,
            "hd": st.booleans(),
        }
    ),
    min_size=1, max_size=5,
)  # fmt: skip


def without_fractions(rows: list[dict[str, Any]]) -> list[Scene]:
    """Return the scenes that are meant."""
    return load_scenes([{name: value for name, value in row.items() if value is not None} for row in rows])


@settings(deadline=None)
@given(
    rows=tables, delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    name=st.sampled_from(["prompt", "Prompt", " PROMPT "]), extra=st.integers(0, 2), announced=st.booleans(),
)  # fmt: skip
def test_what_a_spreadsheet_writes(
    rows: list[dict[str, Any]], delimiter: str, quoting: Any, end: str, encoding: str, name: str, extra: int,
    announced: bool,
) -> None:  # fmt: skip
    """In each dialect the same scenes: delimiters, quotes, line ends, encodings, empty columns and rows, `sep=`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow([name, "seconds", "cfg", "style", "hd", *[""] * extra])
    for row in rows:
        values = [row[name] for name in ("prompt", "seconds", "cfg", "style", "hd")]
        cells = ["" if each is None else str(each).upper() if isinstance(each, bool) else each for each in values]
        cells[2] = str(cells[2]).replace(".", ",") if delimiter == ";" else cells[2]
        writer.writerow([*cells, *[""] * extra])
        writer.writerow([""] * (5 + extra))
    first = f"sep={delimiter}{end}" if announced else ""
    assert scenes_of((first + text.getvalue()).encode(encoding)) == without_fractions(rows)


@settings(deadline=None)
@given(
    rows=tables, delimiter=st.sampled_from(",;\t"), index=st.booleans(), na=st.sampled_from(["", "NaN", "NA", "<NA>"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), nullable=st.booleans(),
)  # fmt: skip
def test_what_pandas_writes(
    rows: list[dict[str, Any]], delimiter: str, index: bool, na: str, encoding: str, nullable: bool
) -> None:
    """A frame, the CSV of it, and the frame that pandas reads from that CSV give the same scenes."""
    frame = pd.DataFrame(rows)
    frame = frame.convert_dtypes() if nullable else frame
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        frame.to_csv(path, sep=delimiter, index=index, na_rep=na, encoding=encoding)
        expected = without_fractions(rows)
        assert load_scenes(frame) == expected
        assert load_scenes(path) == expected
        assert load_scenes(pd.read_csv(path, sep=delimiter, encoding=encoding)) == expected
        assert load_scenes(pd.read_csv(path, sep=delimiter, encoding=encoding, dtype=str)) == expected


def test_a_table_that_is_pasted() -> None:
    """What is copied from a spreadsheet has tabs: its header is no prompt to be paid for."""
    assert load_scenes(PLAIN.replace(",", "\t")) == FOX
    with pytest.raises(FileFormatError, match="the text, line 3, column 1: an empty prompt"):
        load_scenes("prompt\tseconds\na fox\t4\n\t8\n")
    assert load_scenes("a prompt, with a comma\nid, please\n")[0].prompt == "a prompt, with a comma"
