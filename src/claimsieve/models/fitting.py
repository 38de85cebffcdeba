"""Training with an eye on the valid split: evaluation, early stopping, the best weights, and going on after a stop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from claimsieve import processes
from claimsieve.errors import TrainingError
from claimsieve.models.loop import Examples, LoopSettings, Planned, diverged, plan, training_steps
from claimsieve.models.optimizer import MasterAdamW
from claimsieve.models.step import State, Step
from claimsieve.records import LABELS


def fit_network(
    network: torch.nn.Module,
    examples: Examples,
    *,
    valid_labels: np.ndarray,
    valid_probabilities: Callable[[], np.ndarray],
    valid_corpora: Sequence[str | None] | None = None,
    settings: LoopSettings,
    seed: int,
    state: State | None = None,
    notes: Mapping[str, str] | None = None,
) -> Iterator[Step]:
    """Train `network` in place, yielding each step; when the iterator ends it holds the best weights in float32.

    The best weights are those with the highest macro-F1 on valid, of several `valid_corpora` with the highest mean of
    theirs, so that a large one does not decide alone; ties go to the lower loss. Training stops early
    after `patience_evaluations` evaluations without a better one; without valid rows, the last weights are the best.
    With the `state` of a step, training goes on to the same weights as if it had not been interrupted. Of several
    processes each has all examples, and gives the probabilities of its share of the valid rows.
    """
    names = [name for head in examples.heads for name in head]
    present = [names[place] for place in sorted(set(examples.labels.tolist()))]
    if len(present) < 2:
        raise TrainingError(f"expected at least two labels in train, found {', '.join(present) or 'none'}.")
    steps = plan(examples, settings, seed=seed)
    optimizer = MasterAdamW(network.parameters(), weight_decay=settings.weight_decay)
    best = _Best()
    evaluated = _evaluation_points(steps, settings) if len(valid_labels) else set()
    done = tokens = 0

    def measure(number: int) -> dict[str, float]:
        probabilities = processes.gathered(valid_probabilities(), rows=len(valid_labels))
        if not np.isfinite(probabilities).all():
            raise TrainingError(diverged("probability on valid", float("nan"), number, settings))
        metrics = _measure(probabilities, valid_labels, valid_corpora or [None] * len(valid_labels))
        best.see(metrics, optimizer, number)
        return metrics

    if state is not None:
        optimizer.load(state.tensors)
        best = _Best.from_state(state)
        done, tokens = int(state.values["number"]), int(state.values["tokens"])
    _require_same_training(optimizer, examples, valid_labels, steps, settings=settings, seed=seed, done=done)
    if state is not None and done in evaluated and best.measured_at != done:
        measure(done)  # the interruption came in the middle of the evaluation
    stop = best.evaluations_since >= settings.patience_evaluations
    latest: dict[str, Any] = {}
    for progress in training_steps(
        network, optimizer, examples, [] if stop else steps, settings=settings, seed=seed, done=done, tokens=tokens
    ):
        # At once and in one go: an interruption in what follows asks for the State of this step.
        latest.update(number=progress.number, tokens=progress.tokens)
        metrics = measure(progress.number) if progress.number in evaluated else None
        yield Step(
            number=progress.number,
            total=len(steps),
            epoch=progress.epoch,
            loss=progress.loss,
            learning_rate=progress.learning_rate,
            tokens=progress.tokens,
            valid=metrics,
            notes=notes if progress.number == done + 1 else None,
            state=partial(_state, latest, optimizer, best),
        )
        if best.evaluations_since >= settings.patience_evaluations:
            break
    network.float()
    with torch.no_grad():
        for parameter, weight in zip(_trained(network), best.weights or optimizer.masters(), strict=True):
            parameter.copy_(weight)


def _require_same_training(
    optimizer: MasterAdamW,
    examples: Examples,
    valid_labels: np.ndarray,
    steps: list[Planned],
    *,
    settings: LoopSettings,
    seed: int,
    done: int,
) -> None:
    """Raises TrainingError when the processes would take different steps."""
    parts = [repr((settings, seed, done)).encode(), examples.labels.tobytes(), valid_labels.tobytes()]
    parts += [rows.tobytes() for _, batches in steps for rows in batches]
    parts += [master.flatten()[:64].cpu().numpy().tobytes() for master in optimizer.masters()]
    processes.require_same(parts)


def _state(latest: Mapping[str, Any], optimizer: MasterAdamW, best: "_Best") -> State:
    return State(
        {**optimizer.tensors(), **best.tensors()},
        {"number": latest["number"], "tokens": latest["tokens"], **best.values()},
    )


class _Best:
    """The best weights so far and how they scored on valid."""

    def __init__(self) -> None:
        self.weights: list[torch.Tensor] = []
        self.score = (-1.0, -float("inf"))
        self.evaluations_since = 0
        self.measured_at = 0

    def see(self, metrics: Mapping[str, float], optimizer: MasterAdamW, number: int) -> None:
        score = (metrics.get("mean_corpus_macro_f1", metrics["macro_f1"]), -metrics["log_loss"])
        if score > self.score:
            self.score, self.evaluations_since = score, 0
            self.weights = [master.detach().clone() for master in optimizer.masters()]
        else:
            self.evaluations_since += 1
        self.measured_at = number

    def tensors(self) -> dict[str, torch.Tensor]:
        return {f"best.{number}": weight for number, weight in enumerate(self.weights)}

    def values(self) -> dict[str, Any]:
        seen = self.score if self.weights else None
        return {
            "best_score": list(seen) if seen else None,
            "evaluations_since": self.evaluations_since,
            "measured_at": self.measured_at,
        }

    @classmethod
    def from_state(cls, state: State) -> "_Best":
        best = cls()
        if state.values["best_score"] is not None:
            best.score = (float(state.values["best_score"][0]), float(state.values["best_score"][1]))
            count = sum(name.startswith("best.") for name in state.tensors)
            best.weights = [state.tensors[f"best.{number}"].clone() for number in range(count)]
        best.evaluations_since = int(state.values["evaluations_since"])
        best.measured_at = int(state.values["measured_at"])
        return best


def _trained(network: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _evaluation_points(steps: list[Planned], settings: LoopSettings) -> set[int]:
    """Step numbers after which valid is measured: the given times per epoch, and the last step."""
    points = {len(steps)}
    for number, (epoch, _) in enumerate(steps, start=1):
        before = steps[number - 2][0] if number > 1 else 0.0
        if int(epoch * settings.evaluations_per_epoch + 1e-9) > int(before * settings.evaluations_per_epoch + 1e-9):
            points.add(number)
    return points


def _measure(probabilities: np.ndarray, labels: np.ndarray, corpora: Sequence[str | None]) -> dict[str, float]:
    from sklearn.metrics import log_loss  # takes long to import, and a prediction needs none of it

    predicted = probabilities.argmax(axis=1)
    found = {
        "macro_f1": _macro_f1(labels, predicted),
        "log_loss": float(log_loss(labels, probabilities, labels=range(len(LABELS)))),
    }
    names = np.array([corpus or "" for corpus in corpora])
    parts = [names == name for name in np.unique(names)]
    if len(parts) > 1:
        found["mean_corpus_macro_f1"] = float(np.mean([_macro_f1(labels[own], predicted[own]) for own in parts]))
    return found


def _macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Over the labels that occur."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0))
