"""Questions about data that take several trainings to answer: shortcuts, optimism of a random split, choice of map."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from claimsieve.data.prepare import Cut, Prepared, cuts, parts, prepare
from claimsieve.data.splits import split
from claimsieve.errors import ConfigError, DataError
from claimsieve.evaluation.evaluate import Estimate, truth_of
from claimsieve.evaluation.metrics import Floats, point_metrics
from claimsieve.evaluation.shortcuts import measure_shortcuts
from claimsieve.models.build import build_model
from claimsieve.records import LABELS, Claim
from claimsieve.settings import RunConfig

Say = Callable[[str], None]
MIN_SEEDS = 2  # one seed has no spread to make an interval of


@dataclass(frozen=True, slots=True)
class ShortcutStudy:
    """Macro-F1 of each shortcut over the seeds' splits. n: test claims of each seed."""

    scores: dict[str, Estimate]
    seeds: tuple[int, ...]
    n: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Optimism:
    """Macro-F1 of one config under its own split and under a split that draws rows one by one.

    honest, random: by seed. gap: random - honest, paired by seed. n: test claims by seed, honest and random.
    """

    honest: Estimate
    random: Estimate
    gap: Estimate
    honest_by_seed: tuple[float, ...]
    random_by_seed: tuple[float, ...]
    seeds: tuple[int, ...]
    n_honest: tuple[int, ...]
    n_random: tuple[int, ...]
    split: str


@dataclass(frozen=True, slots=True)
class MapResult:
    """One corpus under one map of its ratings.

    changed: share of the rows of the recipe's own map that have another label, or none, in [0, 1]. macro_f1, majority:
    of the model and of always giving the most frequent label; None where the map leaves one label. difference: from the
    recipe's own map, paired by seed.
    """

    name: str
    changes: Mapping[str, str | None]
    labels: dict[str, int]
    changed: float
    macro_f1: Estimate | None = None
    majority: Estimate | None = None
    difference: Estimate | None = None


def study_shortcuts(config: RunConfig, seeds: Sequence[int], *, say: Say = lambda text: None) -> ShortcutStudy:
    """Measure the shortcuts of a config's data on each seed's split. No model of the config is trained."""
    _check_seeds(seeds)
    prepared = prepare(config.data)
    say(prepared.described())
    found, shares = [], []
    for cut in cuts(prepared, config.data, seeds):
        splits = parts(prepared, cut, config.data)
        found.append(measure_shortcuts(splits["train"], splits["test"], resamples=100, seed=cut.seed))
        shares.append(len(splits["test"]) / len(splits["train"]))
        say(f"seed {cut.seed}: best {found[-1].best} {found[-1].scores[found[-1].best].value:.3f}")
    names = [name for name in found[0].scores if all(name in one.scores for one in found)]
    share = float(np.mean(shares))
    scores = {name: over_seeds([one.scores[name].value for one in found], test_share=share) for name in names}
    return ShortcutStudy(scores, tuple(seeds), tuple(one.n for one in found))


def study_optimism(config: RunConfig, seeds: Sequence[int], *, say: Say = lambda text: None) -> Optimism:
    """Train the config's model under its own split and under a split of single rows, on each seed.

    Raises ConfigError when the config's own split is random: there is no honest side to compare with.
    """
    _check_seeds(seeds)
    plan = config.data.split
    if plan.by == "random":
        raise ConfigError("data.split.by: expected group, source or time to compare with random, found random.")
    prepared = prepare(config.data)
    say(prepared.described())
    values: dict[str, list[float]] = {"honest": [], "random": []}
    rows: dict[str, list[int]] = {"honest": [], "random": []}
    shares = []
    for cut in cuts(prepared, config.data, seeds):
        for side, one in (("honest", cut), ("random", _row_by_row(prepared, config, cut.seed))):
            splits = parts(prepared, one, config.data)
            values[side].append(_test_macro_f1(config, splits, seed=cut.seed))
            rows[side].append(len(splits["test"]))
            shares.append(len(splits["test"]) / len(splits["train"]))
        say(f"seed {cut.seed}: {plan.by} {values['honest'][-1]:.3f}, random {values['random'][-1]:.3f}")
    gaps = [random - honest for random, honest in zip(values["random"], values["honest"], strict=True)]
    share = float(np.mean(shares))
    return Optimism(
        honest=over_seeds(values["honest"], test_share=share),
        random=over_seeds(values["random"], test_share=share),
        gap=over_seeds(gaps, test_share=share),
        honest_by_seed=tuple(values["honest"]),
        random_by_seed=tuple(values["random"]),
        seeds=tuple(seeds),
        n_honest=tuple(rows["honest"]),
        n_random=tuple(rows["random"]),
        split=plan.by,
    )


