"""Rows in memory among checked claims: which checks become evidence, how many, and which never."""

import json

import pytest

from claimsieve.errors import ConfigError, DataError
from claimsieve.matching.checked import Checked
from claimsieve.matching.earlier import Earlier, look_up, open_earlier
from claimsieve.matching.encoder import open_encoder
from claimsieve.matching.library import Library
from claimsieve.matching.tally import Tally
from claimsieve.matching.thresholds import thresholds_of
from claimsieve.records import claim_from_row

MISSILES = "Twenty-two missiles were fired at two air bases in Iraq on Wednesday night."
OTHER_WORDS = "On Wednesday night, two air bases in Iraq were attacked with 22 missiles."
OWN = [{"text": f"Passage {number}."} for number in range(4)]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(device="cpu")


@pytest.fixture
def found(encoder):
    """Look one claim up; gives its row and the tally."""

    def run(*checks, claim=MISSILES, most_passages=5, **fields):
        earlier = Earlier(checks, [], Tally(checked=len(checks)), encoder, thresholds_of(encoder.fingerprint))
        (row,), tally = look_up([{"claim": claim, "lang": "en"} | fields], earlier, most_passages=most_passages)
        return row, tally

    return run


def texts(row):
    return [passage["text"] for passage in row.get("evidence", ())]


def test_a_dated_check_is_the_first_evidence_with_its_source_and_date(found):
    check = Checked(MISSILES, "Mostly right", "2020-01-09", "A desk", "https://example.org/1")
    row, tally = found(check, evidence=OWN, article="a.txt", span=[0, 5])
    assert row["evidence"] == [
        {
            "text": f"An earlier check, of 2020-01-09, found “{MISSILES}”: Mostly right.",
            "source": "A desk",
            "date": "2020-01-09",
            "url": "https://example.org/1",
        },
        *OWN,
    ]
    assert (row["article"], row["span"]) == ("a.txt", [0, 5])
    assert [(match["kind"], match["label"]) for match in row["matches"]] == [("duplicate", "Mostly right")]
    assert (tally.read, tally.duplicate, tally.evidence, tally.checked) == (1, 1, 1, 1)
    claim_from_row(row)


def test_a_similar_check_is_evidence_that_says_so(found):
    row, tally = found(Checked(MISSILES, "verified", "2020-01-09"), claim=OTHER_WORDS)
    assert texts(row) == [f"An earlier check, of 2020-01-09, of a claim in other words, found “{MISSILES}”: verified."]
    assert tally.similar == 1


@pytest.mark.parametrize(
    "check",
    [
        Checked(MISSILES, "verified"),
        Checked(MISSILES, None, "2020-01-09"),
        Checked(MISSILES, "verified", "2020-01-09", is_made=True),
        Checked(MISSILES.replace("two", "three"), "verified", "2020-01-09"),
    ],
    ids=["without a date", "without a verdict", "made by a model", "only suggested"],
)
def test_what_is_no_evidence_stands_in_matches_alone(check, found):
    row, tally = found(check, evidence=OWN)
    assert row["evidence"] == OWN
    assert len(row["matches"]) == 1
    assert tally.evidence == 0
    assert "evidence" not in found(check)[0]


@pytest.mark.parametrize(("most", "kept"), [(0, 0), (1, 0), (2, 0), (3, 1), (5, 3), (50, 4)])
def test_checks_count_among_the_passages_and_the_last_of_the_others_give_way(most, kept, found):
    checks = [Checked(MISSILES, label, "2020-01-09") for label in ("verified", "propaganda")]
    row, tally = found(*checks, evidence=OWN[:most], most_passages=most)
    told = [text for text in texts(row) if text.startswith("An earlier check")]
    assert len(told) == min(2, most)
    assert texts(row)[len(told) :] == [one["text"] for one in OWN[:kept]]
    assert len(row["matches"]) == 2
    assert (tally.evidence, tally.disagreeing) == (min(1, most), 1)


def test_one_check_that_stands_in_two_files_is_one_passage(found):
    check = Checked(MISSILES, "verified", "2020-01-09")
    row, _ = found(check, check)
    assert len(row["evidence"]) == 1
    assert len(row["matches"]) == 2


def test_a_person_s_verdict_is_not_crowded_out_by_those_of_models(encoder):
    made = [Checked(MISSILES, "verified", "2020-01-08", is_made=True)] * 5
    library = Library([*made, Checked(MISSILES), Checked(MISSILES, "False", "2020-01-09")], encoder)
    (matches,) = library.matches([MISSILES], [None], by=thresholds_of(encoder.fingerprint), most=3)
    assert [checked.label for _, checked in matches] == ["False", None, "verified"]


def test_nothing_to_look_up_or_to_look_among(found, encoder):
    row, tally = found()
    assert row["matches"] == []
    assert tally.checked == 0
    earlier = Earlier([Checked(MISSILES)], [], Tally(checked=1), encoder, thresholds_of(encoder.fingerprint))
    assert look_up([], earlier, most_passages=5) == ([], Tally(checked=1))


def test_what_was_not_surely_there_on_a_day_is_not_even_searched(tmp_path):
    path = tmp_path / "checks.jsonl"
    dates = ("2020-02-28", "2020-02", "2020-03-01", "2020", None)
    rows = [{"claim": f"{MISSILES} {date}", "label": "verified", "date": date} for date in dates]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    earlier = open_earlier([str(path)], mapping={}, as_of="2020-02-29")
    assert [one.date for one in earlier.known] == ["2020-02-28", "2020-02"]
    assert (earlier.tally.checked, earlier.tally.checked_later) == (2, 3)


def test_what_cannot_be_read_fails_before_the_encoder_is_opened(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the encoder was opened")

    monkeypatch.setattr("claimsieve.matching.earlier.open_encoder", never)
    (tmp_path / "checks.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(DataError, match=r"none that can be read.*--against-map claim=COLUMN"):
        open_earlier([str(tmp_path / "checks.jsonl")], mapping={})


def test_an_encoder_without_thresholds_asks_for_them_by_the_names_that_article_has(tmp_path, tiny_checkpoint):
    (tmp_path / "checks.jsonl").write_text(json.dumps({"claim": MISSILES}) + "\n")
    given = {"mapping": {}, "encoder": str(tiny_checkpoint)}
    with pytest.raises(ConfigError, match=r"^--against-encoder: .* --against-similar and --against-suggest"):
        open_earlier([str(tmp_path / "checks.jsonl")], **given)
    earlier = open_earlier([str(tmp_path / "checks.jsonl")], **given, similar=0.9, suggested=0.8)
    rows, _ = look_up([{"claim": MISSILES}], earlier, most_passages=5)
    assert rows[0]["matches"][0]["kind"] == "duplicate"
