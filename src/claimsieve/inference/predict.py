"""Label claims: a list of them, or a file into a file, exactly once however often the way there is interrupted."""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from claimsieve import __version__
from claimsieve.errors import DataError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.decide import decide, predictions_of
from claimsieve.inference.formats import Format
from claimsieve.inference.journal import Journal, identity_of, open_journal
from claimsieve.inference.labelling import Labeller, Part, prediction_columns
from claimsieve.inference.memory import ENTRY, Memory
from claimsieve.inference.pictures import Pictures
from claimsieve.inference.sources import check_paths, described, form_of, moments, recipe_of, rejects_file
from claimsieve.inference.windows import ItemReader, Window, windows
from claimsieve.models import Model
from claimsieve.models.artifacts import library_versions
from claimsieve.records import Claim, Label, Prediction

Parts = Callable[[Format, Iterator[Window], bytes], Iterator[Part]]  # an engine: windows and memory in, parts out
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were read, labelled and rejected; read = labelled + rejected, always.

    without_evidence: labelled rows that had none, when the model was trained to read it. abstained: labelled rows that
    are left to a person. repeated: labelled rows whose input had been computed already. split: computed inputs with
    evidence longer than the model's window, which was read in pieces. cut: computed inputs with a claim longer than
    the window, which was read without its end. recycled: labelled rows with a picture that is older than the claim.
    unmatched: labelled rows with a picture that could not be looked up. date_unreadable: labelled rows
    whose date is none; a model that reads dates rejects them.
    """

    read: int = 0
    labelled: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    without_evidence: int = 0
    abstained: int = 0
    repeated: int = 0
    split: int = 0
    cut: int = 0
    recycled: int = 0
    unmatched: int = 0
    date_unreadable: int = 0

    def __add__(self, counts: Mapping[str, int]) -> "Tally":
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})

    def counts(self) -> dict[str, int]:
        """All of it that is a number."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "rejects_file"}


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be labelled, and how it is written.

    source: a file, '-' (JSON Lines on standard input) or 'recipe:NAME'. target: a file, or '-' (JSON Lines on standard
    output). mapping: field of the record → column. prevalence: the mix of labels that probabilities are turned to as
    well. explain: say of each row which words and passages it goes by (models/explanation.py). csv_safe: see Format.
    max_rejects: stops the job when it says so of (read, rejected). restart: begin anew where an earlier run was
    interrupted. pictures: look those of claims up.
    """

    source: str
    target: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    prevalence: Mapping[Label, float] | None = None
    explain: bool = False
    csv_safe: bool = True
    max_rejects: Callable[[int, int], bool] = lambda read, rejected: False
    restart: bool = False
    pictures: Pictures | None = None


def predict_claims(
    model: Model,
    claims: Sequence[Claim],
    *,
    calibration: Calibration | None = None,
    prevalence: Mapping[Label, float] | None = None,
    fingerprint: str | None = None,
) -> list[Prediction]:
    """One Prediction per claim, in order. calibration: of the same model; without one there are no prediction sets."""
    decisions = decide(model, claims, calibration)
    return predictions_of(decisions, claims, fingerprint=fingerprint, calibration=calibration, prevalence=prevalence)


def predict_file(
    model: Model,
    job: Job,
    *,
    calibration: Calibration | None = None,
    fingerprint: str = "",
    advance: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Label every claim of the job's source into its target, on this machine.

    Each row of the output is the input's row with `label, p_verified, p_unverified, p_propaganda` beside it, with a
    model of two axes `stance, stance_basis, manipulation` and the probabilities of its heads, with a calibration
    `prediction_set, abstained, reasons`, and with a prevalence `p_<label>_at_prevalence`; a column of
    the input that has one of these names is kept as `input_<name>`. Rows that cannot be read go to
    `<target>.rejects.jsonl` with place and reason (to stderr when the target is '-'). The output appears whole, when
    everything is done; until then what is done lies in `<target>.partial`, and the same job goes on from there.
    calibration, fingerprint: of the model. Raises DataError when source or target as a whole cannot be used, when they
    or the model are not what the interrupted job had, or when max_rejects says so.
    """

    def parts(form: Format, rows: Iterator[Window], memory: bytes) -> Iterator[Part]:
        reader = ItemReader(job.source, job.mapping, model.inputs, pictures=job.pictures is not None)
        labeller = Labeller(
            model,
            reader,
            form,
            calibration=calibration,
            prevalence=job.prevalence,
            memory=Memory.restored(memory),
            explain=job.explain,
            pictures=job.pictures,
        )
        return (labeller.label(prepared) for prepared in ahead(labeller.prepare(window) for window in rows))

    settings = {"fingerprint": fingerprint, "computed": model.computed_as()}
    return run(job, parts, calibration=calibration, model=settings, heads=model.heads, advance=advance)


