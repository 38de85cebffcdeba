"""A comparison for a terminal, and for an experiment tracker that sorts by it."""

from claimsieve.comparison.records import Comparison, Pair
from claimsieve.comparison.verdicts import shown
from claimsieve.evaluation.evaluate import Estimate


def tables(comparison: Comparison) -> tuple[list[list[str]], list[list[str]]]:
    """The ranking, and every other contestant against the best one. Each has a header first."""
    return _ranking(comparison), _against_the_best(comparison)


def slice_table(pair: Pair) -> list[list[str]]:
    """The corpora and events of a pair, those that are more than noise first. A header first."""
    rows = [["", f"{pair.first} - {pair.second} [95 %]", "n", "p", "corrected", "outcome"]]
    for part in sorted(pair.slices, key=lambda part: (part.outcome == "noise", part.p)):
        told = "within noise" if part.outcome == "noise" else f"{pair.first} {part.outcome}"
        name = f"{part.kind} {part.name}"
        rows.append([name, shown(part.difference), f"{part.n:,}", f"{part.p:.3f}", f"{part.p_adjusted:.3f}", told])
    return rows


def summary_metrics(comparison: Comparison, name: str) -> dict[str, float]:
    """Where one contestant stands: rank from 1, macro-F1 behind the best with interval, and whom it surely beats.

    Raises DataError when there is no such contestant.
    """
    standing, best = comparison.standing(name), comparison.verdict.best
    nothing = Estimate(0.0, 0.0, 0.0)
    behind = nothing if name == best else comparison.between(best, name).difference
    sure = [pair for pair in comparison.pairs if pair.sure]
    return {
        "rank": float(standing.rank),
        "behind_best": behind.value,
        "behind_best_low": behind.low,
        "behind_best_high": behind.high,
        "wins": float(sum(_better(pair) == name for pair in sure)),
        "losses": float(sum(name in (pair.first, pair.second) and _better(pair) != name for pair in sure)),
    }


def verdict_tags(comparison: Comparison, name: str) -> dict[str, str]:
    """One word on a contestant, the verdict in a sentence, and with whom it was compared."""
    comparison.standing(name)
    verdict = comparison.verdict
    word = "winner" if name == verdict.winner else "among the leaders" if name in verdict.leaders else "behind"
    others = ", ".join(one.name for one in comparison.standings if one.name != name)
    return {"verdict": word, "verdict_sentence": verdict.sentence, "compared_with": others}


def _ranking(comparison: Comparison) -> list[list[str]]:
    ece = "ECE, mean of seeds" if len(comparison.standings[0].by_seed) > 1 else "ECE"
    rows = [["", "model", "macro-F1 [95 %]", "accuracy", ece, "verdict"]]
    for one in comparison.standings:
        f1 = f"{one.macro_f1.value:.3f} [{one.macro_f1.low:.3f}, {one.macro_f1.high:.3f}]"
        word = verdict_tags(comparison, one.name)["verdict"]
        rows.append([str(one.rank), one.name, f1, f"{one.accuracy.value:.3f}", f"{one.ece.value:.3f}", word])
    return rows


def _against_the_best(comparison: Comparison) -> list[list[str]]:
    best = comparison.verdict.best
    pairs = [comparison.between(best, one.name) for one in comparison.standings[1:]]
    with_seeds = any(pair.seeds is not None for pair in pairs)
    seeds = ["seed by seed"] if with_seeds else []
    rows = [[f"behind {best}", "macro-F1 [95 %]", *seeds, "p", "corrected", "rows lost, gained", "McNemar p", ""]]
    for pair in pairs:
        rows.append(
            [
                pair.second,
                shown(pair.difference),
                *([_seeds(pair)] if with_seeds else []),
                f"{pair.p:.3f}",
                f"{pair.p_adjusted:.3f}",
                f"{pair.right_to_wrong:,}, {pair.wrong_to_right:,}",
                f"{pair.mcnemar.p_adjusted:.3f}",
                _word(pair),
            ]
        )
    return rows


def _seeds(pair: Pair) -> str:
    return "" if pair.seeds is None else shown(pair.seeds.mean)


def _word(pair: Pair) -> str:
    word = "surely worse" if pair.sure else "within noise"
    return f"{word}: {pair.note}" if pair.note else word


def _better(pair: Pair) -> str:
    return pair.first if pair.difference.value > 0 else pair.second