def study_maps(
    config: RunConfig,
    maps: Mapping[str, Mapping[str, str | None]],
    seeds: Sequence[int],
    *,
    corpus: str,
    say: Say = lambda text: None,
) -> list[MapResult]:
    """Train the config's model under the recipe's own map and under each of `maps`, on each seed's split.

    maps: name → rating → stance, label or null. corpus: whose ratings they are. The recipe's own map comes first.
    """
    _check_seeds(seeds)
    own: dict[str | None, str | None] = {}
    results: list[MapResult] = []
    own_values: list[float] = []
    for name, changes in {"as the recipe says": {}, **maps}.items():
        data = config.data.model_copy(update={"maps": {corpus: dict(changes)}})
        one = config.model_copy(update={"data": data})
        prepared = prepare(data)
        labels = {claim.id: claim.label for claim in prepared.claims}
        own = own or dict(labels)
        changed = sum(labels.get(identifier) != label for identifier, label in own.items()) / len(own)
        counts = Counter(labels.values())
        result = MapResult(name, dict(changes), {label: counts[label] for label in LABELS}, changed)
        try:
            scored = [_with_majority(one, prepared, cut) for cut in cuts(prepared, data, seeds)]
        except DataError as error:
            say(f"{name}: {error}")
            results.append(result)
            continue
        values = [value for value, _, _ in scored]
        share = float(np.mean([share for _, _, share in scored]))
        own_values = own_values or values
        results.append(
            MapResult(
                name,
                result.changes,
                result.labels,
                changed,
                macro_f1=over_seeds(values, test_share=share),
                majority=over_seeds([value for _, value, _ in scored], test_share=share),
                difference=over_seeds(
                    [mine - first for mine, first in zip(values, own_values, strict=True)], test_share=share
                )
                if results and results[0].macro_f1 is not None
                else None,
            )
        )
        say(f"{name}: macro-F1 {np.mean(values):.3f}")
    return results


def over_seeds(values: Sequence[float], *, test_share: float) -> Estimate:
    """Mean over seeds with a 95 % t interval, corrected for splits that overlap (Nadeau & Bengio 2003).

    values: one per seed, at least two. test_share: test rows / train rows.
    """
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * spread * (1 / len(values) + test_share) ** 0.5
    return Estimate(mean, mean - half, mean + half)


def _check_seeds(seeds: Sequence[int]) -> None:
    if len(set(seeds)) < MIN_SEEDS:
        raise ConfigError(
            f"--seeds: expected {MIN_SEEDS} or more, found {len(set(seeds))}: an interval needs a spread."
        )


def _row_by_row(prepared: Prepared, config: RunConfig, seed: int) -> Cut:
    """As most published splits are drawn: stories and near-duplicates are cut through."""
    alone = np.arange(len(prepared.claims))
    fractions = config.data.split.fractions
    assignment = split(prepared.claims, alone, by="random", fractions=fractions, seed=seed, allow_group_leak=True)
    return Cut(seed, assignment)


def _test_macro_f1(config: RunConfig, splits: Mapping[str, Sequence[Claim]], *, seed: int) -> float:
    model = build_model(config, seed=seed)
    for _ in model.fit(splits["train"], valid=splits["valid"]):
        pass
    return macro_f1(model.predict_proba(splits["test"]), splits["test"])


def _with_majority(config: RunConfig, prepared: Prepared, cut: Cut) -> tuple[float, float, float]:
    """Macro-F1 of the model and of the most frequent label, and test rows / train rows."""
    splits = parts(prepared, cut, config.data)
    counts = Counter(claim.label for claim in splits["train"])
    constant = np.tile([float(counts[label]) for label in LABELS], (len(splits["test"]), 1)) / len(splits["train"])
    value = _test_macro_f1(config, splits, seed=cut.seed)
    return value, macro_f1(constant, splits["test"]), len(splits["test"]) / len(splits["train"])


def macro_f1(probabilities: Floats, claims: Sequence[Claim]) -> float:
    """Macro-F1 over the labels that the claims have, in [0, 1]. probabilities: Shape (n, 3)."""
    return point_metrics(probabilities, truth_of(claims))["macro_f1"]