def run(
    job: Job,
    parts: Parts,
    *,
    calibration: Calibration | None,
    model: Mapping[str, Any],
    heads: Sequence[str] = (),
    advance: Callable[[int], None] = lambda rows: None,
) -> Tally:
    """Have an engine label the job's windows, and write what comes back.

    model: what the numbers hang on, as JSON. heads: what it answers beside the labels.
    """
    check_paths(job.source, job.target)
    pictures = job.pictures is not None
    of_prediction = prediction_columns(calibration, job.prevalence, heads=heads, explain=job.explain, pictures=pictures)
    formed = partial(form_of, job.source, job.target, of_prediction, csv_safe=job.csv_safe, heads=heads)
    if job.target == "-":
        form = formed(pictures=pictures)
        return _to_stdout(job, parts(form, windows(job.source), b""), advance)
    target = Path(job.target)
    before, source = moments(job.source), described(job.source)
    saved = {} if job.restart else identity_of(target) or {}
    known = saved.get("columns") if saved.get("source") == source else None
    form = formed(pictures=pictures, known=known)
    identity = {
        "source": source,
        "model": dict(model),
        "options": {
            "map": dict(job.mapping),
            "recipe": recipe_of(job.source),
            "prevalence": None if job.prevalence is None else dict(job.prevalence),
            "csv_safe": job.csv_safe,
            "explain": job.explain,
            "pictures": None if job.pictures is None else job.pictures.identity(),
        },
        "versions": {"claimsieve": __version__, "memory": ENTRY.itemsize, **library_versions()},
        "columns": list(form.columns),
    }
    # Standard input cannot be read a second time, so that nothing can be gone on with.
    restart = job.restart or job.source == "-"
    with open_journal(target, identity, restart=restart) as journal, _few_collections():
        tally = _to_journal(job, parts, form, journal, advance)
        if not journal.committed.finished:
            if moments(job.source) != before:
                raise DataError(f"{job.source}: changed while it was read. Begin anew with --restart.")
            journal.end()
        _put_in_place(journal, form, target, tally)
    return tally


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, each made in another thread while the one before it is used.

    Nobody waits for that thread: it may stand in a read of standard input that never ends.
    """
    wanted: SimpleQueue[bool] = SimpleQueue()
    made: SimpleQueue[tuple[_Item | None, BaseException | None]] = SimpleQueue()

    def make() -> None:
        while wanted.get():
            try:
                made.put((next(items), None))
            except BaseException as error:  # told where the item is wanted
                made.put((None, error))

    Thread(target=make, name="ahead", daemon=True).start()
    wanted.put(True)
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            wanted.put(True)
            yield item  # type: ignore[misc]
    finally:
        wanted.put(False)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Within the block Python looks for cycles of garbage seldom, and never among what was there before.

    Windows hold some hundred thousand objects and no cycles; looking through them took a fifth of a static model's
    time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(1_000_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _to_stdout(job: Job, parts: Iterator[Part], advance: Callable[[int], None]) -> Tally:
    tally = Tally()
    if sys.stdout is None:
        raise DataError("expected standard output to be open, found it closed. Use -o FILE.jsonl.")
    sys.stdout.flush()
    for part in parts:
        _write_out(part.output)
        if part.rejects and sys.stderr is not None:
            sys.stderr.write(part.rejects.decode())
        tally += part.tally
        advance(part.tally["read"])
        _check_rejects(job, tally)
    return tally


def _write_out(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # `| head`, which is no error
    except OSError as error:
        raise DataError(f"standard output: cannot be written: {error.strerror or error}.") from None


def _to_journal(job: Job, parts: Parts, form: Format, journal: Journal, advance: Callable[[int], None]) -> Tally:
    """All parts committed: those of an earlier run, and the ones that were left to do."""
    before = journal.committed
    tally = Tally() + before.tally
    rejects = rejects_file(job.target)
    if not before.finished:
        advance(tally.read)
        _check_rejects(job, tally, journal.path("rejects"))  # the same command stops where it stopped before
        memory = Memory.kept(journal.path("memory"))
        rest = windows(job.source, skip_parts=before.parts, skip_rows=tally.read)
        for part in parts(form, rest, memory):
            tally += part.tally
            contents = {"output": part.output, "rejects": part.rejects, "memory": part.memory}
            journal.commit(contents, tally.counts())
            advance(part.tally["read"])
            _check_rejects(job, tally, journal.path("rejects"))
        if not journal.committed.parts:
            journal.commit({"output": form.encode([], first=True)}, tally.counts())  # the header, the empty archive
    return replace(tally, rejects_file=rejects if tally.rejected else None)


def _put_in_place(journal: Journal, form: Format, target: Path, tally: Tally) -> None:
    rejects = Path(rejects_file(str(target)))
    if tally.rejected:
        journal.place("rejects", rejects)
    else:
        with suppress(OSError):
            rejects.unlink(missing_ok=True)  # it spoke of an earlier output
    if form.kind == "parquet":
        if journal.path("output").exists():
            journal.make("whole", lambda whole: form.finish(journal.path("output"), whole))
        journal.place("whole", target)
    else:
        journal.place("output", target)
    journal.remove()


def _check_rejects(job: Job, tally: Tally, listed: Path | None = None) -> None:
    if job.max_rejects(tally.read, tally.rejected):
        where = f" They are listed in {listed}." if listed is not None else ""
        raise DataError(
            f"{job.source}: expected fewer rejected rows, found {tally.rejected:,} in the first {tally.read:,}.{where} "
            "Mend the file or --map and begin anew with --restart, or allow more with --max-rejects to go on."
        )
