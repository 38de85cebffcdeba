"""Records that wait beside their models: which there are, and sending them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claimsieve.errors import TrackingError
from claimsieve.tracking.delivery import send
from claimsieve.tracking.record import Record, find_records, is_record, last_ms, read_record
from claimsieve.tracking.store import shown_uri

State = Literal["waiting", "sent", "in use", "failed"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record. run_id: MLflow's, None before it is known. error: why it could not be read or sent.

    status: how the run ended; None while it goes on, or when its process died. start_ms: milliseconds since 1970.
    """

    record: Path
    state: State
    name: str | None = None
    store: str | None = None
    experiment: str | None = None
    run_id: str | None = None
    status: str | None = None
    start_ms: int | None = None
    error: str | None = None


def waiting(places: Sequence[Path]) -> list[Waiting]:
    """The records at, beside and below the places; nothing is sent. Raises TrackingError for a place without any."""
    found = []
    for folder in _folders(places):
        try:
            record = read_record(folder)
        except TrackingError as error:
            if is_record(folder):
                found.append(Waiting(folder, "failed", error=str(error)))
            continue
        state: State = "waiting" if record.lock() else "in use"
        record.close()
        found.append(_told(record, state))
    return found


def sync(places: Sequence[Path], *, uri: str | None = None) -> Iterator[Waiting]:
    """Send each record at, beside and below the places, and remove those that the store has; yields what became of it.

    uri: a store other than the one that each record names. A run whose process died without an end is sent as killed.
    A record that a training or another sync works on is left to it. Raises TrackingError for a place without any.
    """
    for folder in _folders(places):
        try:
            record = read_record(folder)
            yield _sent(record, uri)
        except TrackingError as error:
            if is_record(folder):  # else another sync has sent it meanwhile
                yield Waiting(folder, "failed", error=str(error))


def _sent(record: Record, uri: str | None) -> Waiting:
    if not record.lock():
        return _told(record, "in use")
    try:
        record.facts = read_record(record.folder).facts  # whoever had it may have sent it just now
        if uri is not None and uri != record.facts.uri:
            record.update(uri=uri, run_id="", sent=0)
        if record.facts.status is None:
            record.update(status="KILLED", end_ms=last_ms(record))
        try:
            send(record)
        except TrackingError as error:
            return _told(record, "failed", str(error))
        record.remove()
        return _told(record, "sent")
    finally:
        record.close()


def _folders(places: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        here = find_records(place)
        if not here and not place.exists():
            raise TrackingError(f"{place}: expected a record, a model directory or a folder of them, found none.")
        found += [folder for folder in here if folder not in found]
    return found


def _told(record: Record, state: State, error: str | None = None) -> Waiting:
    facts = record.facts
    return Waiting(
        record.folder,
        state,
        name=facts.name,
        store=shown_uri(facts.uri),
        experiment=facts.experiment,
        run_id=facts.run_id or None,
        status=facts.status,
        start_ms=facts.start_ms,
        error=error,
    )
