"""From the numbers of a comparison to words: who is better, and why a difference that looks real may not be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from claimsieve.comparison.paired import holm
from claimsieve.comparison.records import McNemar, Pair, Repeats, Standing, Verdict
from claimsieve.evaluation.evaluate import Estimate


@dataclass(frozen=True, slots=True)
class Facts:
    """What the words need to know. events: different events among the rows, 0 where none is named."""

    claims: int
    unit: str
    units: int
    seeds: int
    events: int
    train_rows_known: bool


def judged(pairs: Sequence[Pair], *, alpha: float) -> list[Pair]:
    """The pairs with what follows from all of them together: corrected p, whether the difference is sure, and why."""
    adjusted, mcnemar = holm([pair.p for pair in pairs]), holm([pair.mcnemar.p for pair in pairs])
    found = []
    for pair, p, p_mcnemar in zip(pairs, adjusted, mcnemar, strict=True):
        counts = McNemar(pair.mcnemar.only_first, pair.mcnemar.only_second, pair.mcnemar.p, p_mcnemar)
        mean = pair.difference.value if pair.seeds is None else pair.seeds.mean.value
        sure = p < alpha and mean * pair.difference.value > 0  # rows and seeds have to agree on who is ahead
        one = replace(pair, p_adjusted=p, sure=sure, mcnemar=counts)
        found.append(replace(one, note=note(one, alpha=alpha, pairs=len(pairs))))
    return found


def note(pair: Pair, *, alpha: float, pairs: int) -> str:
    """Why the verdict on a pair is not what its interval alone would say; empty where they agree."""
    outside = pair.difference.low > 0 or pair.difference.high < 0
    if pair.sure == outside:
        return ""
    if pair.sure:
        return (
            f"the interval reaches 0, but swaps by chance make such a difference in only {_share(pair.p_rows)} of cases"
        )
    if pair.p_rows >= alpha:
        return (
            f"the interval leaves 0 out, but swaps by chance make such a difference in {_share(pair.p_rows)} of cases"
        )
    if pair.seeds is not None and pair.seeds.p >= alpha:
        return f"over these rows it is more than noise, over {_seeds(pair.seeds)} it is not: {shown(pair.seeds.mean)}"
    return f"p = {_p(pair.p)} by itself, {_p(pair.p_adjusted)} corrected for {pairs} pairs"


def verdict(standings: Sequence[Standing], pairs: Sequence[Pair], facts: Facts) -> Verdict:
    """standings: the best first. pairs: judged, the better one first."""
    best = standings[0].name
    against = {pair.second: pair for pair in pairs if pair.first == best}
    behind = tuple(one.name for one in standings[1:] if against[one.name].sure)
    leaders = tuple(one.name for one in standings if one.name not in behind)
    winner = best if len(leaders) == 1 else None
    sample = f"(n = {_sample(facts)})"
    if len(standings) == 2:
        sentence = _of_two(against[standings[1].name], sample)
    else:
        sentence = _of_many(standings, leaders, behind, against, sample)
    return Verdict(winner, best, leaders, behind, sentence, _caveats(facts))


def shown(estimate: Estimate) -> str:
    """A difference with its sign and interval."""
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"


def _of_two(pair: Pair, sample: str) -> str:
    difference = shown(pair.difference)
    because = f"; {pair.note}" if pair.note else ""
    if pair.sure:
        return f"{pair.first} is better than {pair.second} by {difference} macro-F1, p = {_p(pair.p)} {sample}{because}"
    if pair.difference.value == 0 and pair.right_to_wrong == pair.wrong_to_right == 0:
        return f"no winner: {pair.first} and {pair.second} are right on the same rows {sample}"
    if because:
        return f"no winner: {pair.first} is ahead of {pair.second} by {difference} macro-F1 {sample}{because}"
    return (
        f"no winner: the difference between {pair.first} and {pair.second}, {difference} macro-F1, is within the "
        f"noise {sample}"
    )


def _of_many(
    standings: Sequence[Standing],
    leaders: Sequence[str],
    behind: Sequence[str],
    against: dict[str, Pair],
    sample: str,
) -> str:
    best = f"{standings[0].name} ({standings[0].macro_f1.value:.3f} macro-F1)"
    if len(leaders) == 1:
        second = standings[1].name
        return (
            f"{best} is better than each of the {len(behind)} others, than {second}, the next, by "
            f"{shown(against[second].difference)} {sample}"
        )
    others = "; surely worse: " + ", ".join(behind) if behind else "; nothing is surely worse"
    return f"no winner: {best} is first, but not surely better than {', '.join(leaders[1:])}{others} {sample}"


def _sample(facts: Facts) -> str:
    drawn = f", drawn as {facts.units:,} events" if facts.unit == "event" else ""
    return f"{facts.claims:,} claims{drawn}{f', {facts.seeds} seeds' if facts.seeds > 1 else ''}"


def _caveats(facts: Facts) -> tuple[str, ...]:
    found = []
    if facts.seeds < 2:
        found.append(
            "One seed each: this compares two trained models, and the luck of training is not in the intervals."
        )
    elif not facts.train_rows_known:
        found.append(
            "How many rows were trained on is not known; as many as were tested are assumed, a cautious guess."
        )
    if facts.unit == "claim" and 0 < facts.events < facts.claims:
        found.append(
            f"The claims are of {facts.events:,} events, and claims of one event resemble one another: drawn claim by "
            "claim, differences look surer than they are. Compare by event."
        )
    return tuple(found)


def _seeds(seeds: Repeats) -> str:
    return f"{len(seeds.seeds)} seeds"


def _share(p: float) -> str:
    return f"{p:.1%}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "less than 0.001"
