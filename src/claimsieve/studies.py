"""Questions about data that take several trainings to answer: shortcuts, optimism of a random split, choice of map."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from claimsieve.data.corpora import corpus_names, ratings_of
from claimsieve.data.fields import check_changes
from claimsieve.data.prepare import Cut, Prepared, augmented, cuts, parts, prepare
from claimsieve.data.splits import split
from claimsieve.errors import ConfigError, DataError
from claimsieve.evaluation.evaluate import Estimate, interval, macro_f1_draws, truth_of
from claimsieve.evaluation.metrics import Floats, point_metrics
from claimsieve.evaluation.repeats import over_seeds
from claimsieve.evaluation.shortcut_models import shortcut_probabilities
from claimsieve.evaluation.shortcuts import sampled
from claimsieve.models.build import build_model
from claimsieve.models.lineage import met_before
from claimsieve.records import LABELS, Claim
from claimsieve.settings import RunConfig
from claimsieve.settings.data import EACH

Say = Callable[[str], None]
MIN_SEEDS = 2  # one seed has no spread to make an interval of


@dataclass(frozen=True, slots=True)
class ShortcutStudy:
    """Macro-F1 of each shortcut over the seeds' splits. by_seed: name → a value per seed. n: test claims of each."""

    scores: dict[str, Estimate]
    by_seed: dict[str, tuple[float, ...]]
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

    changed: share of the rows under either map that have another label, or none, than by the recipe's own, in [0, 1].
    macro_f1, majority: of the model and of always giving the most frequent label; None where the map leaves one label.
    difference: from the recipe's own map, by seed; another map may cut other rows into test.
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
    _check_seeds(config, seeds)
    prepared = prepare(config.data, met_before(config.model))
    say(prepared.described())
    found: list[dict[str, _Tested]] = []
    for seed in seeds:
        of_folds = []
        for cut in cuts(prepared, config.data, [seed]):
            splits = parts(prepared, cut)
            train = sampled(splits["train"], seed)
            scored = shortcut_probabilities(train, splits["test"], seed=seed)
            of_folds.append({name: _Tested(rows, splits["test"], len(train)) for name, rows in scored.items()})
        names = [name for name in of_folds[0] if all(name in fold for fold in of_folds)]
        found.append({name: _pooled([fold[name] for fold in of_folds]) for name in names})
        best = max(found[-1], key=lambda name: found[-1][name].macro_f1)
        say(f"seed {seed}: best {best} {found[-1][best].macro_f1:.3f}")
    names = [name for name in found[0] if all(name in one for one in found)]
    differ = _tests_differ(config, prepared)
    scores = {name: _estimate([one[name] for one in found], tests_differ=differ) for name in names}
    by_seed = {name: tuple(one[name].macro_f1 for one in found) for name in names}
    return ShortcutStudy(scores, by_seed, tuple(seeds), tuple(len(one[names[0]].claims) for one in found))


