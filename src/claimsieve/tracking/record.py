"""A run on disk: everything that a tracking store is to know of it, kept until the store has it.

runs/mine/                  the model directory
runs/mine.tracking/
    run.json                what the run is (Facts), replaced whole
    metrics.jsonl           one line per moment: {"step": 3, "at_ms": ..., "values": {"train/loss": 0.7}}
    lock                    held by the training, or by who sends the record
"""

import errno
import itertools
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claimsieve.errors import TrackingError

SUFFIX = ".tracking"
_RUN, _METRICS, _LOCK = "run.json", "metrics.jsonl", "lock"

Status = Literal["FINISHED", "FAILED", "KILLED"]
Milliseconds = Annotated[int, Field(ge=0, lt=253_402_300_800_000)]  # milliseconds since then, up to the year 9999


class Facts(BaseModel):
    """What a run is. Times in milliseconds since 1970.

    uid: our own id of the run, also its tag `claimsieve.run`, by which it is found in a store. parent: the uid of the
    run that this is a part of. texts: artifacts by name and content. files: artifacts by their name in `directory`,
    which lies beside the record. example: a row to show with the model; None where no model is logged.
    manifest: SHA-256 of the model directory's manifest when the run ended, so that no other model is sent in its place.
    run_id: the store's own id, "" until it is known. sent: how many moments the store has confirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1] = 1
    uid: str
    uri: str
    experiment: str
    name: str
    directory: str
    start_ms: Milliseconds
    parent: str | None = None
    tags: dict[str, str] = {}
    params: dict[str, str] = {}
    texts: dict[str, str] = {}
    datasets: tuple[dict[str, str], ...] = ()
    files: tuple[str, ...] = ()
    example: dict[str, str] | None = None
    manifest: str | None = None
    run_id: str = ""
    sent: int = 0
    status: Status | None = None
    end_ms: Milliseconds | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Metrics that were taken together."""

    step: int
    at_ms: int
    values: Mapping[str, float]


def record_folder(directory: Path) -> Path:
    """Where the record of a run lies, beside the directory that the run writes."""
    return directory.with_name(f"{directory.name}{SUFFIX}")


