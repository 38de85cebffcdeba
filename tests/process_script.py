"""What each of several processes does in tests/test_processes.py; one process alone gives what they are compared with.

Run with RANK, WORLD_SIZE and the folder to write to; each process leaves `<rank>.json`.
"""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch

from claimsieve import processes
from claimsieve.errors import TrainingError
from claimsieve.models.fitting import fit_network
from claimsieve.models.loop import Examples, LoopSettings
from claimsieve.training import Watch, follow

LABELS = np.array([0] * 14 + [1] * 6 + [2] * 3)
LENGTHS = [1 + row % 5 for row in range(len(LABELS))]  # batches of one row to twelve, so that some processes have none
FEATURES = torch.tensor(np.random.default_rng(0).normal(size=(len(LABELS), 4)) + LABELS[:, None], dtype=torch.float32)
VALID_LABELS = np.arange(7) % 3
VALID = torch.tensor(np.random.default_rng(1).normal(size=(7, 4)) + VALID_LABELS[:, None], dtype=torch.float32)
WAYS = {
    "plain": {},
    "accumulated": {"accumulate_steps": 3},
    "unweighted": {"label_weights": "none"},
}


class Network(torch.nn.Module):
    """One layer is never used, and keeps its weights; nan: what a process that has this place computes."""

    def __init__(self, *, dropout: float = 0.0, nan: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.used = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(8, 3)
        )
        self.unused = torch.nn.Linear(2, 2)
        self.nan = nan

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        logits = self.used(features.to(self.used[0].weight.dtype))
        return logits * float("nan") if self.nan == processes.place() else logits


def steps_of(network, *, seed=0, state=None, valid=True, **loop):
    def probabilities():
        network.eval()
        with torch.no_grad():
            return network(processes.share(VALID)).double().softmax(dim=1).numpy()

    settings = {"epochs": 4, "batch_tokens": 12, "learning_rate": 0.05, "max_gradient_norm": 0.5, **loop}
    return fit_network(
        network,
        Examples(LENGTHS, LABELS, lambda rows: {"features": FEATURES[rows]}),
        valid_labels=VALID_LABELS if valid else VALID_LABELS[:0],
        valid_probabilities=probabilities,
        settings=LoopSettings(**settings),
        seed=seed,
        state=state,
    )


def told(network, steps):
    taken = [[step.loss, step.tokens, step.valid] for step in steps]
    return {"steps": taken, "weights": [parameter.tolist() for parameter in network.parameters()]}


def going_on(done):
    """A training with dropout, begun anew after `done` steps."""
    network = Network(dropout=0.5)
    steps = steps_of(network)
    state = None
    for _ in range(done):
        state = next(steps).state()
    steps.close()
    torch.manual_seed(processes.place() + done)  # whatever was drawn before must not matter
    network = Network(dropout=0.5)
    return told(network, steps_of(network, state=state))["weights"]


class Kept:
    """A checkpoint that keeps the number of its step."""

    def __init__(self):
        self.number = None

    def write(self, state):
        self.number = state.values["number"]
        return True


def stopped_by_a_signal_to_the_last():
    """After which step each process stops when one of them gets a signal in the third."""
    checkpoint = Kept()

    def watch(step):
        if step.number == 3 and processes.place() == processes.count() - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        follow(steps_of(Network()), checkpoint, None, seconds=1e9, watch=Watch(step=watch))
    except KeyboardInterrupt:
        return checkpoint.number
    return None


def refusal(steps):
    try:
        for _ in steps:
            pass
    except TrainingError as error:
        return str(error)
    return None


def main(folder: str) -> None:
    torch.set_num_threads(1)
    processes.join(torch.device("cpu"))
    place = processes.place()
    found = {}
    for way, loop in WAYS.items():
        network = Network()
        found[way] = told(network, steps_of(network, **loop))
    network = Network().to(torch.bfloat16)
    found["bfloat16"] = told(network, steps_of(network))
    found["whole"], found["resumed"] = going_on(0), going_on(5)
    found["stopped"] = stopped_by_a_signal_to_the_last()
    found["other seed"] = refusal(steps_of(Network(), seed=place))
    found["nan"] = refusal(steps_of(Network(nan=processes.count() - 1), valid=False))
    rows = np.arange(5.0).repeat(2).reshape(5, 2)
    found["gathered"] = processes.gathered(processes.share(rows), rows=5).tolist()
    (Path(folder) / f"{place}.json").write_text(json.dumps(found), encoding="utf-8")
    if processes.count() > 1 and place == 1:
        os._exit(3)  # without a word to the others
    found["lost"] = refusal(steps_of(Network()))
    (Path(folder) / f"{place}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
