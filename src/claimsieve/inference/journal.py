"""What is done of an output, kept so that any stop costs at most one part and the same command goes on.

Beside the output-to-be stands a folder `<output>.partial` with

    identity.json   input, model and options, of which nothing may have changed when one goes on
    output          the committed parts, one behind another, and perhaps the torn beginning of the next one
    rejects         the rejected rows, likewise
    memory          what the model said of inputs that it has met (inference/memory.py), likewise
    journal         one line a committed part: how long the three files are, their checksums, and the tally so far

A part is committed by its line: first the three files reach the disk, then the line does. Whatever follows the last
good line is cut off when one goes on. At the end a last line says so; then the files take their places, and the folder
goes.
"""

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

from claimsieve.errors import DataError
from claimsieve.whole_files import write_file

FILES = ("output", "rejects", "memory")
SUFFIX = ".partial"
_CHUNK_BYTES = 1 << 22
_OWN = (*FILES, "identity.json", ".identity.json.writing", "journal", "whole", "whole.writing")


@dataclass(frozen=True, slots=True)
class Committed:
    """How far an output is: parts, the bytes of each of FILES, the tally so far, and whether it was the last part."""

    parts: int = 0
    lengths: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(FILES, 0))
    tally: Mapping[str, int] = field(default_factory=dict)
    finished: bool = False


class Journal:
    """The folder of one output, held by one process at a time. Made by `open_journal`."""

    def __init__(self, target: Path, folder: Path) -> None:
        self._target, self._folder = target, folder
        self.committed = Committed()
        self._streams: dict[str, BinaryIO] = {}

    def path(self, name: str) -> Path:
        """Where one of FILES stands."""
        return self._folder / name

    def commit(self, parts: Mapping[str, bytes], tally: Mapping[str, int]) -> None:
        """Put the bytes behind what is there, and the tally that holds then. Afterwards no stop can lose them."""
        lengths = {name: self.committed.lengths[name] + len(parts.get(name, b"")) for name in FILES}
        with self._disk():
            for name, content in parts.items():
                if content:
                    self._streams[name].write(content)
                    _reach_disk(self._streams[name])
            sums = {name: zlib.crc32(parts.get(name, b"")) for name in FILES}
            self._write_line({"lengths": lengths, "sums": sums, "tally": dict(tally)})
        self.committed = Committed(self.committed.parts + 1, lengths, dict(tally))

    def end(self) -> None:
        """The output is whole; what remains is to put it in its place."""
        with self._disk():
            self._write_line({"finished": True})
        self.committed = replace(self.committed, finished=True)

    def make(self, name: str, write: Callable[[Path], None]) -> None:
        """A further file of the folder, there whole or not at all. write: makes the file of this path, on disk."""
        with self._disk():
            write(self.path(f"{name}.writing"))
            self.path(f"{name}.writing").replace(self.path(name))

    def place(self, name: str, target: Path) -> None:
        """Move a file of the folder to where it belongs, if it is not there already."""
        with self._disk():
            if self.path(name).exists():
                self.path(name).replace(target)
                _reach_disk_as_folder(target.parent)
            elif not target.exists():
                raise DataError(f"{target}: was finished in an earlier run and is gone. Begin anew with --restart.")

    def remove(self) -> None:
        """Everything stands in its place."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        for stream in self._streams.values():
            with suppress(OSError):  # a full disk was told of when it was met
                stream.close()

    def open_files(self) -> None:
        """Find what is committed, cut off what follows it, and be ready for more."""
        with self._disk():
            self.committed, length = _read(self._folder) if self.path("journal").exists() else (Committed(), 0)
            for name, end in {**self.committed.lengths, "journal": length}.items():
                if name == "journal" or not self.committed.finished:
                    self._streams[name] = self.path(name).open("ab")
                    self._streams[name].truncate(end)
            _reach_disk_as_folder(self._folder)
            _reach_disk_as_folder(self._folder.parent)

    def _write_line(self, entry: Mapping[str, Any]) -> None:
        text = json.dumps(entry)
        self._streams["journal"].write(f"{zlib.crc32(text.encode()):08x} {text}\n".encode())
        _reach_disk(self._streams["journal"])

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = f"What is done is kept in {self._folder.name}, and the same command goes on."
            elsewhere = "Make room or rights for it, or write to another place."
            advice = kept if self.committed.parts else elsewhere
            raise DataError(f"{self._target}: cannot be written: {error.strerror or error}. {advice}") from None


@contextmanager
def open_journal(target: Path, identity: Mapping[str, Any], *, restart: bool) -> Iterator[Journal]:
    """The journal of an output: that of an earlier run that was stopped, or a new one.

    identity: JSON of what the output hangs on. restart: throw away what an earlier run did. A folder in which nothing
    is committed counts as none, and does not outlive an error. Raises DataError when another process is at it, when
    the disk refuses, or when the earlier run had another identity, naming what changed.
    """
    journal = Journal(target, target.with_name(f"{target.name}{SUFFIX}"))
    folder = journal.path("")
    with journal._disk():
        if folder.is_symlink():
            raise DataError(f"{folder}: expected a folder beside the output, found a link. Write to another place.")
        folder.mkdir(exist_ok=True)
        strangers = sorted(path.name for path in folder.iterdir() if path.name not in _OWN)
    if strangers:
        raise DataError(
            f"{target}: expected to keep what is done in {folder.name}, found '{strangers[0]}' there, which is none of "
            "it. Move it, or write to another place."
        )
    with _held(folder, target):
        with journal._disk():
            if restart or not _begun(folder):
                for name in ("identity.json", "journal", *FILES):
                    (folder / name).unlink(missing_ok=True)
                write_file(folder / "identity.json", json.dumps(identity, indent=1).encode())
        _check_identity(folder, identity, target)
        try:
            journal.open_files()
            try:
                yield journal
            except BaseException:
                if not journal.committed.parts and not _begun(folder):  # a signal may come between the two
                    journal.remove()
                raise
        finally:
            journal.close()


def identity_of(target: Path) -> dict[str, Any] | None:
    """What an unfinished output hangs on; None where there is none that can be read."""
    folder = target.with_name(f"{target.name}{SUFFIX}")
    try:
        found = json.loads((folder / "identity.json").read_text(encoding="utf-8")) if _begun(folder) else None
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _begun(folder: Path) -> bool:
    """Whether there is something that can be gone on with."""
    journal = folder / "journal"
    return (folder / "identity.json").is_file() and journal.is_file() and journal.stat().st_size > 0


@contextmanager
def _held(folder: Path, target: Path) -> Iterator[None]:
    """Only one process at a time; the system lets go when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    at_it = f"{target}: expected to be the only one who writes it, found another process at it."
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # it has just ended
        raise DataError(at_it) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(handle), folder.stat()):
                raise FileExistsError  # the other one has ended, and a third has made the folder anew
        except (BlockingIOError, FileExistsError, FileNotFoundError):
            raise DataError(at_it) from None
        yield
    finally:
        os.close(handle)