class Record:
    """A run's record. A disk that fails costs no training: what it did not take stays in memory.

    failure: why the disk lacks something; None while it has everything.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts
        self.failure: str | None = None
        self._unwritten: list[Moment] = []
        self._guard = threading.Lock()  # metrics of the machine come from a thread of their own
        self._stream: IO[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def directory(self) -> Path:
        """The directory that `files` lie in."""
        return self.folder.parent / self.facts.directory

    def update(self, **changes: Any) -> None:
        """Change facts, on disk too."""
        with self._guard:
            self.facts = self.facts.model_copy(update=changes)
            self._write_moments()
            try:
                if self._stream is not None:
                    os.fsync(self._stream.fileno())  # `sent` counts lines: none may be lost once it is written
                self._write_facts()
            except OSError as error:
                self._failed(error)
            else:
                self.failure = self.failure if self._unwritten else None

    def add(self, moment: Moment) -> None:
        """Append metrics."""
        with self._guard:
            self._unwritten.append(moment)
            self._write_moments()

    def moments(self, start: int = 0) -> list[Moment]:
        """All metrics from the start-th moment on, those that the disk did not take included."""
        return [*_moments_of(self.folder / _METRICS), *self._unwritten][start:]

    def lock(self) -> bool:
        """Whether the record is ours alone until `close`. True also where the file system knows no locks."""
        import fcntl

        try:
            stream = (self.folder / _LOCK).open("wb")
        except OSError:
            return True
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.close()
            return not isinstance(error, BlockingIOError)
        self._lock = stream
        return True

    def close(self) -> None:
        """Give the files and the lock back."""
        for stream in (self._stream, self._lock):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._stream = self._lock = None

    def remove(self) -> None:
        """The store has everything."""
        with suppress(OSError):
            (self.folder / _RUN).unlink()  # first: without it the rest is no record
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def _write_facts(self) -> None:
        _make(self.folder)
        temporary = self.folder / f"{_RUN}.writing"
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(self.facts.model_dump_json(indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.folder / _RUN)

    def _write_moments(self) -> None:
        try:
            while self._unwritten:
                self._stream = self._stream or _appended(self.folder / _METRICS)
                line = json.dumps(asdict(self._unwritten[0])).encode() + b"\n"
                if self._stream.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                del self._unwritten[0]
        except OSError as error:
            self._failed(error)
            if self._stream is not None:
                self._stream.close()
                self._stream = None  # opened anew, which takes off the part of a line

    def _failed(self, error: OSError) -> None:
        self.failure = f"{self.folder}: {error.strerror or error}"


def read_record(folder: Path) -> Record:
    """A record as it lies on disk. Raises TrackingError when it is none, or one of a later version."""
    path = folder / _RUN
    try:
        return Record(folder, Facts.model_validate_json(path.read_bytes()))
    except FileNotFoundError:
        raise TrackingError(f"{folder}: expected the record of a run with {_RUN}, found none.") from None
    except OSError as error:
        raise TrackingError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise TrackingError(
            f"{path}: expected the record of a run as this version writes it, found another: {place}: {first['msg']}. "
            "Send it with the version that wrote it, or remove it."
        ) from None


def is_record(folder: Path) -> bool:
    """Whether a record lies there; none does any more once it was sent."""
    return folder.name.endswith(SUFFIX) and (folder / _RUN).is_file()


def find_records(place: Path) -> list[Path]:
    """The folders of all records at, beside and below a path, sorted."""
    ours = re.compile(
        re.escape(place.name) + rf"(\.[0-9a-f]{{8}}\d*)?{re.escape(SUFFIX)}"
    )  # as `_aside` names them too
    near = [place, *filter(lambda path: ours.fullmatch(path.name), place.parent.glob(f"*{SUFFIX}"))]
    below = place.rglob(f"*{SUFFIX}") if place.is_dir() else []
    return sorted({path for path in (*near, *below) if is_record(path)})


def new_record(directory: Path, facts: Facts) -> Record:
    """Begin the record of a run that writes `directory`, or go on with the one that lies there when it is of this run.

    The record of another run is moved aside, to `<directory>.<uid>.tracking`, with that run marked as killed when it
    had not ended; one that another process works on stays, and the new one gets such a name.
    """
    record = Record(record_folder(directory), facts)
    if not _taken(record):
        record = Record(_aside(record.folder, facts.uid), record.facts.model_copy(update={"sent": 0}))
        with suppress(OSError):
            _make(record.folder)
        record.lock()
    record.update()
    return record


def last_ms(record: Record) -> int:
    """When the run was last heard of."""
    moments = record.moments()
    return max((moment.at_ms for moment in moments), default=record.facts.start_ms)


def _taken(record: Record) -> bool:
    """Whether the record's folder is ours now: new, or that of the same run, and in use by no other process."""
    same = _go_on(record)
    try:
        if not same and record.folder.exists():
            if not record.lock():
                return False
            record.close()
            _set_aside(record.folder)
        _make(record.folder)
    except OSError:
        return not record.folder.exists()
    return record.lock()


def _go_on(record: Record) -> bool:
    """Whether a record of the same run lies there; its start, its id in the store and its metrics are then kept."""
    try:
        old = read_record(record.folder).facts
    except TrackingError:
        return False
    if old.uid != record.facts.uid:
        return False
    record.facts = record.facts.model_copy(
        update={"start_ms": old.start_ms, "run_id": old.run_id, "sent": old.sent if old.uri == record.facts.uri else 0}
    )
    return True


def _set_aside(folder: Path) -> None:
    try:
        old = read_record(folder)
        if old.facts.status is None:
            old.update(status="KILLED", end_ms=last_ms(old))
        name = old.facts.uid
    except TrackingError:
        name = "unreadable"
    folder.rename(_aside(folder, name))


def _aside(folder: Path, uid: str) -> Path:
    """The first free name beside a record, with the first digits of a run's uid in it."""
    stem = f"{folder.name.removesuffix(SUFFIX)}.{uid[:8]}"
    names = (f"{stem}{number or ''}{SUFFIX}" for number in itertools.count())
    return next(path for path in map(folder.with_name, names) if not path.exists())


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a URI may hold a password


def _appended(path: Path) -> IO[bytes]:
    """The file, unbuffered and open at its end; a line that a crash or a full disk cut short is taken off."""
    if path.exists() and not (content := path.read_bytes()).endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
    return path.open("ab", buffering=0)


def _moments_of(path: Path) -> Iterator[Moment]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            row = json.loads(line)
            values = {str(key): float(value) for key, value in row["values"].items()}
            yield Moment(int(row["step"]), int(row["at_ms"]), values)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            continue  # cut short by a crash or a full disk
