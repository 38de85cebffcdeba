"""What a comparison of models holds, as plain records that travel as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from claimsieve.errors import DataError
from claimsieve.evaluation.evaluate import Estimate
from claimsieve.records import Label

Outcome = Literal["ahead", "behind", "noise"]  # of a pair's first on some rows


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant on all rows of its runs together. rank: from 1, by macro-F1. by_seed: macro-F1, seed by seed.

    ece: of several seeds, the mean of each seed's own. Its interval leans upwards and may lie above the value.
    """

    name: str
    rank: int
    macro_f1: Estimate
    accuracy: Estimate
    ece: Estimate
    by_seed: dict[int, float]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Differences in macro-F1 seed by seed. p: two-sided, that their mean is 0.

    same_rows: every seed tests the same rows, so the seeds show the luck of training alone, and the luck of the rows is
    added to the interval. Else it is corrected for splits that overlap (Nadeau & Bengio 2003), and from three seeds on
    the luck of the rows is added too, which tells more than so few seeds.
    """

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    mean: Estimate
    std: float
    p: float
    same_rows: bool


@dataclass(frozen=True, slots=True)
class McNemar:
    """Claims that only one of the two gets right, over several seeds right more often. Exact two-sided p.

    It takes claims for independent, whatever the unit, and the verdict does not rest on it.
    """

    only_first: int
    only_second: int
    p: float
    p_adjusted: float


@dataclass(frozen=True, slots=True)
class Flip:
    """A row that one of the two gets right and the other wrong. The probabilities are those of the true label."""

    id: str
    claim: str
    label: Label
    first_label: Label
    second_label: Label
    first_probability: float
    second_probability: float
    corpus: str | None = None
    event: str | None = None
    seed: int | None = None
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """The difference on the rows of one corpus or event.

    outcome: by p_adjusted, which is corrected over the pair's slices; the luck of seeds is not in it. units: what is
    drawn; within an event that is the claim. On few units the interval is too narrow.
    """

    kind: Literal["corpus", "event"]
    name: str
    n: int
    units: int
    difference: Estimate
    p: float
    p_adjusted: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contestants; every difference is macro-F1 of the first minus that of the second.

    difference: on all rows, with the interval of this pair by itself. p_rows: of that difference, by paired
    randomisation. seeds: the same seed by seed, None for one seed. p: the larger of p_rows and seeds.p, since a config
    is better only if neither the luck of the rows nor that of seeds explains it. p_adjusted: p corrected over all pairs
    (Holm); `sure` where it is below alpha. note: why, where the interval alone would say otherwise; else empty.
    right_to_wrong: rows that the first gets right and the second wrong; wrong_to_right: the reverse. Of these flips the
    JSON keeps some, those first whose probability moved furthest. flips and slices are kept for pairs with the best
    contestant, and empty for others; slices_left_out: those with too few rows or units, or beyond the largest ones.
    """

    first: str
    second: str
    difference: Estimate
    p_rows: float
    seeds: Repeats | None
    p: float
    p_adjusted: float
    sure: bool
    note: str
    mcnemar: McNemar
    right_to_wrong: int
    wrong_to_right: int
    right_to_wrong_rows: tuple[Flip, ...] = ()
    wrong_to_right_rows: tuple[Flip, ...] = ()
    slices: tuple[SliceDifference, ...] = ()
    slices_left_out: int = 0

    def turned(self) -> "Pair":
        """The same with first and second exchanged."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            difference=_negative(self.difference),
            seeds=None if self.seeds is None else _negative_repeats(self.seeds),
            mcnemar=replace(self.mcnemar, only_first=self.mcnemar.only_second, only_second=self.mcnemar.only_first),
            right_to_wrong=self.wrong_to_right,
            wrong_to_right=self.right_to_wrong,
            right_to_wrong_rows=tuple(_turned_flip(row) for row in self.wrong_to_right_rows),
            wrong_to_right_rows=tuple(_turned_flip(row) for row in self.right_to_wrong_rows),
            slices=tuple(_turned_slice(part) for part in self.slices),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """winner: surely better than every other contestant; None when the differences are within the noise.

    best: the highest macro-F1. leaders: best, and those that are not surely worse than it. behind: those that are.
    sentence: the same in words. caveats: what these numbers cannot know.
    """

    winner: str | None
    best: str
    leaders: tuple[str, ...]
    behind: tuple[str, ...]
    sentence: str
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Contestants on the same test rows. standings: the best first. pairs: all, the better one first.

    n: test rows of one contestant, over all its seeds and folds. claims: how many different claims they are. units:
    what is drawn as one, by `unit`. settings: resamples, swaps, seed, alpha, level, min_slice_rows.
    """

    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    verdict: Verdict
    n: int
    claims: int
    unit: Literal["claim", "event"]
    units: int
    settings: dict[str, int | float]

    def standing(self, name: str) -> Standing:
        """Raises DataError when there is no such contestant."""
        for one in self.standings:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.standings)
        raise DataError(f"expected one of the compared models, {names}, found {name}.")

    def between(self, first: str, second: str) -> Pair:
        """The pair, turned so that `first` is first. Raises DataError when there is none."""
        if self.standing(first) == self.standing(second):
            raise DataError(f"expected two models, found {first} twice.")
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                return pair if pair.first == first else pair.turned()
        raise DataError(f"expected a comparison that holds the pair {first}, {second}, found none.")


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Plain dicts, lists, texts, finite numbers and None, ready for json.dumps(allow_nan=False)."""
    return asdict(comparison)


def from_json(document: Mapping[str, Any]) -> Comparison:
    """Read back what `to_json` made. Raises DataError when the document is something else."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Comparison).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"expected a comparison as claimsieve writes it, found something else ({place}: {first['msg']}). "
            "Compare the models again."
        ) from None


def _negative(estimate: Estimate) -> Estimate:
    return Estimate(0.0 - estimate.value, 0.0 - estimate.high, 0.0 - estimate.low)  # -0.0 would be written as such


def _negative_repeats(seeds: Repeats) -> Repeats:
    return replace(seeds, differences=tuple(0.0 - value for value in seeds.differences), mean=_negative(seeds.mean))


def _turned_flip(row: Flip) -> Flip:
    return replace(
        row,
        first_label=row.second_label,
        second_label=row.first_label,
        first_probability=row.second_probability,
        second_probability=row.first_probability,
    )


def _turned_slice(part: SliceDifference) -> SliceDifference:
    turned: dict[Outcome, Outcome] = {"ahead": "behind", "behind": "ahead", "noise": "noise"}
    return replace(part, difference=_negative(part.difference), outcome=turned[part.outcome])
