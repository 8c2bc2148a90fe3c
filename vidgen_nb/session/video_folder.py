"""The folder where videos land: each under its scene's name, and only when it is complete.

A download is written to a hidden `.part` file in the same folder, and renamed once its length and first bytes are
right: a file with a video's name is always whole. It is locked meanwhile: one that nobody has locked was left by a
program that died, and is removed when the folder is opened again.

Chunks are written synchronously: 64 KB into the page cache take about 20 µs, less than a switch to a thread and back.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Container
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from vidgen_nb.core.outcomes import Transient, Unwritable
from vidgen_nb.errors import InputError
from vidgen_nb.machine.local_trouble import local_trouble
from vidgen_nb.ports import BackendError
from vidgen_nb.recording.file_claims import claim
from vidgen_nb.recording.locks import HAS_LOCKS, close_held, lock, open_held
from vidgen_nb.session.video_files import missing_bytes, not_a_video, suffix_of

__all__ = ["VideoFolder", "VideoSink", "safe_name"]

_MAX_NAME_BYTES: Final = 180
"""Leaves room, below the usual limit of 255, for the suffix and for the mark of an unfinished file."""
_WINDOWS_DEVICES: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL
)
_ENDS_IN_HASH: Final = re.compile(r".*-[0-9a-f]{10}", re.DOTALL)
_PART: Final = re.compile(r"\..+\.\d+\.[0-9a-f]{16}\.part", re.DOTALL)
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
_HEAD_BYTES: Final = 512


class VideoFolder:
    """A folder of videos, made on first use; `sink()` opens one download into it.

    A video is never overwritten, because it was paid for: a second one of its name becomes `<name>-2.mp4`, unless
    `replace` is set. Raises `InputError` where the path cannot become a folder, before anything is paid for.
    """

    def __init__(self, folder: str | os.PathLike[str], *, replace: bool = False) -> None:
        self.path = Path(folder).expanduser()
        self._replace = replace
        # a later chdir in a notebook must not split a video from its place
        self._absolute = self.path.absolute()
        self.base = Path.cwd()
        """What relative paths start from: the working directory when the folder was named."""
        self._names: dict[str, str] | None = None
        nearest = next(place for place in (self._absolute, *self._absolute.parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise InputError(f"output folder {str(self.path)!r}: {str(nearest)!r} is not a folder; name another one")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise InputError(f"output folder {str(self.path)!r} can't be written to; name another one")

    def prepare(self) -> None:
        """Make the folder and check that it can be written to; `InputError` if not, before anything is sent."""
        try:
            part, file = self.open_part("probe", 0)
            close_part(file)
            with suppress(PermissionError):  # Windows: a scanner looks at it; it is swept later
                part.unlink()
            self._sweep()
        except OSError as error:
            problem = local_trouble(error) or f"{error.strerror or error}; name another one"
            raise InputError(f"output folder {str(self.path)!r} can't be written to: {problem}") from None

    def sink(self, scene_id: str, number: int, *, again: bool = False) -> VideoSink:
        """Return where the result of a scene's attempt goes; nothing is created before the first write.

        `again`: a program that ended before it could write so down may have fetched it already. A file with the same
        bytes under the scene's name is then taken for it, and no second one is made.
        """
        return VideoSink(self, scene_id, number, again)

    def sinks(self, begun_before: Container[tuple[str, int]]) -> Callable[[str, int], VideoSink]:
        """Return `sink` for a run of which another program began these attempts (scene, number)."""
        return lambda scene, number: VideoSink(self, scene, number, (scene, number) in begun_before)

    def name(self, scene_id: str) -> str:
        """Return the scene's file name without its suffix.

        It differs from the id, by a hash, if the id can't be a file name on every system, or if the folder has a file
        whose name differs in case alone.
        """
        if self._names is None:
            found = sorted(self._absolute.iterdir()) if self._absolute.is_dir() else []
            self._names = {_folded(file.stem): file.stem for file in found if not file.name.startswith(".")}
        name = safe_name(scene_id)
        if self._names.setdefault(_folded(name), name) != name:
            name = _with_hash(name, scene_id)
        return name

    def open_part(self, name: str, number: int) -> tuple[Path, BinaryIO]:
        """Open a new unfinished file, locked; a missing folder is made. `close_part` closes it."""
        self._absolute.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        while True:
            part = self._absolute / f".{name}.{number}.{secrets.token_hex(8)}.part"
            handle = open_held(part, flags)
            with suppress(OSError):  # this disk knows no locks: then nobody can take it for left, either
                lock(handle)
            if os.fstat(handle).st_nlink or os.name != "posix":
                return part, open(handle, "wb", closefd=False)
            close_held(handle)  # somebody swept it before it was locked

    def _sweep(self) -> None:
        """Remove unfinished files of programs that are dead: nobody has locked them."""
        for part in self._absolute.iterdir() if HAS_LOCKS else ():
            if _PART.fullmatch(part.name):
                with suppress(OSError):
                    handle = open_held(part, os.O_RDWR | getattr(os, "O_BINARY", 0))
                    try:
                        lock(handle)
                        if os.name == "posix":
                            part.unlink()
                    finally:
                        close_held(handle)
                    part.unlink(missing_ok=True)  # Windows removes no open file

    def place(self, part: Path, file_name: str, *, again: bool = False) -> str:
        """Give a finished file its name, or the first free one with `-2` and so on, and return its path.

        With `again`, a file of that name with the same bytes is kept instead.
        """
        target = Path(file_name)
        number = 1
        if self._replace:
            part.replace(self._absolute / target)
            return str(self.path / target)
        while not claim(part, self._absolute / target):
            if again and filecmp.cmp(part, self._absolute / target, shallow=False):
                part.unlink()
                break
            number += 1
            target = Path(file_name).with_stem(f"{Path(file_name).stem}-{number}")
        return str(self.path / target)


class VideoSink:
    """One download into the folder (a `ports.Sink`). Call `discard()` if it does not end in a commit."""

    def __init__(self, folder: VideoFolder, scene_id: str, number: int, again: bool = False) -> None:
        self.path: str | None = None
        """The video's path, once it is committed."""
        self._folder = folder
        self._scene_id = scene_id
        self._number = number
        self._again = again
        self._part: Path | None = None
        self._file: BinaryIO | None = None
        self._head = b""
        self._length = 0

    async def write(self, chunk: bytes) -> None:
        """Append bytes; `BackendError` (`Unwritable`: the video is paid for, so try again) if the disk refuses."""
        try:
            if self._file is None:
                self._part, self._file = self._folder.open_part(self._folder.name(self._scene_id), self._number)
            self._file.write(chunk)
        except OSError as error:
            raise self._refused(error) from error
        if len(self._head) < _HEAD_BYTES:
            self._head += bytes(chunk[: _HEAD_BYTES - len(self._head)])
        self._length += len(chunk)

    async def commit(self, *, expected: int | None, media_type: str | None) -> None:
        """Check the length (in bytes) and the type, give the file its name, and set `path`.

        Raises `BackendError` and leaves nothing behind: with a `Transient` outcome if the file is cut off or no video,
        with `Unwritable` if it can't be written.
        """
        if expected is not None and expected != self._length:
            problem: str | None = f"the video is cut off: {self._length} of {expected} bytes"
        else:
            problem = not_a_video(self._head, media_type)
        if problem is not None or self._file is None or self._part is None:
            self.discard()
            raise BackendError(Transient(problem or "the video is empty"))
        try:
            self._file.flush()
            if expected is None and (missing := missing_bytes(self._part)):
                self.discard()
                raise BackendError(Transient(f"the video is cut off: it lacks {missing} bytes of its last part"))
            if os.name != "posix":  # elsewhere it stays locked until it has its name
                close_part(self._file)
            file_name = self._folder.name(self._scene_id) + suffix_of(self._head, media_type)
            self.path = self._folder.place(self._part, file_name, again=self._again)
        except OSError as error:
            raise self._refused(error) from error
        close_part(self._file)
        self._file = self._part = None

    def discard(self) -> None:
        """Remove what was written, so that another download can begin; after a commit this does nothing."""
        file, part = self._file, self._part
        self._file, self._part, self._head, self._length = None, None, b"", 0
        with suppress(OSError):
            if file is not None:
                close_part(file)  # flushes: a full disk may refuse here too
        with suppress(OSError):
            if part is not None:
                part.unlink(missing_ok=True)

    def _refused(self, error: OSError) -> BackendError:
        self.discard()
        if trouble := local_trouble(error):
            return BackendError(Transient(f"can't write to {str(self._folder.path)!r}: {trouble}", local=True))
        return BackendError(Unwritable(f"can't write to {str(self._folder.path)!r}: {error.strerror or error}"))


