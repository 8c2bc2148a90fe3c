"""A run as a file of JSON lines: the header first, then every event.

Saved runs and journals share this format; a journal also has lines that are no events (`left_lines`). A journal may end
in the middle of a line if its program was killed or its machine lost power during a write: that line is skipped, with a
warning.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from vidgen_nb.core.events import Event
from vidgen_nb.errors import FileFormatError
from vidgen_nb.plaintext import one_line
from vidgen_nb.recording.codec import decode, encode, encode_plainly, plain
from vidgen_nb.recording.left_lines import LeftLines, is_left_line

__all__ = [
    "FORMAT",
    "ParsedRun",
    "event_line",
    "header_line",
    "left_line",
    "left_lines_line",
    "line_of",
    "parse",
    "read_run",
    "write_run",
]

log = logging.getLogger("vidgen_nb")

FORMAT = 1
"""Version of the format; stands in the header as `vidgen_nb_run`."""

_AS_JSON: Final[Mapping[str, Any]] = {"allow_nan": False, "check_circular": False, "separators": (",", ":")}
_JSON = json.JSONEncoder(ensure_ascii=False, **_AS_JSON).encode
_WITH_PLAIN = json.JSONEncoder(ensure_ascii=False, default=plain, **_AS_JSON).encode
_ASCII = json.JSONEncoder(**_AS_JSON).encode
_NEXT_EVENT: Final = ',{"event":'
_BATCH: Final = 1000


@dataclass(frozen=True)
class ParsedRun:
    """The content of a file."""

    header: dict[str, Any]
    events: list[Event]
    length: int
    """Bytes up to the end of the last complete event."""
    torn_bytes: int
    """Bytes after that, of an incomplete line."""
    lacks_newline: bool
    """Whether the last event has no line end."""
    left: LeftLines = field(default_factory=LeftLines)
    """Which attempts had not left."""


def write_run(path: str | os.PathLike[str], header: dict[str, Any], events: Iterable[Event]) -> Path:
    """Write a run and return its path; an existing file is replaced once the new one is complete."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(header_line(header))
            each = iter(events)
            while batch := list(islice(each, _BATCH)):
                file.write(_event_lines(batch))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def read_run(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[Event]]:
    """Read header and events of a run.

    Raises `FileFormatError`, with the line, if the file is not a run, has a newer format, or is damaged.
    """
    name = str(path)
    try:
        content = Path(path).read_bytes()
    except IsADirectoryError:
        raise FileFormatError(name, "is a folder: give the path of a run's file in it") from None
    except OSError as error:
        raise FileFormatError(name, f"can't be read: {error.strerror}") from None
    found = parse(name, content)
    return found.header, found.events


def parse(name: str, content: bytes) -> ParsedRun:
    """Read header and events from a file's content; raises like `read_run`."""
    lines = content.split(b"\n")
    last = lines.pop()  # what follows the last line end: usually nothing
    header = _header(name, lines[0] if lines else last)
    events: list[Event] = []
    left = LeftLines()
    # an editor's byte order mark and Windows' line ends do no harm
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            _take(name, number, line, _object(name, number, line), events, left)
    torn = 0
    if lines and last.strip(b"\0 \r\t"):  # zeros: after a crash of the machine, a file may be longer than its content
        try:
            data = _object(name, len(lines) + 1, last)
        except FileFormatError:
            torn = len(last)
            log.warning("%s ends in the middle of line %d, which is skipped", one_line(name), len(lines) + 1)
        else:
            _take(name, len(lines) + 1, last, data, events, left)
    elif lines:
        torn = len(last)
    return ParsedRun(header, events, len(content) - torn, torn, bool(last) and not torn, left)


def line_of(content: bytes, index: int) -> int:
    """Return the line number (from 1) of the event with that index (from 0)."""
    lines = enumerate(content.split(b"\n"), 1)
    events = (number for number, line in lines if number > 1 and line.strip() and not is_left_line(line))
    return next(number for position, number in enumerate(events) if position == index)


def header_line(header: dict[str, Any]) -> bytes:
    """Return the first line of a file."""
    return _line({"vidgen_nb_run": FORMAT, **plain(header)})


def event_line(event: Event) -> bytes:
    """Return an event's line."""
    return _line(encode(event))


def _event_lines(events: Sequence[Event]) -> bytes:
    """Return the lines of many events: the same as one by one, in less time.

    They are written as one list, and parted where an event begins. That can't be read out of a text, in which quotes
    are escaped; where a scene's parameters have something that looks the same there is one part too many.
    """
    try:
        parts = _WITH_PLAIN(list(map(encode_plainly, events)))[1:-1].split(_NEXT_EVENT)
        if len(parts) == len(events):
            return (f"\n{_NEXT_EVENT[1:]}".join(parts) + "\n").encode()
    except ValueError:  # half a surrogate pair, or a number that is not finite
        pass
    return b"".join(map(event_line, events))


def left_line(scene: str, number: int) -> bytes:
    """Return the line that says that an attempt's submit leaves."""
    return _line({"left": scene, "number": number})


def left_lines_line(boot: str) -> bytes:
    """Return the line from which on there are such lines; an empty `boot`: no longer."""
    return _line({"left_lines": boot or None})


def _line(data: dict[str, Any]) -> bytes:
    """Return JSON in UTF-8, or in ASCII with escapes if a text has half a surrogate pair, which UTF-8 can't encode."""
    try:
        return (_JSON(data) + "\n").encode()
    except UnicodeEncodeError:
        return (_ASCII(data) + "\n").encode()


def _header(name: str, line: bytes) -> dict[str, Any]:
    line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        header = _object(name, 1, line)
    except FileFormatError as error:
        if error.line is None or not _is_text(line):
            raise FileFormatError(name, "not a run of vidgen_nb: not UTF-8 text") from None
        raise FileFormatError(name, "not a run of vidgen_nb: its first line is not a header", 1, error.column) from None
    version = header.pop("vidgen_nb_run", None)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise FileFormatError(name, "not a run of vidgen_nb: its first line has no 'vidgen_nb_run' of 1 or more", 1)
    if version > FORMAT:
        raise FileFormatError(name, f"written by a newer vidgen_nb (format {version}, known: {FORMAT}): upgrade", 1)
    return header


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _take(name: str, number: int, line: bytes, data: dict[str, Any], events: list[Event], left: LeftLines) -> None:
    try:
        if is_left_line(line):
            left.take_line(data)
        else:
            events.append(decode(data))
            left.take_event(events[-1])
    except ValueError as error:
        raise FileFormatError(name, str(error), number) from None


def _object(name: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        data = _DECODE(line.decode())
    except UnicodeDecodeError as error:
        raise FileFormatError(name, f"not UTF-8 text (byte {error.start} of the line)", number) from None
    except json.JSONDecodeError as error:
        raise FileFormatError(name, f"not JSON: {error.msg}", number, error.colno) from None
    except (ValueError, RecursionError) as error:  # NaN; a number of 5,000 digits; 100,000 brackets
        raise FileFormatError(name, f"not JSON: {error}", number) from None
    if not isinstance(data, dict):
        raise FileFormatError(name, f"expected a JSON object, not {type(data).__name__}", number)
    return data


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


_DECODE = json.JSONDecoder(parse_constant=_refuse).decode
"""Made once: `json.loads` would make one for each line."""
