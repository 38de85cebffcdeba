"""Which of several models is better, and is the difference more than luck? Paired on the same test rows.

What decides is one p per pair, the larger of two where there are seeds: over the rows, by paired randomisation, and
over the seeds, by a t test of the differences seed by seed. In simulation, of configs equally good but for the luck of
training, the rows alone named a winner in .25 to .64 of cases at a level of .05, the rows and the same sign at three
seeds in .16 to .27, both p in .03 to .05. The price is power: three seeds tell only large differences.

The p are corrected over all pairs (Holm); a winner is surely better than every other. Intervals are of one pair by
itself and not corrected; where they seem to say otherwise than the verdict, `note` says why.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from claimsieve.comparison.contestants import Contestant, Matched, Unit, match, numbered
from claimsieve.comparison.flips import flips
from claimsieve.comparison.paired import MIN_UNITS, Draws, Integers, draw, mcnemar_p, swaps_for, unit_sums
from claimsieve.comparison.records import Comparison, Flip, McNemar, Pair, SliceDifference, Standing
from claimsieve.comparison.seeds import BySeed, by_seed
from claimsieve.comparison.slices import slice_differences
from claimsieve.comparison.verdicts import Facts, judged, verdict
from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import LEVEL, Estimate, interval
from claimsieve.evaluation.metrics import metrics_of_sums, occurring, resampled_sums, row_statistics

_LEAST_SWAPS = 9_999


def compare(
    contestants: Sequence[Contestant],
    *,
    unit: Unit = "claim",
    resamples: int = 1000,
    seed: int = 0,
    alpha: float = 0.05,
    min_slice_rows: int = 20,
) -> Comparison:
    """Compare every contestant with every other on the rows that all of them tested.

    Several runs of a contestant are its seeds and folds, pooled over their rows and matched by seed and fold; single
    runs are matched whatever their seed. unit: what is drawn as one. alpha: chance of naming any difference sure when
    there is none, in (0, 1). min_slice_rows: corpora and events with fewer rows get no slice. The order of contestants
    and of rows changes nothing. Raises DataError when the contestants cannot be compared, ValueError when an argument
    is out of range.
    """
    if resamples < 100 or not 0 < alpha < 1:
        raise ValueError(f"expected at least 100 resamples and 0 < alpha < 1, found {resamples} and {alpha}")
    matched = match(contestants)
    unit_of, models = matched.units(unit), len(matched.names)
    units = int(unit_of.max()) + 1
    _check_units(unit, units)
    statistics = np.stack([unit_sums(row_statistics(p, matched.truth), unit_of) for p in matched.probabilities], axis=1)
    swaps = swaps_for(models * (models - 1) // 2, alpha=alpha, least=_LEAST_SWAPS)
    draws = draw(statistics, present=occurring(matched.truth), resamples=resamples, swaps=swaps, seed=seed)
    chosen = matched.probabilities.argmax(axis=2)
    seeds = by_seed(matched, chosen)
    ece = _ece_over_seeds(matched, unit_of, resamples=resamples, seed=seed)
    standings = _standings(matched, draws, seeds, ece)
    order = [matched.names.index(one.name) for one in standings]
    pairs = judged(_pairs(matched, draws, chosen, order, seeds), alpha=alpha)
    with_best = [(order[0], other) for other in order[1:]]
    slices, left_out = slice_differences(
        matched, unit_of, chosen, with_best, resamples=resamples, seed=seed, alpha=alpha, min_rows=min_slice_rows
    )
    detailed = [
        _detailed(pair, flips(matched, chosen, *numbers), of_pair, left_out)
        for pair, numbers, of_pair in zip(pairs, with_best, slices, strict=False)  # pairs with the best stand first
    ]
    facts = _facts(matched, seeds, unit=unit, units=units)
    return Comparison(
        standings=tuple(standings),
        pairs=(*detailed, *pairs[len(detailed) :]),
        verdict=verdict(standings, pairs, facts),
        n=len(matched.ids),
        claims=facts.claims,
        unit=unit,
        units=units,
        settings={
            "resamples": resamples,
            "swaps": swaps,
            "seed": seed,
            "alpha": alpha,
            "level": LEVEL,
            "min_slice_rows": min_slice_rows,
        },
    )


def _detailed(
    pair: Pair,
    flipped: tuple[tuple[Flip, ...], tuple[Flip, ...]],
    slices: tuple[SliceDifference, ...],
    left_out: int,
) -> Pair:
    lost, gained = flipped
    return replace(pair, right_to_wrong_rows=lost, wrong_to_right_rows=gained, slices=slices, slices_left_out=left_out)


def _facts(matched: Matched, seeds: BySeed, *, unit: Unit, units: int) -> Facts:
    events = {key for key in zip(matched.corpora, matched.events, strict=True) if key[1] is not None}
    return Facts(
        claims=len(set(matched.ids)),
        unit=unit,
        units=units,
        seeds=max(len(seeds.macro_f1), 1),
        events=len(events),
        train_rows_known=matched.test_to_train is not None,
    )


def _check_units(unit: Unit, units: int) -> None:
    if units < MIN_UNITS:
        step = "Compare by claim, or test on more of them." if unit == "event" else "Test on more of them."
        raise DataError(
            f"expected at least {MIN_UNITS} {unit}s among the test rows, found {units}: no difference could be told "
            f"from luck. {step}"
        )


def _ece_over_seeds(matched: Matched, unit_of: Integers, *, resamples: int, seed: int) -> list[Estimate]:
    """ECE of each contestant, the mean of its seeds' own; [] where there is one seed.

    Pooled over seeds, what one is too sure of and another not sure enough of would cancel out, and the models in use
    are single ones. All seeds' rows of a unit are drawn together.
    """
    seeds, found = matched.seed_rows(), []
    for probabilities in matched.probabilities if seeds else ():
        statistics = row_statistics(probabilities, matched.truth)
        of_seed = []
        for rows in seeds.values():
            own = np.zeros_like(statistics)
            own[rows] = statistics[rows]
            of_seed.append(unit_sums(own, unit_of))
        of_unit = np.hstack(of_seed)
        sums = np.vstack([of_unit.sum(axis=0), resampled_sums(of_unit, resamples=resamples, seed=seed)])
        by_seed = sums.reshape(len(sums), len(seeds), -1)
        means = metrics_of_sums(by_seed, present=occurring(matched.truth))["ece"].mean(axis=1)
        found.append(interval(float(means[0]), means[1:]))
    return found


def _standings(matched: Matched, draws: Draws, seeds: BySeed, ece_over_seeds: Sequence[Estimate]) -> list[Standing]:
    """The best first; those of one macro-F1 by name."""
    values = metrics_of_sums(draws.totals, present=draws.present)
    resampled = metrics_of_sums(draws.resampled, present=draws.present)
    order = sorted(range(len(matched.names)), key=lambda model: -values["macro_f1"][model])
    found = []
    for place, model in enumerate(order):
        f1, accuracy, ece = (
            interval(float(values[name][model]), resampled[name][:, model]) for name in ("macro_f1", "accuracy", "ece")
        )
        of_model = {seed: float(of_seed[model]) for seed, of_seed in seeds.macro_f1.items()}
        ece = ece_over_seeds[model] if ece_over_seeds else ece
        found.append(Standing(matched.names[model], place + 1, f1, accuracy, ece, of_model))
    return found


def _pairs(matched: Matched, draws: Draws, chosen: Integers, order: Sequence[int], seeds: BySeed) -> list[Pair]:
    """All pairs, the better one first, those with the best contestant at the front. Not yet judged together."""
    right = (chosen == matched.truth.argmax(axis=1)).T.astype(np.float64)
    by_claim = unit_sums(right, numbered(matched.ids))
    found = []
    for first, second in ((one, other) for place, one in enumerate(order) for other in order[place + 1 :]):
        more = by_claim[:, first] - by_claim[:, second]
        only_first, only_second = int((more > 0).sum()), int((more < 0).sum())
        p_mcnemar, p_rows = mcnemar_p(only_first, only_second), draws.p(first, second)
        repeats = seeds.between(first, second, row_error=draws.error(first, second))
        p = p_rows if repeats is None else max(p_rows, repeats.p)
        found.append(
            Pair(
                first=matched.names[first],
                second=matched.names[second],
                difference=draws.difference(first, second),
                p_rows=p_rows,
                seeds=repeats,
                p=p,
                p_adjusted=p,
                sure=False,
                note="",
                mcnemar=McNemar(only_first, only_second, p_mcnemar, p_mcnemar),
                right_to_wrong=int((right[:, first] > right[:, second]).sum()),
                wrong_to_right=int((right[:, first] < right[:, second]).sum()),
            )
        )
    return found
