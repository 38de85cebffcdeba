"""Prepare: every claim of the files lands in one part, each event has a fold, and the fingerprint tells data apart."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from claimsieve.data.leaks import NOWHERE, SPLITS
from claimsieve.data.prepare import (
    MAX_FOLDS,
    Cut,
    Prepared,
    audited,
    augmented,
    cuts,
    data_fingerprint,
    parts,
    prepare,
)
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import LABELS, Claim
from claimsieve.settings import Augmentation, Corpus, Data, Split
from claimsieve.settings.data import EACH

SUBJECTS = ("bridge", "harbour", "convoy", "airfield", "village", "depot", "hospital", "station", "ship", "radar")


def rows_of(*, events: Sequence[str | None] | None = None, rows: int = 60) -> list[dict[str, Any]]:
    """Three rows per event, a day per row; no two texts are alike."""
    names = [f"story {row // 3}" for row in range(rows)] if events is None else [e for e in events for _ in range(3)]
    return [
        {
            "claim": f"{SUBJECTS[row % 10]} {row * 7919} {SUBJECTS[row // 10 % 10]} {row * 104729}",
            "id": str(row),
            "event": event,
            "date": f"20{10 + row // 28 // 12}-{1 + row // 28 % 12:02d}-{1 + row % 28:02d}",
            "source": f"outlet {row % 4}",
            "evidence": [{"text": f"passage {row} on the {SUBJECTS[row % 10]}"}],
            "label": LABELS[row % 3],
        }
        for row, event in enumerate(names)
    ]


def data_of(folder: Path, rows: Sequence[Mapping[str, Any]], **sections: Any) -> Data:
    path = folder / "planted.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Data(corpora=(Corpus(file=str(path)),), **sections)


def cut_once(data: Data, *, seed: int = 0) -> tuple[Prepared, Cut]:
    prepared = prepare(data)
    (cut,) = cuts(prepared, data, [seed])
    return prepared, cut


def names_in(found: Mapping[str, Sequence[Claim]], *, split: str) -> list[str]:
    return [claim.id or "" for claim in found[split]]


def test_parts_hold_every_claim_once_and_new_rows_in_train_only(tmp_path: Path) -> None:
    plain = data_of(tmp_path, rows_of())
    prepared, cut = cut_once(plain)
    found = parts(prepared, cut)
    assert list(found) == list(SPLITS)
    assert Counter(name for split in SPLITS for name in names_in(found, split=split)) == Counter(
        f"planted:{row}" for row in range(60)
    )
    for claim, split in zip(prepared.claims, cut.assignment.tolist(), strict=True):
        assert claim in found[split]

    more = augmented(
        prepared, cut, plain.model_copy(update={"augmentation": Augmentation(mispaired=0.5, withheld=0.25)})
    )
    train = len(found["train"])
    assert more[:train] == found["train"] == augmented(prepared, cut, plain)
    kinds = Counter((claim.id or "").rpartition("#")[2] for claim in more[train:])
    assert kinds == {"mispaired": round(0.5 * train), "withheld": round(0.25 * train)}
    theirs = {passage for split in SPLITS[1:] for claim in found[split] for passage in claim.evidence}
    assert not any(passage in theirs for claim in more for passage in claim.evidence)


def test_edited_rows_come_after_those_of_train_and_are_of_train_only(tmp_path: Path) -> None:
    rows = [row | {"stance": "supported", "evidence": row["claim"] + " soldiers died."} for row in rows_of()]
    rows = [row | {"claim": f"{row['claim']} soldiers died.", "label": None} for row in rows]
    rows += [row | {"id": f"open {row['id']}", "stance": "insufficient", "evidence": None} for row in rows]
    plain = data_of(tmp_path, rows, augmentation=Augmentation(edited=0.25))
    prepared, cut = cut_once(plain)
    train = parts(prepared, cut)["train"]
    made = augmented(prepared, cut, plain)
    assert made[: len(train)] == train
    new = [claim for claim in made[len(train) :] if claim.stance == "refuted"]
    assert len(new) == round(0.25 * sum(claim.stance == "supported" for claim in train))
    assert {claim.claim for claim in new} <= {claim.claim for claim in train}


def test_what_is_left_out_of_train_does_not_come_back_in_another_order(tmp_path: Path) -> None:
    """Neither with strange passages nor with an edit beside the claim, which both keep its label."""
    rows = [
        {
            "id": str(row),
            "claim": f"{('blue', 'red', 'green')[row % 3]} flag {row}",
            "event": str(row),
            "label": LABELS[row % 3],
            "evidence": f"Passage {row}.",
        }
        for row in range(400)
    ]
    plain = data_of(tmp_path, rows, augmentation=Augmentation(thinned=1.0, distracted=1.0))
    prepared, cut = cut_once(plain)
    made = augmented(prepared, cut, plain)
    thinned_out = {claim.claim for claim in parts(prepared, cut)["train"]} - {
        claim.claim for claim in made if "#" not in claim.id
    }
    assert thinned_out
    assert not thinned_out & {claim.claim for claim in made}


def test_every_seed_is_a_cut_of_its_own_unless_the_split_has_a_seed(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of())
    prepared = prepare(data)
    first, second = cuts(prepared, data, [1, 2])
    assert (first.seed, second.seed, first.fold, first.folder) == (1, 2, None, None)
    assert first.assignment.tolist() != second.assignment.tolist()
    fixed = data.model_copy(update={"split": Split(seed=1)})
    for cut in cuts(prepared, fixed, [1, 2]):
        assert cut.assignment.tolist() == first.assignment.tolist()


def test_each_event_is_held_out_once_per_seed(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(), split=Split(hold_out=EACH))
    prepared = prepare(data)
    found = cuts(prepared, data, [0, 1])
    assert [(cut.seed, cut.fold) for cut in found] == [
        (seed, event) for seed in (0, 1) for event in sorted(f"story {number}" for number in range(20))
    ]
    for cut in found:
        tested = {claim.event for claim in parts(prepared, cut)["test"]}
        assert tested == {cut.fold}


def test_each_source_is_held_out_once(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(), split=Split(by="source", hold_out=EACH))
    prepared = prepare(data)
    found = cuts(prepared, data, [0])
    assert [cut.fold for cut in found] == [f"outlet {number}" for number in range(4)]
    for cut in found:
        assert {claim.source for claim in parts(prepared, cut)["test"]} == {cut.fold}


def test_a_source_in_capitals_is_no_fold_of_its_own(tmp_path: Path) -> None:
    rows = [row | {"source": row["source"].upper()} if row["event"] < "story 2" else row for row in rows_of()]
    data = data_of(tmp_path, rows, split=Split(by="source", hold_out=EACH))
    assert len(cuts(prepare(data), data, [0])) == 4


def test_one_event_that_is_named_is_held_out(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(), split=Split(hold_out="story 3"))
    prepared, cut = cut_once(data)
    assert cut.fold == "story 3"
    assert {claim.event for claim in parts(prepared, cut)["test"]} == {"story 3"}


def test_several_events_that_are_named_are_held_out_together(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(), split=Split(hold_out=("story 3", "story 5")))
    prepared, cut = cut_once(data)
    assert cut.fold == "story 3 + story 5"
    assert {claim.event for claim in parts(prepared, cut)["test"]} == {"story 3", "story 5"}


def test_names_that_differ_in_signs_only_have_folders_that_differ(tmp_path: Path) -> None:
    events = ["Al-Ahli 2023", "Al Ahli 2023", "al_ahli/2023!", "Бахмут", "Мариуполь", "..", "x" * 80, "x" * 81]
    data = data_of(tmp_path, rows_of(events=events), split=Split(hold_out=EACH))
    folders = [str(cut.folder) for cut in cuts(prepare(data), data, [0])]
    assert len({folder.casefold() for folder in folders}) == len(events)
    for folder in folders:
        assert folder == Path(folder).name
        assert folder.isascii()
        assert folder.startswith("fold-")
        assert len(folder) < 60
    assert sum(folder.startswith("fold-al-ahli-2023-") for folder in folders) == 3


def test_more_folds_than_can_be_run_are_refused(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(rows=3 * (MAX_FOLDS + 1)), split=Split(hold_out=EACH))
    with pytest.raises(ConfigError, match=r"hold_out: each: expected 2 to 100 groups, found 101\. .*hold one out"):
        cuts(prepare(data), data, [0])


def test_holding_out_each_of_no_events_is_refused(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(events=[None] * 20), split=Split(hold_out=EACH))
    with pytest.raises(ConfigError, match="hold_out"):
        cuts(prepare(data), data, [0])


def test_a_gap_leaves_rows_out_of_every_part(tmp_path: Path) -> None:
    rows = [row | {"event": None} for row in rows_of()]
    data = data_of(tmp_path, rows, split=Split(by="time", gap_days=2))
    prepared, cut = cut_once(data)
    found = parts(prepared, cut)
    out = [claim for claim, name in zip(prepared.claims, cut.assignment.tolist(), strict=True) if name == NOWHERE]
    assert len(out) == 3 * 2
    assert {claim.id for part in found.values() for claim in part} == {f"planted:{row}" for row in range(60)} - {
        claim.id for claim in out
    }
    dates = [[claim.date or "" for claim in found[split]] for split in SPLITS]
    for earlier, later in pairwise(dates):
        assert max(earlier) < min(later)
    assert sum(audited(prepared, cut, data).splits["none"].values()) == len(out)


def test_events_are_cut_only_when_that_is_asked_for(tmp_path: Path) -> None:
    data = data_of(tmp_path, rows_of(), split=Split(by="random"))
    prepared = prepare(data)
    with pytest.raises(DataError, match="every event in one split"):
        cuts(prepared, data, [0])
    (forced,) = cuts(prepared, data, [0], force=True)
    report = audited(prepared, forced, data)
    assert [finding.check for finding in report.failures] == ["event_overlap", "source_overlap"]


def test_a_cut_without_two_labels_in_train_is_refused(tmp_path: Path) -> None:
    data = data_of(tmp_path, [row | {"label": "verified"} for row in rows_of()])
    with pytest.raises(DataError, match="two labels in train"):
        cuts(prepare(data), data, [0])


def test_near_duplicates_are_clustered_and_unreadable_rows_told(tmp_path: Path) -> None:
    rows = rows_of(rows=59)
    rows[58]["claim"] = f"RT @someone: {rows[0]['claim'].upper()}!"
    prepared = prepare(data_of(tmp_path, [*rows, {"claim": ""}]))
    assert prepared.clusters[58] == prepared.clusters[0]
    assert len(set(prepared.clusters.tolist())) == 58
    assert [len(part.rejects) for part in prepared.left_out] == [1]
    assert prepared.described().endswith("; unreadable rows left out: 1 (first: planted, row 60: the claim is empty)")


def test_the_fingerprint_tells_data_and_splits_apart_and_not_the_order_of_rows(tmp_path: Path) -> None:
    prepared, cut = cut_once(data_of(tmp_path, rows_of()))
    claims, assignment = prepared.claims, cut.assignment
    first = data_fingerprint(claims, assignment)
    assert len(first) == 64
    order = random.Random(0).sample(range(60), 60)
    assert data_fingerprint([claims[row] for row in order], assignment[order]) == first
    moved = assignment.copy()
    moved[7] = "test" if moved[7] != "test" else "train"
    others = [
        data_fingerprint([replace(claims[0], label="unverified"), *claims[1:]], assignment),
        data_fingerprint([replace(claims[0], evidence=()), *claims[1:]], assignment),
        data_fingerprint(claims[1:], assignment[1:]),
        data_fingerprint([*claims, claims[0]], np.append(assignment, assignment[0])),
        data_fingerprint(claims, moved),
        data_fingerprint(claims, np.roll(assignment, 1)),
    ]
    assert len({first, *others}) == 7
