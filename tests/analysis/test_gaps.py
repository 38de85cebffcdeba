"""What is missing is said in words, and only where it is missing."""

import pytest

from claimsieve.analysis.gaps import KINDS, counted, gaps, is_unnamed
from claimsieve.records import Claim, Evidence

ONE = Evidence("the ministry counted missiles", "Ministry", "2020-01-08", "https://mod.example/a")
OTHER = Evidence("the spokesman confirmed it", "Pentagon", "2020-01-08")
WHOLE = Claim("missiles hit two bases", source="Gazette", date="2020-01-08", evidence=(ONE, OTHER))


def kinds(claim, **more):
    return [gap.kind for gap in gaps(claim, **more)]


def test_a_claim_with_two_dated_named_sources_lacks_nothing():
    assert kinds(WHOLE) == []


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((), ["no_evidence"]),
        ((Evidence("x", None, "2020-01-08"),), ["unnamed"]),
        ((Evidence("x", "unnamed officials", "2020-01-08"),), ["unnamed"]),
        ((Evidence("x", "sources", "2020-01-08"), Evidence("y", None, "2020-01-07")), ["unnamed"]),
        ((ONE, Evidence("another sentence", "The Ministry ", "2020-01-08")), ["one_side"]),
        ((ONE, Evidence(ONE.text.upper(), "Pentagon", "2020-01-08")), ["repeated"]),
        ((Evidence("x", "gazette", "2020-01-08"),), ["own_word"]),
        ((ONE, Evidence("y", "Pentagon", "2020-01-09")), ["later"]),
        ((ONE, Evidence("y", "Pentagon")), ["evidence_undated"]),
        # A page's host stands for a source that nobody wrote down.
        ((Evidence("x", None, "2020-01-08", "https://www.mod.example/b"),), []),
        (
            (
                Evidence("x", None, "2020-01-08", "https://a.example/1"),
                Evidence("y", None, "2020-01-08", "https://a.example/2"),
            ),
            ["one_side"],
        ),
    ],
)
def test_what_evidence_lacks(evidence, expected):
    claim = Claim(WHOLE.claim, source=WHOLE.source, date=WHOLE.date, evidence=evidence)
    assert kinds(claim) == expected


@pytest.mark.parametrize(
    ("of_claim", "of_passage", "is_later"),
    [
        ("2020-01-08", "2020-01-09", True),
        ("2020-01-08", "2020-01", False),  # may be the same day
        ("2020-01", "2020-01-31", False),
        ("2020-01", "2020-02", True),
        ("2020", "2020-12-31", False),
        ("2019", "2020", True),
        ("2020-01-08", "2017-06-12", False),
    ],
)
def test_later_means_later_whatever_day_is_meant(of_claim, of_passage, is_later):
    claim = Claim("x", source="Gazette", date=of_claim, evidence=(Evidence("y", "Pentagon", of_passage),))
    assert ("later" in kinds(claim)) == is_later


def test_conflicts_come_from_the_reason_or_the_stance():
    assert kinds(WHOLE, reasons=["evidence_conflicts"]) == ["conflict"]
    assert kinds(WHOLE, stance="conflicting") == ["conflict"]
    assert kinds(WHOLE, reasons=["model_unsure"], stance="refuted") == []


def test_pictures_are_missing_only_until_somebody_looks():
    claim = Claim("x", source="Gazette", date="2020-01-08", evidence=(ONE, OTHER), media=("a.jpg", "b.jpg"))
    [gap] = gaps(claim)
    assert gap.kind == "pictures"
    assert "2 pictures" in gap.words
    assert gaps(claim, looked_up=[]) == []


def test_a_bare_claim_lacks_everything():
    assert kinds(Claim("x", media=("a.jpg",))) == ["no_evidence", "undated", "nobody", "pictures"]


@pytest.mark.parametrize("source", ["sources", "an unnamed diplomat", "Anonymous", "local officials", "eye-witnesses"])
def test_nobody_in_particular(source):
    assert is_unnamed(source)


@pytest.mark.parametrize("source", ["US officials", "officials in Oslo", "Reuters", "Reports of the Ministry"])
def test_somebody(source):
    assert not is_unnamed(source)


def test_the_summary_counts_claims_and_not_sentences():
    bare = gaps(Claim("x"))
    assert counted([bare, bare, []]) == [
        (KINDS[kind], 2) for kind in KINDS if kind in ("no_evidence", "undated", "nobody")
    ]
