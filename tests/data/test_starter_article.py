"""The evidence shipped beside the demo article can be read as evidence, and some of it is younger than the article."""

import json
from pathlib import Path

import claimsieve.data
from claimsieve.records import claim_from_row

STARTER = Path(claimsieve.data.__file__).parent / "starter"
NIGHT = "2020-01-08"


def test_the_evidence_reads_as_passages_with_source_and_date() -> None:
    rows = [json.loads(line) for line in (STARTER / "article-evidence.jsonl").read_text(encoding="utf-8").splitlines()]
    assert 8 <= len(rows) <= 14
    passages = claim_from_row({"claim": "x", "evidence": rows}).evidence
    assert [passage.text for passage in passages] == [row["text"] for row in rows]
    assert len({passage.text for passage in passages}) == len(passages)
    assert all(passage.source and passage.date for passage in passages)


def test_some_evidence_is_of_that_day_and_some_is_younger() -> None:
    rows = [json.loads(line) for line in (STARTER / "article-evidence.jsonl").read_text(encoding="utf-8").splitlines()]
    known = [row for row in rows if len(row["date"]) == len(NIGHT) and row["date"] <= NIGHT]
    younger = [row for row in rows if row["date"][:7] > NIGHT[:7] or row["date"] > NIGHT]
    assert len(known) >= 5
    assert len(younger) >= 4
    assert any(row["date"] < NIGHT for row in known), "a passage on another story that was known by then"