def study_optimism(config: RunConfig, seeds: Sequence[int], *, say: Say = lambda text: None) -> Optimism:
    """Train the config's model under its own split and under a split of single rows, on each seed.

    Where groups are held out in turn, a seed's honest score is that of all of them together, and its models see more of
    the corpus than the random side's do. Raises ConfigError when the config's own split is random.
    """
    _check_seeds(config, seeds)
    plan = config.data.split
    if plan.by == "random":
        raise ConfigError("data.split.by: expected group, source or time to compare with random, found random.")
    _check_untrained(config)
    prepared = prepare(config.data)
    say(prepared.described())
    honest, random = [], []
    for seed in seeds:
        own = cuts(prepared, config.data, [seed])
        honest.append(_pooled([_trained(config, prepared, cut) for cut in own]))
        random.append(_trained(config, prepared, _row_by_row(prepared, config, seed)))
        say(f"seed {seed}: {plan.by} {honest[-1].macro_f1:.3f}, random {random[-1].macro_f1:.3f}")
    differ = _tests_differ(config, prepared)
    own_split, random_rows = _estimate(honest, tests_differ=differ), _estimate(random)
    if differ:
        gaps = [one.macro_f1 - other.macro_f1 for one, other in zip(random, honest, strict=True)]
        gap = over_seeds(gaps, test_to_train=_test_to_train([*honest, *random]), low=-1.0)
    else:
        gap = _difference(random_rows, own_split)
    return Optimism(
        honest=own_split,
        random=random_rows,
        gap=gap,
        honest_by_seed=tuple(one.macro_f1 for one in honest),
        random_by_seed=tuple(one.macro_f1 for one in random),
        seeds=tuple(seeds),
        n_honest=tuple(len(one.claims) for one in honest),
        n_random=tuple(len(one.claims) for one in random),
        split=plan.by if plan.hold_out is None else f"{plan.by}, {plan.held_out or EACH} held out",
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
    Raises ConfigError before any training when a map names what is not there.
    """
    _check_seeds(config, seeds)
    _check_untrained(config)
    corpora = config.data.corpora
    ratings = {name: ratings_of(one) for name, one in zip(corpus_names(corpora), corpora, strict=True)}
    for changes in maps.values():
        check_changes({corpus: changes}, ratings)
    results: list[MapResult] = []
    own = _Mapped({}, [], [])
    for name, changes in {"as the recipe says": {}, **maps}.items():
        mapped = {**config.data.maps, corpus: {**config.data.maps.get(corpus, {}), **changes}}
        found = _under_map(config, mapped, seeds, say=lambda text, name=name: say(f"{name}: {text}"))  # type: ignore[misc]
        own = own if results else found
        both = own.labels.keys() | found.labels.keys()
        changed = sum(own.labels.get(key) != found.labels.get(key) for key in both) / max(len(both), 1)
        counts = Counter(found.labels.values())
        result = MapResult(name, dict(changes), {label: counts[label] for label in LABELS}, changed)
        if found.models:
            result = replace(result, macro_f1=_estimate(found.models), majority=_estimate(found.majorities))
        if results and found.models and own.models:
            gaps = [one.macro_f1 - other.macro_f1 for one, other in zip(found.models, own.models, strict=True)]
            difference = over_seeds(gaps, test_to_train=_test_to_train(found.models), low=-1.0)
            result = replace(result, difference=difference)
        results.append(result)
    return results


@dataclass(frozen=True, slots=True)
class _Mapped:
    """The label of each claim by id under one map, and by seed the config's model and the majority label's."""

    labels: dict[str | None, str | None]
    models: list["_Tested"]
    majorities: list["_Tested"]


def _under_map(config: RunConfig, maps: dict[str, dict[str, str | None]], seeds: Sequence[int], *, say: Say) -> _Mapped:
    """No models where the map leaves one label, or no rows."""
    one = config.model_copy(update={"data": config.data.model_copy(update={"maps": maps})})
    labels: dict[str | None, str | None] = {}
    try:
        prepared = prepare(one.data)
        labels = {claim.id: claim.label for claim in prepared.claims}
        own = cuts(prepared, one.data, seeds)
    except DataError as error:
        say(str(error))
        return _Mapped(labels, [], [])
    models = [_trained(one, prepared, cut) for cut in own]
    say(f"macro-F1 {np.mean([model.macro_f1 for model in models]):.3f}")
    return _Mapped(labels, models, [_majority(prepared, cut) for cut in own])


@dataclass(frozen=True, slots=True)
class _Tested:
    """One model's probabilities on its test claims, shape (n, 3), and how many it was trained on."""

    probabilities: Floats
    claims: Sequence[Claim]
    train_claims: int

    @property
    def macro_f1(self) -> float:
        return macro_f1(self.probabilities, self.claims)


def _pooled(folds: Sequence[_Tested]) -> _Tested:
    claims = [claim for fold in folds for claim in fold.claims]
    train = round(float(np.mean([fold.train_claims for fold in folds])))
    return _Tested(np.concatenate([fold.probabilities for fold in folds]), claims, train)


def _estimate(by_seed: Sequence[_Tested], *, tests_differ: bool = True) -> Estimate:
    """Over seeds; where all of them test the same rows, over these rows."""
    if tests_differ:
        return over_seeds([one.macro_f1 for one in by_seed], test_to_train=_test_to_train(by_seed))
    mean = float(np.mean([one.macro_f1 for one in by_seed]))
    spans = [
        interval(*macro_f1_draws(one.probabilities, truth_of(one.claims), seed=n)) for n, one in enumerate(by_seed)
    ]
    return Estimate(mean, float(np.mean([span.low for span in spans])), float(np.mean([span.high for span in spans])))


def _tests_differ(config: RunConfig, prepared: Prepared) -> bool:
    """Whether another seed tests other rows: not by time, not where it is said what is held out, and not where a model
    that all start from has met the rows."""
    return config.data.split.by != "time" and config.data.split.hold_out is None and not any(prepared.before)


def _difference(first: Estimate, second: Estimate) -> Estimate:
    """Of two estimates that have nothing to do with one another: half-widths add in quadrature."""
    value = first.value - second.value
    half = float(np.hypot((first.high - first.low) / 2, (second.high - second.low) / 2))
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0))


def _test_to_train(tested: Sequence[_Tested]) -> float:
    return float(np.mean([len(one.claims) / one.train_claims for one in tested]))


def _check_seeds(config: RunConfig, seeds: Sequence[int]) -> None:
    if len(set(seeds)) < MIN_SEEDS:
        raise ConfigError(f"--seeds: expected {MIN_SEEDS} or more for an interval, found {len(set(seeds))}.")
    if config.data.split.seed is not None:
        raise ConfigError("data.split.seed: expected none, so that every seed draws its own split, found one.")


def _check_untrained(config: RunConfig) -> None:
    if met_before(config.model):
        raise ConfigError(
            "model.checkpoint: expected one that has met none of the claims, found a trained model, which has its own "
            "split. Measure from the checkpoint that it started from."
        )


def _row_by_row(prepared: Prepared, config: RunConfig, seed: int) -> Cut:
    """As most published splits are drawn: stories and near-duplicates are cut through."""
    alone = np.arange(len(prepared.claims))
    fractions = config.data.split.fractions
    assignment = split(prepared.claims, alone, by="random", fractions=fractions, seed=seed, allow_group_leak=True)
    return Cut(seed, assignment)


def _trained(config: RunConfig, prepared: Prepared, cut: Cut) -> _Tested:
    model, splits = build_model(config, seed=cut.seed), parts(prepared, cut)
    train = augmented(prepared, cut, config.data)
    for _ in model.fit(train, valid=splits["valid"]):
        pass
    return _Tested(model.predict_proba(splits["test"]), splits["test"], len(train))


def _majority(prepared: Prepared, cut: Cut) -> _Tested:
    """A model that always gives the most frequent label of train."""
    splits = parts(prepared, cut)
    counts = Counter(claim.label for claim in splits["train"])
    shares = [counts[label] / len(splits["train"]) for label in LABELS]
    return _Tested(np.tile(shares, (len(splits["test"]), 1)), splits["test"], len(splits["train"]))


def macro_f1(probabilities: Floats, claims: Sequence[Claim]) -> float:
    """Macro-F1 over the labels that the claims have, in [0, 1]. probabilities: Shape (n, 3)."""
    return point_metrics(probabilities, truth_of(claims))["macro_f1"]
