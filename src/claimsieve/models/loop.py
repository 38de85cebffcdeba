"""The training loop: a generator that takes one optimiser step and yields it. The caller decides about all else."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from claimsieve import processes
from claimsieve.data.leaks import event_of
from claimsieve.errors import TrainingError
from claimsieve.models.batches import plan_epoch
from claimsieve.models.mixture import Draws, drawn, draws_per_epoch
from claimsieve.models.optimizer import MasterAdamW
from claimsieve.records import LABELS, Claim, Label

Collate = Callable[[np.ndarray], dict[str, torch.Tensor]]
Planned = tuple[float, list[np.ndarray]]  # how many epochs are done after the step, and its batches of rows


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How to train. batch_tokens counts padding; warmup_fraction and the linear decay are of all steps.

    accumulate_steps: how many batches make one step of the optimiser, which is that of one batch of all their rows.
    corpus_temperature, epoch_rows: of a mixture of corpora (mixture.draws_per_epoch); without, every row once an epoch.
    even_within: what its labels are drawn evenly in, a corpus or each event of it.
    first_corpora: of a mixture, those from which alone the first `first_epochs` epochs are drawn.
    """

    epochs: int = 3
    max_steps: int | None = None
    batch_tokens: int = 4096
    accumulate_steps: int = 1
    learning_rate: float = 1e-4
    warmup_fraction: float = 0.1
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    label_weights: str = "balanced"
    corpus_temperature: float | None = None
    even_within: str = "corpus"
    epoch_rows: int | None = None
    first_corpora: Sequence[str] = ()
    first_epochs: int = 0
    evaluations_per_epoch: int = 1
    patience_evaluations: int = 2

    def part_of(self, claim: Claim) -> Hashable:
        """What parts a corpus's rows in a mixture."""
        return event_of(claim) if self.even_within == "event" else None

    def draws(
        self, sources: Sequence[tuple[str | None, Hashable]], labels: np.ndarray, parts: Sequence[Hashable]
    ) -> list[Draws] | None:
        """How often each row is drawn, epoch by epoch; None: once in each. Shapes: (n,)

        sources: the corpus of each row, and the head that it teaches. parts: `part_of` each row's claim. A first corpus
        may be absent, as one that is held out; TrainingError when all of them are.
        """
        if self.corpus_temperature is None:
            return None
        usual = draws_per_epoch(sources, labels, temperature=self.corpus_temperature, rows=self.epoch_rows, parts=parts)
        first = np.zeros(len(labels))
        if self.first_epochs:
            own = np.flatnonzero([corpus in self.first_corpora for corpus, _ in sources])
            if not len(own):
                raise TrainingError(
                    f"training.first_corpora: expected rows of {', '.join(self.first_corpora)} in train, found none."
                )
            first[own] = draws_per_epoch(
                [sources[row] for row in own.tolist()],
                labels[own],
                temperature=self.corpus_temperature,
                rows=self.epoch_rows or len(labels),
                parts=[parts[row] for row in own.tolist()],
            )
        return [first if epoch < self.first_epochs else usual for epoch in range(self.epochs)]


