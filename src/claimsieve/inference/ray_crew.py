"""The workers of one job: who is at what, who was lost, and their parts in order."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from claimsieve.errors import ClaimsieveError, DataError, MissingPackageError
from claimsieve.inference.labelling import Part
from claimsieve.inference.predict import ahead
from claimsieve.inference.ray_worker import SentModel, Work, Worker
from claimsieve.inference.windows import Window

_TASKS = 2  # of a worker at once: it reads one window while it computes another
_UNWRITTEN = 4  # windows per worker that are not written yet; the bound of the driver's memory
_LOSSES = 3  # beyond one of each worker, without a part in between, after which it is not chance
_LOOK_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class _Hired:
    """A worker and the windows that it was given: call → number and window."""

    actor: Any
    tasks: dict[Any, tuple[int, Any]] = field(default_factory=dict)


class Crew:
    """Workers of a cluster, each with the model in memory.

    A worker that is lost is replaced; until there is room for the replacement, the others do its work.
    """

    def __init__(
        self, ray: Any, model: SentModel, size: int, needs: Mapping[str, int], *, patience_seconds: float
    ) -> None:
        self._ray, self._size, self._patience_seconds = ray, size, patience_seconds
        try:
            self._model = ray.put(model)
        except ImportError as error:  # of ray://, whose head makes the object
            raise MissingPackageError(
                f"--engine ray: expected claimsieve on every node, found none: {error}."
            ) from None
        # Ray would restart a lost worker as the same actor, and its windows would wait until there is room for it.
        self._actor = ray.remote(Worker).options(
            **needs, max_concurrency=_TASKS, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._how: tuple[str, str] = ("auto", "auto")
        self._work: Any = None
        self._waiting: list[Any] = []  # actors that are told to open the model when it is known how
        self._opening: dict[Any, _Hired] = {}
        self._ready: list[_Hired] = []
        self._again: deque[tuple[int, Any]] = deque()  # windows of workers that were lost
        self._losses = 0
        self._last_seen = time.monotonic()

    def open_first(self, precision: str, device: str) -> Mapping[str, Any]:
        """One worker opens the model, and what it finds best goes for all; what the numbers hang on."""
        self._how = (precision, device)
        self._hire(self._actor.remote())
        self._waiting = [self._actor.remote() for _ in range(self._size - 1)]  # their processes start meanwhile
        computed: Mapping[str, Any] | None = None
        while computed is None:
            for call in self._answered(self._opening):
                computed = self._opened(call)
        self._how = (computed.get("precision", precision), computed.get("device", device))
        return computed

    def parts(self, work: Work, windows: Iterator[Window]) -> Iterator[Part]:
        """A part for each window, in their order."""
        self._work = self._ray.put(work)
        self._opening |= {worker.actor.begin.remote(self._work): worker for worker in self._ready}
        self._ready = []
        while self._waiting:
            self._hire(self._waiting.pop())
        upcoming = ahead(windows)
        order: deque[int] = deque()  # windows that were begun and are not written yet
        done: dict[int, Part] = {}
        while True:
            while worker := self._free():
                if not self._again and len(order) < _UNWRITTEN * self._size and (window := next(upcoming, None)):
                    order.append(window.number)
                    self._again.append((window.number, self._ray.put(window)))
                if not self._again:
                    break
                task = self._again.popleft()
                worker.tasks[worker.actor.label.remote(task[1])] = task
            if not order and self._ready:
                return
            done |= {part.number: part for part in self._finished()}
            while order and order[0] in done:
                yield done.pop(order.popleft())

    def dismiss(self) -> None:
        """End all workers."""
        for actor in (*(worker.actor for worker in (*self._ready, *self._opening.values())), *self._waiting):
            self._end(actor)

    def _free(self) -> _Hired | None:
        """The worker with the least to do, if it can take a window."""
        worker = min(self._ready, key=lambda worker: len(worker.tasks), default=None)
        return worker if worker is not None and len(worker.tasks) < _TASKS else None

    def _hire(self, actor: Any) -> None:
        worker = _Hired(actor)
        self._opening[worker.actor.open.remote(self._model, *self._how, self._work)] = worker

    def _finished(self) -> Iterator[Part]:
        busy = {call: worker for worker in self._ready for call in worker.tasks}
        for call in self._answered({**self._opening, **busy}):
            if call in self._opening:
                self._opened(call)
            elif call in (worker := busy[call]).tasks and (part := self._result(call, worker)) is not None:
                del worker.tasks[call]
                self._losses = 0
                yield part

    def _opened(self, call: Any) -> Any:
        worker = self._opening.pop(call)
        if (computed := self._result(call, worker)) is not None:
            self._ready.append(worker)
        return computed

    def _answered(self, calls: Mapping[Any, _Hired]) -> list[Any]:
        """Those of the calls that came to an end, now or within a moment."""
        if self._ready:
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > self._patience_seconds:
            raise _given_up(f"expected a worker in the cluster, found none for {self._patience_seconds:,.0f} seconds")
        all_of_them = list(calls)
        answered: list[Any] = self._ray.wait(all_of_them, timeout=_LOOK_SECONDS)[0]
        if answered:
            answered = self._ray.wait(all_of_them, num_returns=len(all_of_them), timeout=0)[0]
        return answered

    def _result(self, call: Any, worker: _Hired) -> Any:
        """What a call gave; None when its worker was lost. Raises what went wrong in the worker's own code."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(call)
        except errors.RayTaskError as error:
            if isinstance(error.cause, ClaimsieveError):
                raise error.cause from None
            if not isinstance(error.cause, errors.RayError):
                raise
            self._lose(worker, error.cause)
        except errors.RayError as error:
            self._lose(worker, error)
        return None

    def _lose(self, worker: _Hired, why: Exception) -> None:
        self._losses += 1
        if self._losses > self._size + _LOSSES:
            reason = (str(why).strip() or repr(why)).splitlines()[-1].strip()
            raise _given_up(f"found {self._losses} workers lost without a window done, the last by: {reason:.300}")
        if worker in self._ready:
            self._ready.remove(worker)
        self._again = deque(sorted([*self._again, *worker.tasks.values()], key=lambda task: task[0]))
        worker.tasks.clear()
        self._end(worker.actor)
        self._hire(self._actor.remote())

    def _end(self, actor: Any) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(actor)


def _given_up(what: str) -> DataError:
    kept = "What is done is kept, and the same command goes on. Look at the cluster: ray status."
    return DataError(f"--engine ray: {what.rstrip('.')}. {kept}")
