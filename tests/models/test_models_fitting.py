import numpy as np
import pytest
import torch

from claimsieve.errors import TrainingError
from claimsieve.models.fitting import fit_network
from claimsieve.models.loop import Examples, LoopSettings
from claimsieve.records import LABELS

ROWS = 24
VALID_LABELS = np.arange(9) % len(LABELS)
RIGHT = np.eye(3)[VALID_LABELS] * 0.7 + 0.1
SURER = np.eye(3)[VALID_LABELS] * 0.85 + 0.05
WRONG = np.roll(RIGHT, 1, axis=1)


class Tiny(torch.nn.Module):
    def __init__(self, *, seed=0, dropout=0.0):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(8, len(LABELS))
        )

    def forward(self, features):
        return self.layers(features)


def features_of(labels, *, seed):
    noise = np.random.default_rng(seed).normal(size=(len(labels), 4))
    return torch.tensor(noise + labels[:, None], dtype=torch.float32)


TRAIN_LABELS = np.arange(ROWS) % len(LABELS)
FEATURES = features_of(TRAIN_LABELS, seed=0)
VALID_FEATURES = features_of(VALID_LABELS, seed=1)
EXAMPLES = Examples([1] * ROWS, TRAIN_LABELS, lambda rows: {"features": FEATURES[rows]})


def probabilities_of(network):
    network.eval()
    with torch.no_grad():
        return network(VALID_FEATURES).double().softmax(dim=1).numpy()


def fit(network, *, examples=EXAMPLES, probabilities=None, valid_labels=VALID_LABELS, state=None, notes=None, **loop):
    """Six steps an epoch unless `loop` says otherwise. probabilities: a script of what each evaluation shall find."""
    script = iter(probabilities or ())
    return fit_network(
        network,
        examples,
        valid_labels=valid_labels,
        valid_probabilities=lambda: next(script) if probabilities else probabilities_of(network),
        settings=LoopSettings(**{"batch_tokens": 4, "learning_rate": 0.05, "patience_evaluations": 99, **loop}),
        seed=5,
        state=state,
        notes=notes,
    )


