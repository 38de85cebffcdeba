"""The codebook's two questions as numbers: from stance and manipulation to the three labels, in closed form."""

from collections.abc import Hashable, Sequence

import numpy as np

from claimsieve.models.attributions import Floats, softmax
from claimsieve.records import LABELS, Claim, InputField, Label, Stance

STANCE_OUTPUTS = ("supported", "open", "refuted")
MANIPULATION_OUTPUTS = ("not_manipulated", "manipulated")
OUTPUTS = (*STANCE_OUTPUTS, *MANIPULATION_OUTPUTS)
AXES = ("supported", "open", "refuted", "manipulated")  # the probabilities that a prediction tells

MAX_SHIFT = 4.0

_OUTPUT_OF: dict[Stance, str] = {
    "supported": "supported",
    "insufficient": "open",
    "conflicting": "open",
    "refuted": "refuted",
}
_STANCE_OF: dict[Label, str] = {"verified": "supported", "unverified": "open", "propaganda": "refuted"}


def label_probabilities(axes: Floats) -> Floats:
    """The codebook's table with probabilities, the two answers taken as independent given what was read.

    p(verified) = supported; p(unverified) = open · (1 - manipulated); p(propaganda) = refuted + open · manipulated.
    axes: by AXES, the first three summing to 1. Shape: (n, 4). Returns shape (n, 3), in the order of LABELS.
    """
    supported, undecided, refuted, manipulated = axes.T
    return np.column_stack([supported, undecided * (1 - manipulated), refuted + undecided * manipulated])


def towards_label(axes: Floats) -> tuple[Floats, Floats]:
    """The gradient of the chosen label's log-odds in the logits of both heads.

    axes: Shape (n, 4). Returns shapes (n, 3), by STANCE_OUTPUTS, and (n, 2), by MANIPULATION_OUTPUTS. A label's
    probability is a · stance with a = (1, 0, 0), (0, 1 - m, 0) or (0, m, 1), so its gradient in the stance's logits is
    stance · (a - p), and in those of the manipulation ± m (1 - m) times what an open stance would gain or lose.
    """
    stance, m = axes[:, :3], axes[:, 3]
    labels = label_probabilities(axes)
    chosen = labels.argmax(axis=1)
    zeros, ones = np.zeros_like(m), np.ones_like(m)
    factors = np.stack([np.stack([ones, zeros, zeros]), np.stack([zeros, 1 - m, zeros]), np.stack([zeros, m, ones])])
    rows = np.arange(len(axes))
    p = labels[rows, chosen]
    scale = 1 / np.maximum(p * (1 - p), 1e-12)
    by_stance: Floats = stance * (factors[chosen, :, rows] - p[:, None]) * scale[:, None]
    gain = np.array([0.0, -1.0, 1.0])[chosen] * stance[:, 1] * m * (1 - m) * scale
    return by_stance, np.column_stack([-gain, gain])


def stance_probabilities(logits: Floats) -> Floats:
    """Shape: (n, 5) -> (n, 3), by STANCE_OUTPUTS."""
    return softmax(logits[:, : len(STANCE_OUTPUTS)])


def manipulation_probability(logits: Floats, shift: float = 0.0) -> Floats:
    """shift: taken off the log-odds (fitted_shift). Shape: (n, 5) -> (n,)"""
    found: Floats = softmax(logits[:, len(STANCE_OUTPUTS) :] - np.array([0.0, shift]))[:, 1]
    return found


def fitted_shift(axes: Floats, labels: np.ndarray) -> float:
    """By how much the log-odds of manipulation are too high for the labels of these rows, by least log loss.

    The manipulation head is trained on as many claims that manipulate as do not, and on corpora where somebody looked;
    of the claims that come with evidence far fewer do. Another share of a class moves its log-odds by a constant
    (Saerens et al. 2002, doi:10.1162/089976602753284446). axes: Shape (n, 4). labels: places in LABELS. Shape: (n,).
    Returns a number in [-MAX_SHIFT, MAX_SHIFT].
    """
    from scipy.optimize import minimize_scalar  # takes long to import, and a prediction needs none of it

    rows, manipulated = np.arange(len(labels)), np.clip(axes[:, 3], 1e-12, 1 - 1e-12)
    odds = np.log(manipulated) - np.log1p(-manipulated)

    def loss(shift: float) -> float:
        moved = np.column_stack([axes[:, :3], 1 / (1 + np.exp(shift - odds))])
        return float(-np.log(np.maximum(label_probabilities(moved)[rows, labels], 1e-12)).mean())

    return float(minimize_scalar(loss, bounds=(-MAX_SHIFT, MAX_SHIFT), method="bounded").x)


def stance_target(claim: Claim) -> str | None:
    """The output of the stance head that is right; None where the record does not tell.

    A label without a stance is taken for the stance that gives it where nothing is manipulated.
    """
    if claim.stance is not None:
        return _OUTPUT_OF[claim.stance]
    if claim.label is None or claim.manipulation:
        return None
    return _STANCE_OF[claim.label]


def manipulation_target(claim: Claim) -> str | None:
    """The output of the manipulation head that is right; None where nobody looked."""
    if claim.manipulation is None:
        return None
    return "manipulated" if claim.manipulation else "not_manipulated"


def first_of_wording(claims: Sequence[Claim], fields: Sequence[InputField] = ("claim",)) -> list[int]:
    """Places of the claims that one question about manipulation each is asked of, where its answer is known.

    A claim stands in many rows, with other evidence, and is worded the same in all of them: the first counts. fields:
    what is read of a claim beside its evidence.
    """
    found: dict[Hashable, int] = {}
    for row, claim in enumerate(claims):
        if (target := manipulation_target(claim)) is not None:
            found.setdefault((claim.corpus, *(getattr(claim, field) for field in fields), target), row)
    return list(found.values())


def places(targets: Sequence[str]) -> np.ndarray:
    """Places in OUTPUTS. Shape: (n,)"""
    return np.array([OUTPUTS.index(target) for target in targets], dtype=np.int64)


assert LABELS == ("verified", "unverified", "propaganda")  # the order that the closed form is written in
