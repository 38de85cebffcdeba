"""Audit: names of stories, and ratings as words."""

import os
import subprocess
import sys
from collections.abc import Sequence

from claimsieve.data.audit import AuditReport, audit
from claimsieve.data.findings import Finding
from claimsieve.records import LABELS, Claim, Evidence


def audited(claims: Sequence[Claim], names: Sequence[str]) -> AuditReport:
    return audit(claims, range(len(claims)), names, inputs=("claim", "evidence"))


def checks(report: AuditReport) -> dict[str, Finding]:
    return {finding.check: finding for finding in report.findings}


def test_stories_that_a_group_split_cannot_keep_together_are_told() -> None:
    claims = [
        Claim(claim=f"c{row}", event=event, corpus=corpus, label=LABELS[row % 3])
        for row, (event, corpus) in enumerate([("Dam", "a"), ("dam ", "a"), ("dam", "b"), ("7", "a"), ("7", "b")])
    ]
    found = checks(audited(claims, ["train"] * 5))["event_names"]
    assert found.examples == ("one story? 'Dam' in a, 'dam ' in a, 'dam' in b",)
    nameless = [Claim(claim=f"c{row}", label=LABELS[row % 3]) for row in range(6)]
    found = checks(audited(nameless, ["train"] * 6))["event_names"]
    assert found.examples[0].startswith("6 of 6 claims name no event")


def test_a_rating_of_one_word_tells_where_it_stands_with_its_rating_and_not_elsewhere() -> None:
    def rows(text: str) -> list[Claim]:
        return [
            Claim(
                claim=f"c{row}",
                event=str(row),
                rating=("right", "wrong")[row % 2],
                label=LABELS[row % 2 * 2],
                evidence=(Evidence(text.format(("RIGHT", "WRONG")[row % 2])),),
            )
            for row in range(20)
        ]

    told = checks(audited(rows("The note. Verdict: {}"), ["train"] * 20))
    assert told["rating_words"].count == 20
    plain = checks(audited(rows("They turned right at the dam."), ["train"] * 20))
    assert "rating_words" not in plain


def test_a_rating_with_an_underscore_is_found_as_words() -> None:
    rows = [
        Claim(
            claim=f"c{row}",
            event=str(row),
            rating="half_true",
            label=LABELS[row % 3],
            evidence=(Evidence("It is half true."),),
        )
        for row in range(9)
    ]
    assert checks(audited(rows, ["train"] * 9))["rating_words"].count == 9


def test_the_report_is_the_same_whatever_order_a_process_gives_its_sets() -> None:
    program = (
        "import json; from claimsieve.data.audit import audit; from claimsieve.records import Claim, Evidence;"
        "said = ' '.join(f'Sentence {n} of the report says what was seen there.' for n in range(30));"
        "claims = [Claim(claim=f'c{n}', event=str(n), evidence=(Evidence(said),)) for n in range(2)];"
        "print(json.dumps(audit(claims, [0, 1], ['train', 'test'], inputs=('claim', 'evidence')).to_json()))"
    )
    reports = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(reports) == 1