def copies(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def equal(left, right):
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize(
    ("loop", "points"),
    [
        ({"epochs": 2}, [6, 12]),
        ({"epochs": 2, "evaluations_per_epoch": 3}, [2, 4, 6, 8, 10, 12]),
        ({"epochs": 1, "evaluations_per_epoch": 4}, [2, 3, 5, 6]),
        ({"epochs": 1, "evaluations_per_epoch": 50}, [1, 2, 3, 4, 5, 6]),
        ({"epochs": 3, "max_steps": 8}, [6, 8]),
        ({"epochs": 3, "max_steps": 12}, [6, 12]),
        ({"epochs": 3, "evaluations_per_epoch": 3, "max_steps": 5}, [2, 4, 5]),
        ({"epochs": 3, "max_steps": 1}, [1]),
        ({"epochs": 3, "batch_tokens": 1000}, [1, 2, 3]),
    ],
)
def test_valid_is_measured_so_often_per_epoch_and_after_the_last_step(loop, points):
    steps = list(fit(Tiny(), **loop))
    assert [step.number for step in steps if step.valid is not None] == points
    assert steps[-1].number == steps[-1].total == points[-1]
    assert steps[-1].epoch == pytest.approx(points[-1] / (1 if "batch_tokens" in loop else 6))


def test_next_takes_one_step_and_an_abandoned_training_keeps_it():
    network = Tiny()
    before = copies(network)
    training = fit(network)
    assert equal(copies(network), before)
    assert next(training).number == 1
    after = copies(network)
    assert not equal(after, before)
    training.close()
    assert equal(copies(network), after)


def test_the_metrics_on_valid_are_those_of_sklearn():
    steps = fit(Tiny(), probabilities=[RIGHT, WRONG], epochs=2)
    measured = [step.valid for step in steps if step.valid]
    assert measured[0] == {"macro_f1": 1.0, "log_loss": pytest.approx(-np.log(0.8))}
    assert measured[1] == {"macro_f1": 0.0, "log_loss": pytest.approx(-np.log(0.1))}


def test_training_stops_early_and_the_best_weights_come_back():
    network = Tiny()
    weights = {}
    for step in fit(network, probabilities=[WRONG, RIGHT, WRONG, WRONG, RIGHT], epochs=9, patience_evaluations=2):
        weights[step.number] = copies(network)
    assert max(weights) == 24  # the fourth of nine epochs
    assert equal(copies(network), weights[12])
    assert not equal(weights[12], weights[24])


def test_between_equal_scores_the_surer_is_better_and_the_first_of_equals_stays():
    network = Tiny()
    weights = {}
    for step in fit(network, probabilities=[RIGHT, SURER, SURER, RIGHT], epochs=4):
        weights[step.number] = copies(network)
    assert equal(copies(network), weights[12])


def test_without_valid_rows_the_last_weights_stay():
    network = Tiny()
    steps = list(fit(network, valid_labels=VALID_LABELS[:0], epochs=2, patience_evaluations=1))
    assert [step.valid for step in steps] == [None] * 12
    straight = Tiny()
    list(fit(straight, probabilities=[WRONG, RIGHT], epochs=2))
    assert equal(copies(network), copies(straight))


@pytest.mark.parametrize("valid_labels", [VALID_LABELS, VALID_LABELS[:0]])
def test_a_bfloat16_network_ends_as_float32_with_the_unrounded_weights(valid_labels):
    network = Tiny().to(torch.bfloat16)
    halves = FEATURES.to(torch.bfloat16)
    examples = Examples(EXAMPLES.lengths, EXAMPLES.labels, lambda rows: {"features": halves[rows]})
    list(fit(network, examples=examples, valid_labels=valid_labels, probabilities=[RIGHT, SURER], epochs=2))
    weights = copies(network)
    assert {weight.dtype for weight in weights} == {torch.float32}
    assert not equal(weights, [weight.to(torch.bfloat16).float() for weight in weights])


def test_probabilities_on_valid_that_are_not_finite_stop_the_training():
    with pytest.raises(TrainingError, match="finite probability on valid, found nan at step 6"):
        list(fit(Tiny(), probabilities=[RIGHT * float("nan")]))


def test_a_huge_learning_rate_stops_with_a_word_about_it():
    with pytest.raises(TrainingError, match=r"finite .* Lower the learning rate"):
        list(fit(Tiny(), learning_rate=1e38))


@pytest.mark.parametrize(("label", "found"), [(1, "found unverified"), (None, "found none")])
def test_one_label_is_not_enough(label, found):
    labels = np.array([label] * 5 if label is not None else [], dtype=np.int64)
    examples = Examples([1] * len(labels), labels, lambda rows: {"features": FEATURES[rows]})
    with pytest.raises(TrainingError, match=f"at least two labels in train, {found}"):
        next(fit(Tiny(), examples=examples))


def test_notes_come_once():
    steps = list(fit(Tiny(), notes={"precision": "float32"}, epochs=1))
    assert [step.notes for step in steps] == [{"precision": "float32"}, *[None] * 5]


class Interrupted(Tiny):
    """Ctrl-C comes in the n-th forward pass in training or in evaluation, after dropout has drawn its numbers."""

    def __init__(self, *, in_step=0, in_evaluation=0, dropout):
        super().__init__(dropout=dropout)
        self.left = {True: in_step, False: in_evaluation}

    def forward(self, features):
        logits = super().forward(features)
        self.left[self.training] -= 1
        if self.left[self.training] == 0:
            raise KeyboardInterrupt
        return logits


def state_at(moment, **loop):
    """The State that the last step gives after the interruption, as the runner asks for it."""
    last = None
    try:
        for step in fit(Interrupted(**moment, dropout=0.5), **loop):
            last = step
    except KeyboardInterrupt:
        return last.state()
    raise AssertionError("nobody interrupted")


@pytest.mark.parametrize(
    "moment",
    [{"in_step": 5}, {"in_step": 7}, {"in_step": 12}, {"in_evaluation": 2}, {"in_evaluation": 3}, {"in_evaluation": 4}],
    ids=str,
)
def test_an_interruption_in_the_middle_of_a_step_or_of_an_evaluation_costs_nothing(moment):
    loop = {"epochs": 2, "evaluations_per_epoch": 2, "patience_evaluations": 2}
    straight = Tiny(dropout=0.5)
    numbers = [step.number for step in fit(straight, **loop)]
    state = state_at(moment, **loop)
    torch.manual_seed(1234)
    resumed = Tiny(seed=77, dropout=0.5)
    rest = [step.number for step in fit(resumed, state=state, **loop)]
    assert rest == numbers[state.values["number"] :]
    assert equal(copies(resumed), copies(straight))