def _check_identity(folder: Path, identity: Mapping[str, Any], target: Path) -> None:
    try:
        saved = json.loads((folder / "identity.json").read_text(encoding="utf-8"))
        changed = list(_differences(saved, json.loads(json.dumps(identity))))
    except (ValueError, AttributeError) as error:
        changed = [f"identity.json cannot be read ({error})"]
    if changed:
        raise DataError(
            f"{target}: expected to go on with what {folder.name} has, found that it was made otherwise: "
            f"{'; '.join(changed[:5])}. Use what was used then, or begin anew with --restart."
        )


def _differences(saved: Any, found: Any, name: str = "") -> Iterator[str]:
    if isinstance(saved, dict) and isinstance(found, dict):
        for key in [*saved, *(key for key in found if key not in saved)]:
            yield from _differences(saved.get(key), found.get(key), f"{name}.{key}" if name else key)
    elif saved != found:
        yield f"{name} was {json.dumps(saved):.60}, is {json.dumps(found):.60}"


def _read(folder: Path) -> tuple[Committed, int]:
    """What the good lines of a journal say, and how long they are together."""
    with (folder / "journal").open("rb") as lines:
        entries = [(_entry(raw), len(raw)) for raw in lines]
    good = list(takewhile(lambda pair: pair[0] is not None, entries))
    finished = bool(good) and good[-1][0] is not None and "finished" in good[-1][0]
    found, end = Committed(finished=finished), 0
    with ExitStack() as stack:
        # Once it is finished, the files may already stand in their places.
        names = [] if finished else [name for name in FILES if (folder / name).exists()]
        streams = {name: stack.enter_context((folder / name).open("rb")) for name in names}
        for entry, length in good:
            if entry is None or "finished" in entry:
                break
            if not finished and _sums(streams, found.lengths, entry["lengths"]) != entry["sums"]:
                return found, end
            found = Committed(found.parts + 1, entry["lengths"], entry["tally"], finished)
            end += length
    return found, end + (good[-1][1] if finished else 0)


def _entry(raw: bytes) -> dict[str, Any] | None:
    """A line of the journal; None for one that was torn."""
    checksum, _, text = raw.rstrip(b"\n").partition(b" ")
    if not raw.endswith(b"\n") or checksum != f"{zlib.crc32(text):08x}".encode():
        return None
    return dict(json.loads(text))


def _sums(streams: Mapping[str, BinaryIO], start: Mapping[str, int], end: Mapping[str, int]) -> dict[str, int]:
    """Checksums of what lies between two lengths of each file; -1 where it is not all there."""
    found = {}
    for name, stream in streams.items():
        left, checksum = end[name] - start[name], 0
        while left > 0 and (content := stream.read(min(left, _CHUNK_BYTES))):
            checksum, left = zlib.crc32(content, checksum), left - len(content)
        found[name] = checksum if left == 0 else -1
    return found


def _reach_disk_as_folder(folder: Path) -> None:
    """So that the names in it survive a power cut; not every file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reach_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
