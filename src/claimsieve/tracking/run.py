"""One tracked run, as the runner speaks to it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from claimsieve.errors import TrackingError
from claimsieve.tracking.delivery import fingerprint, send, send_moments
from claimsieve.tracking.record import Moment, Record, Status
from claimsieve.tracking.store import safe_name
from claimsieve.tracking.system import SystemSampler

_FLUSH_SECONDS = 5.0
_FLUSH_MOMENTS = 300
_PAUSE_SECONDS = 2.0
_MAX_TAG_CHARACTERS = 8000


class TrackedRun:
    """A run that is recorded on disk and sent to its store while it goes on.

    After the first failure nothing more is sent until the end, when it is tried again. A store that fails never costs
    a trained model: `failure` says what happened, and the record stays for `claimsieve track sync`.
    """

    def __init__(
        self,
        record: Record,
        *,
        failure: str | None = None,
        sampled: bool = True,
        when_over: Callable[[Status], None] = lambda status: None,
    ) -> None:
        """failure: why there is no use in trying before the end. sampled: measure the machine when it gets long.

        when_over: called when the end is recorded, before it is sent.
        """
        self.record = record
        self.failure = failure
        self._when_over = when_over
        self._pending: list[Moment] = []
        self._guard = threading.Lock()
        self._flushed = time.monotonic()
        self._attempt(lambda: send(record))
        self._sampler = SystemSampler(self._take) if sampled else None

    @property
    def uid(self) -> str:
        """Our own id, by which a training that goes on finds its run."""
        return self.record.facts.uid

    @property
    def run_id(self) -> str:
        """MLflow's own; empty until there is one."""
        return self.record.facts.run_id

    def log_step(self, number: int, metrics: Mapping[str, float]) -> None:
        """Values of one training step; sent a few seconds' worth at a time."""
        self._take(number, metrics)
        if time.monotonic() - self._flushed > _FLUSH_SECONDS or len(self._pending) >= _FLUSH_MOMENTS:
            self.flush()

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Final values; sent at its end, so that a slow store holds nothing up between the model and its record."""
        self._take(0, metrics)

    def log_files(self, names: Sequence[str]) -> None:
        """Files of the directory as artifacts under their own names; sent when the run has finished."""
        self.record.update(files=tuple(dict.fromkeys((*self.record.facts.files, *names))))

    def log_model(self, example: Mapping[str, str]) -> None:
        """The directory as a model that MLflow can serve; sent when the run has finished. example: a row for it."""
        self.record.update(example=dict(example))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Tags of the run; sent at its end."""
        cut = {key: text[:_MAX_TAG_CHARACTERS] for key, text in tags.items()}
        self.record.update(tags=self.record.facts.tags | cut)

    def describe(self, markdown: str) -> None:
        """The text at the top of the run's page."""
        self.set_tags({"mlflow.note.content": markdown})

    def flush(self) -> None:
        """Send the metrics that wait."""
        with self._guard:
            pending, self._pending = self._pending, []
        self._flushed = time.monotonic()
        if pending:
            self._attempt(lambda: send_moments(self.record, pending))

    def end(self, status: Status = "FINISHED") -> None:
        """The run is over: send all that the store lacks; the record goes when the store has everything."""
        if self._sampler is not None:
            self._sampler.stop()
        manifest = fingerprint(self.record.directory) if status == "FINISHED" else None
        self.record.update(status=status, end_ms=now_ms(), manifest=manifest)  # before a store that may take its time
        self._when_over(status)
        try:
            self.flush()
            self._deliver()
        finally:
            self.record.close()

    def _deliver(self) -> None:
        for pause in (0.0, _PAUSE_SECONDS):
            time.sleep(pause)
            self.failure = None
            self._attempt(lambda: send(self.record))
            if self.failure is None:
                self.record.remove()
                return
        if self.record.failure is not None:
            self.failure = f"{self.failure}; nor could it all be kept for later: {self.record.failure}"

    def _take(self, step: int, metrics: Mapping[str, float]) -> None:
        moment = Moment(step, now_ms(), {safe_name(key): float(value) for key, value in metrics.items()})
        with self._guard:  # one order for the disk and the store
            self.record.add(moment)
            if self.failure is None:
                self._pending.append(moment)

    def _attempt(self, action: Callable[[], None]) -> None:
        if self.failure is not None:
            return
        try:
            action()
        except TrackingError as error:
            self.failure = str(error)


def now_ms() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
