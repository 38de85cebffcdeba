"""From the data section of a config to the splits of a run: load, cluster, split, augment, audit."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from claimsieve.data import corpora
from claimsieve.data.audit import AuditReport, audit
from claimsieve.data.augmentation import augment
from claimsieve.data.duplicates import cluster
from claimsieve.data.edits import edited
from claimsieve.data.leaks import NOWHERE, SPLITS, Split, check_labels
from claimsieve.data.lineage import Lineage, places_before
from claimsieve.data.reports import reported
from claimsieve.data.splits import folds, groups, split
from claimsieve.data.thinning import thinned
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import LABELS, Claim
from claimsieve.settings import Data
from claimsieve.settings.data import EACH

MAX_FOLDS = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """Every claim of a run, what could not be read, and the near-duplicate cluster of each claim. Shape: (n,)

    met: the claims of the model that the run starts from, empty where it starts from none. before: the split that each
    claim had there, None for those that are new. Shape: (n,), or empty.
    """

    claims: list[Claim]
    left_out: list[corpora.LeftOut]
    clusters: NDArray[np.int64]
    met: Lineage = field(default_factory=dict)
    before: tuple[Split | None, ...] = ()

    def described(self) -> str:
        counts = Counter(claim.label for claim in self.claims)
        labels = ", ".join(f"{counts[label]:,} {label}" for label in LABELS)
        rejected = sum(len(part.rejects) for part in self.left_out)
        left_out = ""
        if self.left_out:
            first = self.left_out[0]
            reason = f"{first.corpus}, row {first.rejects[0].place}: {first.rejects[0].reason}"
            left_out = f"; unreadable rows left out: {rejected:,} (first: {reason})"
        known = sum(name is not None for name in self.before)
        told = f"{known:,} known to the model that this starts from: they keep their splits"
        none = "none known to the model that this starts from"
        met = f"; {told if known else none}" if self.before else ""
        return f"{len(self.claims):,} claims ({labels}){left_out}{met}"


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to cut the claims. assignment: split name of each, empty for none. Shape: (n,)

    fold: what is all of test, in words, where something is held out.
    """

    seed: int
    assignment: NDArray[np.str_]
    fold: str | None = None

    @property
    def folder(self) -> str | None:
        """The fold's name as that of a folder."""
        return None if self.fold is None else fold_folder(self.fold)


def fold_folder(name: str) -> str:
    """The folder of the fold that holds out a group of this name."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]  # two names may differ in signs only
    return f"fold-{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-').lower()[:40]}-{digest}"


def prepare(data: Data, met: Lineage | None = None) -> Prepared:
    """Load and cluster. met: the claims of the model that the run starts from. DataError when the corpora won't do."""
    claims, left_out = corpora.load(data.corpora, maps=data.maps)
    prepared = Prepared(claims, left_out, cluster(claims, threshold=data.split.duplicate_threshold))
    return with_lineage(prepared, met) if met else prepared


def with_lineage(prepared: Prepared, met: Lineage) -> Prepared:
    """The same, to be cut so that nothing is asked that the model with these claims has learnt."""
    return replace(prepared, met=met, before=tuple(places_before(prepared.claims, met)))


def cuts(prepared: Prepared, data: Data, seeds: Sequence[int], *, force: bool = False) -> list[Cut]:
    """One cut per seed, or per seed and fold. force: cut events too, without being asked to.

    Raises ConfigError, DataError or LeakError where the claims cannot be cut so.
    """
    found = [cut for seed in seeds for cut in _cuts_of_seed(prepared, data, seed, force=force)]
    for cut in found:
        try:
            check_labels(prepared.claims, cut.assignment)
        except DataError as error:
            known = np.array([name is not None for name in prepared.before] or [False])
            if not (known & (cut.assignment == NOWHERE)).any():
                raise
            raise DataError(
                f"{error} The model that this starts from has learnt claims that test would have."
            ) from None
    return found


def _cuts_of_seed(prepared: Prepared, data: Data, seed: int, *, force: bool) -> Iterator[Cut]:
    plan = data.split
    own = seed if plan.seed is None else plan.seed
    claims, clusters = prepared.claims, prepared.clusters
    if plan.hold_out == EACH:
        names = groups(claims, by=plan.by)
        if not 1 < len(names) <= MAX_FOLDS:
            raise ConfigError(
                f"data.split.hold_out: each: expected 2 to {MAX_FOLDS} groups, found {len(names):,}. Map an event "
                "(or a source), hold one out by its name, or split without holding out."
            )
        made = folds(claims, clusters, by=plan.by, fractions=plan.fractions, seed=own, before=prepared.before)
        for name, assignment in made:
            yield Cut(seed, assignment, name)
        return
    assignment = split(
        claims,
        clusters,
        by=plan.by,
        fractions=plan.fractions,
        seed=own,
        gap_days=plan.gap_days,
        hold_out=plan.hold_out,
        allow_group_leak=plan.allow_group_leak or force,
        before=prepared.before,
    )
    yield Cut(seed, assignment, plan.held_out)


def parts(prepared: Prepared, cut: Cut) -> dict[str, list[Claim]]:
    """Split name → claims, as they are in the corpora."""
    found: dict[str, list[Claim]] = {name: [] for name in SPLITS}
    for claim, name in zip(prepared.claims, cut.assignment.tolist(), strict=True):
        if name != NOWHERE:
            found[name].append(claim)
    return found


def augmented(prepared: Prepared, cut: Cut, data: Data) -> list[Claim]:
    """The claims of train, and after them the rows that the config has made of them."""
    rows = np.flatnonzero(cut.assignment == "train").tolist()
    train = [prepared.claims[row] for row in rows]
    plan, own = data.augmentation, prepared.clusters[rows].tolist()
    kept = thinned(train, share=plan.thinned, seed=cut.seed, clusters=own)
    # What was left out does not come back with its passages in another order.
    chosen = set(map(id, kept))
    own = [cluster for claim, cluster in zip(train, own, strict=True) if id(claim) in chosen]
    train = kept
    made = augment(
        train,
        mispaired=plan.mispaired,
        withheld=plan.withheld,
        open_share=plan.open_share,
        distracted=plan.distracted,
        seed=cut.seed,
        clusters=own,
    )
    made += edited(train, share=plan.edited, seed=cut.seed)
    return kept + made + reported(train, share=plan.reported, seed=cut.seed, clusters=own)


def audited(prepared: Prepared, cut: Cut, data: Data) -> AuditReport:
    """Leaks of the cut, and giveaways in what a model may see."""
    return audit(prepared.claims, prepared.clusters, cut.assignment, inputs=data.inputs, accept=data.audit.accept)


def order_fingerprint(claims: Sequence[Claim]) -> str:
    """SHA-256 over claims in their order, with all that is learnt of them, as steps go by their numbers. 64 digits."""
    found = hashlib.sha256()
    for claim in claims:
        passages = [[passage.text, passage.source, passage.date] for passage in claim.evidence]
        own = [claim.corpus, claim.claim, claim.source, claim.date, claim.label, claim.stance, claim.manipulation]
        found.update(json.dumps([*own, passages]).encode())
    return found.hexdigest()


def data_fingerprint(claims: Sequence[Claim], assignment: NDArray[np.str_]) -> str:
    """SHA-256 over every claim and its split, whatever the order of the rows. 64 hex digits."""
    rows = sorted(
        json.dumps([asdict(claim), str(name)], sort_keys=True) for claim, name in zip(claims, assignment, strict=True)
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