def close_part(file: BinaryIO) -> None:
    """Close an unfinished file, and end its lock; once more does nothing."""
    if file.closed:
        return
    number = file.fileno()
    try:
        file.close()
    finally:
        close_held(number)


def safe_name(scene_id: str) -> str:
    """Return a file name, without suffix, that is the same file on every system, and that no other id gets.

    An id that is such a name already stays as it is; one that had to be changed gets a hash of the id. So does an id
    that looks as if it had one: it could be chosen to collide. Ids that differ in case alone are left to
    `VideoFolder.name`.
    """
    name = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in unicodedata.normalize("NFC", scene_id))
    name = name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
    # a leading dot hides, a leading dash reads as an option, Windows drops dots and spaces at the end
    start = len(name) - len(name.lstrip(" .-"))
    end = len(name.rstrip(" ."))
    name = "_" * start + name[start:end] if end > start else "_"
    if _WINDOWS_DEVICES.fullmatch(name):
        name = "_" + name
    return name if name == scene_id and not _ENDS_IN_HASH.fullmatch(name) else _with_hash(name, scene_id)


def _with_hash(name: str, scene_id: str) -> str:
    digest = hashlib.sha256(scene_id.encode(errors="surrogatepass")).hexdigest()[:10]
    return f"{name}-{digest}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
