"""The MLflow runs that model directories were logged as."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claimsieve.errors import TrackingError
from claimsieve.models.artifacts import MANIFEST, read_manifest
from claimsieve.models.checkpoints import sha256_of
from claimsieve.tracking import lookup
from claimsieve.tracking.record import find_records, record_folder
from claimsieve.tracking.references import Reference, fetch_artifacts
from claimsieve.tracking.store import shown_uri, store_errors


def run_that_logged(client: Any, directory: Path, folder: Path) -> Any | None:
    """The run whose artifacts hold the directory's manifest, whose SHA-256 is the model's fingerprint; else None.

    folder: where manifests are fetched to from a store that is not on this machine.
    """
    manifest = read_manifest(directory)
    value = lookup.quoted(manifest.data_fingerprint[:12])
    runs = [] if value is None else lookup.all_runs(client, f"tags.data = {value} and tags.seed = '{manifest.seed}'")
    for run in runs:
        if run.info.lifecycle_stage == "active":
            place = lookup.local_path(run.info.artifact_uri) or folder / run.info.run_id
            fetch_artifacts(client, run, [MANIFEST], place)
            if (place / MANIFEST).is_file() and sha256_of(place / MANIFEST) == manifest.fingerprint:
                return run
    return None


def runs_that_logged(references: Sequence[Reference], *, uri: str, folder: Path) -> tuple[dict[str, str], list[str]]:
    """The runs of references that were named by directory: run id → the reference's name; and a line on those without.

    Of several seeds or folds it is their parent. A store that is not there is not made, and one that fails is told in
    the line and not asked again.
    """
    found: dict[str, str] = {}
    without: dict[str, list[str]] = {}
    failure = None
    for one in references:
        run_id = None
        try:
            run_id = _run_of(one, uri=uri, folder=folder) if failure is None else None
        except TrackingError as error:
            failure = str(error)
        if run_id is not None:
            found[run_id] = one.name
            continue
        reason = advice_to_send(Path(one.name)) or failure or f"no run in {shown_uri(uri)} logged it"
        without.setdefault(reason, []).append(one.name)
    lines = [
        f"{', '.join(names)}: not written to MLflow: named by directory, and {reason}"
        for reason, names in without.items()
    ]
    return found, lines


def require_sent(directory: Path) -> None:
    """Raises TrackingError when the directory's run waits to be sent to its store."""
    if record_folder(directory.absolute()) in find_records(directory.absolute()):
        raise TrackingError(
            f"{directory}: expected the model directory of a logged run, but {advice_to_send(directory)}"
        )


def advice_to_send(directory: Path) -> str | None:
    """What to type for records that wait at, beside or below a directory; None where there are none."""
    if not find_records(directory.absolute()):
        return None
    return f"its record waits to be sent. Send it: claimsieve track sync {shlex.quote(str(directory))}"


def _run_of(reference: Reference, *, uri: str, folder: Path) -> str | None:
    client = lookup.opened(uri)
    with store_errors(uri):
        runs = [run_that_logged(client, part.directory, folder) for part in reference.parts]
    if len(runs) == 1:
        return None if runs[0] is None else str(runs[0].info.run_id)
    parents = {None if run is None else run.data.tags.get(lookup.PARENT) for run in runs}
    return parents.pop() if len(parents) == 1 else None