@dataclass(frozen=True, slots=True)
class Examples:
    """Training rows as the loop needs them: token counts, places of the labels, and a way to make a batch of them.

    labels: the output of the network that is right. Shape: (n,). heads: the outputs of each head, in order, all outputs
    together; a row's loss is that of the head which its label belongs to. draws: how often each row is drawn, epoch by
    epoch, each of shape (n,); None: once.
    """

    lengths: Sequence[int]
    labels: np.ndarray
    collate: Collate
    heads: Sequence[Sequence[str]] = (LABELS,)
    draws: Sequence[Draws] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One step taken: how far, and how it went."""

    number: int
    epoch: float
    loss: float
    learning_rate: float
    tokens: int


def label_places(labels: Sequence[Label | None]) -> np.ndarray:
    """Places in LABELS. Shape: (n,). Raises TrainingError when a label is missing."""
    if None in labels:
        missing = f"{labels.count(None):,} of {len(labels):,}"
        raise TrainingError(f"expected a label on every claim of train and valid, found none on {missing}.")
    return np.array([LABELS.index(label) for label in labels if label is not None], dtype=np.int64)


def plan(examples: Examples, settings: LoopSettings, *, seed: int) -> list[Planned]:
    """Every step of the training."""
    steps: list[Planned] = []
    lengths = np.asarray(examples.lengths)
    for epoch in range(settings.epochs):
        rows = (
            np.arange(len(lengths)) if examples.draws is None else drawn(examples.draws[epoch], seed=seed, epoch=epoch)
        )
        batches = plan_epoch(lengths[rows], batch_tokens=settings.batch_tokens, seed=seed, epoch=epoch)
        batches = [rows[batch] for batch in batches]
        for start in range(0, len(batches), settings.accumulate_steps):
            end = min(start + settings.accumulate_steps, len(batches))
            steps.append((epoch + end / len(batches), batches[start:end]))
        if settings.max_steps is not None and len(steps) >= settings.max_steps:
            break
    return steps[: settings.max_steps]


def learning_rate_at(number: int, total: int, settings: LoopSettings) -> float:
    """Linear warm-up, then linear decay to zero after the last step. number: 1 for the first step."""
    warmup = max(1, round(settings.warmup_fraction * total))
    if number <= warmup:
        return settings.learning_rate * number / warmup
    return settings.learning_rate * (total - number + 1) / max(1, total - warmup + 1)


def label_weights(examples: Examples, mode: str) -> torch.Tensor:
    """A weight per output: inverse to how often it is drawn, for 'balanced' (mean 1 over a head's draws), else 1."""
    outputs = sum(map(len, examples.heads))
    if mode == "none":
        return torch.ones(outputs)
    times = None if examples.draws is None else sum(examples.draws)
    counts = np.bincount(examples.labels, times, minlength=outputs)
    weights = []
    for head in heads_of(examples):
        own = counts[head]
        weights += [own.sum() / (np.count_nonzero(own) * count) if count else 0.0 for count in own.tolist()]
    return torch.tensor(weights, dtype=torch.float32)


def heads_of(examples: Examples) -> list[slice]:
    """Where each head's outputs stand among all."""
    ends = np.cumsum([len(head) for head in examples.heads]).tolist()
    return [slice(end - len(head), end) for end, head in zip(ends, examples.heads, strict=True)]


def _other_heads(examples: Examples) -> torch.Tensor:
    """By label, what is added to the logits so that only its own head's count. Shape: (outputs, outputs)"""
    outputs = sum(map(len, examples.heads))
    mask = torch.full((outputs, outputs), -torch.inf)
    for head in heads_of(examples):
        mask[head, head] = 0.0
    return mask


def training_steps(
    network: torch.nn.Module,
    optimizer: MasterAdamW,
    examples: Examples,
    steps: Sequence[Planned],
    *,
    settings: LoopSettings,
    seed: int = 0,
    done: int = 0,
    tokens: int = 0,
) -> Iterator[Progress]:
    """Take the steps after the first `done`. The loss is the weighted mean cross-entropy of the step's rows, in nats.

    Several processes, and several batches a step, take the step that one process takes with one batch of all the rows.
    Raises TrainingError when the loss or the gradient is not a finite number, before it reaches the weights.
    """
    device = next(network.parameters()).device
    weights = label_weights(examples, settings.label_weights).to(device)
    mask = _other_heads(examples).to(device)
    for number in range(done + 1, len(steps) + 1):
        epoch, batches = steps[number - 1]
        rows = np.concatenate(batches)
        # Of all rows of the step, wherever they are computed: so the sum of all parts is the mean of the whole.
        weight = weights[torch.from_numpy(examples.labels[rows]).to(device)].sum()
        network.train()
        _seed_dropout(seed, number)
        loss = torch.zeros((), device=device)
        for own in map(processes.share, batches):
            if not len(own):
                continue
            batch = {name: tensor.to(device) for name, tensor in examples.collate(own).items()}
            targets = torch.from_numpy(examples.labels[own]).to(device)
            logits = network(**batch).float() + mask[targets]
            part = cross_entropy(logits, targets, weight=weights, reduction="sum") / weight
            part.backward()  # type: ignore[no-untyped-call]
            optimizer.collect()
            loss += part.detach()
        processes.add_up(loss)
        value = loss.item()
        if not np.isfinite(value):
            raise TrainingError(diverged("loss", value, number, settings))
        processes.add_up_gradients(optimizer.masters())
        rate = learning_rate_at(number, len(steps), settings)
        norm = optimizer.step(learning_rate=rate, max_gradient_norm=settings.max_gradient_norm)
        if not np.isfinite(norm):
            raise TrainingError(diverged("gradient's norm", norm, number, settings))
        tokens += int(sum(examples.lengths[row] for row in rows))
        yield Progress(number, epoch, value, rate, tokens)


def _seed_dropout(seed: int, number: int) -> None:
    """What a step draws hangs on its number, so that going on needs no record of it, and differs between processes."""
    drawn = np.random.SeedSequence([seed, number, processes.place()]).generate_state(1, np.uint64)
    torch.manual_seed(int(drawn[0]))


def diverged(what: str, value: float, number: int, settings: LoopSettings) -> str:
    """The message for a training whose numbers are no longer finite."""
    return (
        f"expected a finite {what}, found {value} at step {number}. Lower the learning rate "
        f"(training.learning_rate={settings.learning_rate / 10:g}) or force training.precision=float32."
    )
