"""One training, followed to its end: checkpoints, the loss curve, and a stop that can go on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from claimsieve import processes
from claimsieve.interrupts import deferred_interrupt
from claimsieve.models.checkpoint import Checkpoint
from claimsieve.models.step import Step
from claimsieve.tracking import TrackedRun


@dataclass(frozen=True, slots=True)
class Watch:
    """How the runner speaks to its caller: `say` takes a line of text, `step` takes every training step."""

    say: Callable[[str], None] = lambda text: None
    step: Callable[[Step], None] = lambda step: None


def training_directory(directory: Path) -> Path:
    """Where the checkpoint of an unfinished training lies, beside the model directory to be."""
    return directory.with_name(f"{directory.name}.training")


def follow(
    steps: Iterator[Step], checkpoint: Checkpoint, run: TrackedRun | None, *, seconds: float, watch: Watch
) -> None:
    """Train to the end, with checkpoints, the loss curve, and a last checkpoint when the user interrupts."""
    saved = time.monotonic()
    origin: tuple[int, float] | None = None  # tokens and time after the first step seen
    with deferred_interrupt() as interrupted:
        for step in steps:
            try:
                for name, note in (step.notes or {}).items():
                    watch.say(f"{name}: {note}")
                watch.step(step)
                origin = origin or (step.tokens, time.monotonic())
                if run is not None:
                    run.log_step(step.number, _curve(step, *origin))
                if time.monotonic() - saved >= seconds:
                    checkpoint.write(step.state())
                    saved = time.monotonic()
                if processes.anyone(interrupted()):  # all stop after the same step
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                if checkpoint.write(step.state()):
                    watch.say(f"stopped after step {step.number}, from which --resume goes on")
                raise
        if processes.anyone(interrupted()):  # in the last evaluation: the model is whole, what follows is not begun
            raise KeyboardInterrupt


def _curve(step: Step, first_tokens: int, first_time: float) -> dict[str, float]:
    values = {"train/loss": step.loss, "train/learning_rate": step.learning_rate, "train/epoch": step.epoch}
    seconds = time.monotonic() - first_time
    if step.tokens > first_tokens and seconds > 0:
        values["train/tokens_per_second"] = (step.tokens - first_tokens) / seconds
    return values | {f"valid/{name}": value for name, value in (step.valid or {}).items()}
