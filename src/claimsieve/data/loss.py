"""What a corpus holds under its recipe's map, and what the map drops, merges or never reads."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from claimsieve.data import recipe_reader
from claimsieve.data.fields import RECORD_FIELDS
from claimsieve.data.files import Reject
from claimsieve.data.recipes import Recipe
from claimsieve.records import LABELS, Label


@dataclass(frozen=True, slots=True)
class LossReport:
    """Counts of a corpus as its recipe reads it.

    rows: claims that are left. rejects: rows that could not be read; reasons: the commonest of why. ratings: claims by
    the corpus's own rating. dropped: rows left out by the map, by rating. merged: label → the ratings that it no longer
    tells apart.
    unread: columns of the files that no field is read from. events: groups; 0 when the corpus names none.
    """

    rows: int
    rejects: int
    reasons: Mapping[str, int]
    labels: Mapping[str, int]
    ratings: Mapping[str, int]
    dropped: Mapping[str, int]
    merged: Mapping[str, tuple[str, ...]]
    unread: tuple[str, ...]
    events: int
    sources: int
    with_evidence: int
    languages: Mapping[str, int]
    first_date: str | None
    last_date: str | None


def loss_report(recipe: Recipe) -> LossReport:
    """Read a corpus through. Raises DataError as `recipe_reader.read` does."""
    survey = recipe_reader.Survey()
    items = list(recipe_reader.read(recipe, survey=survey))
    claims = [item for item in items if not isinstance(item, Reject)]
    labels = Counter(claim.label for claim in claims)
    ratings = Counter(claim.rating for claim in claims if claim.rating)
    outcomes = Counter((claim.label, claim.rating) for claim in claims if claim.rating)
    dates = sorted(claim.date for claim in claims if claim.date)
    read = set(recipe_reader.columns_read(recipe))
    return LossReport(
        rows=len(claims),
        rejects=len(items) - len(claims),
        reasons=dict(Counter(item.reason for item in items if isinstance(item, Reject)).most_common(3)),
        labels={label: labels[label] for label in LABELS},
        ratings=dict(ratings.most_common()),
        dropped=dict(survey.dropped.most_common()),
        merged={label: merged for label in LABELS if len(merged := _merged(outcomes, label)) > 1},
        unread=tuple(column for column in survey.columns if column not in read and column not in RECORD_FIELDS),
        events=len({claim.event for claim in claims if claim.event}),
        sources=len({claim.source for claim in claims if claim.source}),
        with_evidence=sum(bool(claim.evidence) for claim in claims),
        languages=dict(Counter(claim.lang or "unknown" for claim in claims).most_common()),
        first_date=dates[0] if dates else None,
        last_date=dates[-1] if dates else None,
    )


def _merged(outcomes: Counter[tuple[Label | None, str]], label: str) -> tuple[str, ...]:
    return tuple(rating for (own, rating), _ in outcomes.most_common() if own == label)
