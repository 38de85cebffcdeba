"""From a file of claims and a file of checks to matches: what is joined, what only suggested, and what is evidence."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.errors import DataError
from claimsieve.matching.checked import Checked, check_against
from claimsieve.matching.encoder import open_encoder
from claimsieve.matching.library import Library
from claimsieve.matching.match import Job, match_file
from claimsieve.matching.passages import is_known_by, passage_of
from claimsieve.matching.thresholds import thresholds_of
from claimsieve.whole_files import growing_file

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
MISSILES = "Twenty-two missiles were fired at two air bases in Iraq on Wednesday night."
CHECKS = [
    {
        "claim": MISSILES,
        "label": "verified",
        "date": "2020-01-09",
        "source": "A desk",
        "url": "https://example.org/1",
    },
    {"claim": "The photograph of the burning refinery was taken in 2014.", "stance": "supported", "date": "2020"},
    {
        "claim": "Eighty soldiers were killed in the attack on the base.",
        "rating": "Pants on fire",
        "date": "2020-01-08",
    },
    {"claim": "He lied.", "label": "propaganda", "date": "2019-01-01"},
    {"claim": "Sweden has joined NATO after two centuries of neutrality.", "label": "verified", "p_verified": 0.9},
]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(device="cpu")


@pytest.fixture(scope="module")
def by(encoder):
    return thresholds_of(encoder.fingerprint)


@pytest.fixture
def matched(encoder, by, tmp_path):
    """Look claims up; gives the rows that come out, and the tally."""

    def run(claims, checks=CHECKS, **options):
        for name, rows in (("claims", claims), ("checks", checks)):
            lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
            (tmp_path / f"{name}.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        target = tmp_path / "out.jsonl"
        index = options.pop("index", None)
        job = Job(str(tmp_path / "claims.jsonl"), [str(tmp_path / "checks.jsonl")], str(target), **options)
        tally = match_file(job, encoder, by=by, index=index)
        return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()], tally

    return run


def best(row):
    return row["matches"][0]


def test_the_same_words_are_a_duplicate_and_carry_the_check(matched):
    (row,), tally = matched([{"claim": f"RT @desk: {MISSILES.upper()} https://t.co/x", "note": "mine"}])
    assert best(row) == {
        "claim": MISSILES,
        "label": "verified",
        "date": "2020-01-09",
        "source": "A desk",
        "url": "https://example.org/1",
        "similarity": 1.0,
        "kind": "duplicate",
    }
    assert row["note"] == "mine"
    assert (tally.read, tally.written, tally.duplicate, tally.checked) == (1, 1, 1, 5)


def test_other_words_are_similar_and_never_a_duplicate(matched):
    (row,), _ = matched([{"claim": "On Wednesday night, two air bases in Iraq were attacked with 22 missiles."}])
    assert best(row)["kind"] == "similar"
    assert best(row)["claim"] == MISSILES


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (MISSILES.replace("Twenty-two", "Twelve"), "number"),
        (MISSILES.replace("were fired", "were not fired"), "negation"),
        (MISSILES.replace("Iraq", "Iran"), "name"),
        (MISSILES.replace("Wednesday", "Friday"), "date"),
    ],
)
def test_nearly_the_same_words_that_say_something_else_are_suggested_with_the_difference(claim, why, matched):
    (row,), tally = matched([{"claim": claim}])
    assert best(row)["kind"] == "suggested"
    assert best(row)["similarity"] > 0.7
    assert any(found.startswith(f"{why}:") for found in best(row)["why"])
    assert tally.suggested == 1


def test_a_short_text_is_suggested_even_to_itself(matched):
    (row,), _ = matched([{"claim": "He lied."}])
    assert best(row)["kind"] == "suggested"
    assert best(row)["why"] == ["short: too few words to know a claim by"]


def test_what_was_never_checked_has_no_match(matched):
    (row,), tally = matched([{"claim": "The city council bought forty trams from a Czech factory."}])
    assert row["matches"] == []
    assert tally.duplicate + tally.similar + tally.suggested == 0


def test_a_verdict_comes_from_label_stance_or_rating(matched):
    rows, _ = matched([{"claim": check["claim"]} for check in CHECKS[:3]])
    assert [best(row)["label"] for row in rows] == ["verified", "verified", "Pants on fire"]


def test_texts_that_the_encoder_cannot_read_are_matched_by_their_words_only(matched):
    checks = [{"claim": "ကမ္ဘာစစ် အတွင်း တပ်သား ရှစ်ဆယ် သေဆုံးခဲ့သည်", "label": "verified"}]
    rows, _ = matched([checks[0], {"claim": "မြို့တော်ဝန် သည် မီးရှူးမီးပန်းများ ကို တားမြစ်ခဲ့သည်"}], checks)
    assert [[match["kind"] for match in row["matches"]] for row in rows] == [["duplicate"], []]


def test_another_language_is_never_similar(matched):
    checks = [
        {"claim": "Der Minister hat nicht gesagt, dass die Grenze im Norden geschlossen ist.", "label": "verified"}
    ]
    claim = "Der Minister hat gesagt, dass die Grenze im Norden geschlossen ist."
    (row,), _ = matched([{"claim": claim}], checks)
    assert [match["kind"] for match in row["matches"]] == ["suggested"]


def test_own_columns_stay_and_a_column_of_the_same_name_is_kept(matched):
    (row,), _ = matched([{"claim": MISSILES, "matches": 3, "label": "unverified", "date": "some day"}])
    assert (row["input_matches"], row["label"], row["date"]) == (3, "unverified", "some day")


def test_no_more_than_asked_and_the_best_first(matched):
    checks = [{"claim": MISSILES, "label": label} for label in ("verified", "propaganda", "verified")]
    checks += [{"claim": MISSILES.replace("Twenty-two", "Thirty"), "label": "unverified"}]
    (row,), tally = matched([{"claim": MISSILES}], checks, top=2)
    assert [match["label"] for match in row["matches"]] == ["verified", "propaganda"]
    assert tally.disagreeing == 1
    (row,), _ = matched([{"claim": MISSILES}], checks, top=9)
    assert [match["kind"] for match in row["matches"]] == ["duplicate"] * 3 + ["suggested"]


def test_an_earlier_check_is_evidence_and_a_later_one_is_not(matched):
    claims = [{"claim": MISSILES, "date": date, "evidence": ["Own."]} for date in ("2020-01-08", "2020-01-09", "2020")]
    rows, tally = matched([*claims, {"claim": MISSILES}], evidence=True)
    later, same_day, some_day, undated = (row["evidence"] for row in rows)
    assert later == some_day == ["Own."]
    assert same_day[0] == {"text": "Own."}
    assert same_day[1] == {
        "text": f"An earlier check, of 2020-01-09, found “{MISSILES}”: verified.",
        "source": "A desk",
        "date": "2020-01-09",
        "url": "https://example.org/1",
    }
    assert undated == same_day[1:]
    assert tally.evidence == 2


def test_a_claim_without_a_readable_date_gets_no_evidence_but_is_rejected(matched):
    rows, tally = matched([{"claim": MISSILES, "date": "last week"}], evidence=True)
    assert (rows, tally.rejected) == ([], 1)


def test_suggestions_and_labels_of_models_are_no_evidence(matched):
    claims = [{"claim": MISSILES.replace("two", "three")}, {"claim": CHECKS[4]["claim"]}, {"claim": "He lied."}]
    rows, tally = matched(claims, evidence=True)
    assert [best(row).get("machine_made") for row in rows] == [None, True, None]
    assert not any("evidence" in row for row in rows)
    assert tally.evidence == 0


def test_as_of_leaves_out_what_was_not_surely_there(matched):
    (row,), tally = matched([{"claim": MISSILES}], as_of="2020-01-08")
    assert not [match for match in row["matches"] if match["kind"] == "duplicate"]
    assert tally.checked_later == 3  # of the next day, of some day of that year, and undated
    (row,), tally = matched([{"claim": MISSILES}], as_of="2020-01-09")
    assert best(row)["kind"] == "duplicate"


DATES = st.dates().map(str).filter(lambda day: day >= "1000") | st.from_regex(r"20[0-2][0-9](-0[1-9])?", fullmatch=True)


@settings(deadline=None)
@given(DATES, DATES)
def test_nothing_that_may_be_later_is_known_by_a_day(one, other):
    known = is_known_by(one, other)
    assert known <= (one[: len(other)] <= other[: len(one)])
    if len(one) == len(other) == 10:
        assert known == (one <= other)
    assert not (is_known_by(one, other) and is_known_by(other, one)) or one == other
    assert not is_known_by(None, other)
    assert is_known_by(None, None)


def test_a_long_check_is_quoted_in_part():
    passage = passage_of(Checked("word " * 3_000, "verified"), "similar")
    assert passage is not None
    assert len(passage.text) < 700
    assert passage.text.endswith("…”: verified.")
    assert "without a date" in passage.text


def test_rows_of_either_side_that_cannot_be_read_are_listed(matched, tmp_path):
    rows, tally = matched(
        [{"claim": MISSILES}, "{", {"text": "x"}], [*CHECKS, {"claim": 7}, {"claim": "a", "date": "x"}]
    )
    assert len(rows) == 1
    assert (tally.read, tally.rejected, tally.checked_rejected) == (3, 2, 2)
    listed = [json.loads(line) for line in (tmp_path / "out.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [reject.get("file", "") for reject in listed] == [str(tmp_path / "checks.jsonl")] * 2 + ["", ""]


def test_checks_that_cannot_be_read_at_all_are_an_error(matched):
    with pytest.raises(DataError, match=r"none that can be read; the first row: no claim.*--against-map claim=COLUMN"):
        matched([{"claim": MISSILES}], [{"text": "x"}])


def test_an_index_changes_no_match(matched, tmp_path):
    claims = [{"claim": row["a"]} for row in PAIRS[:20]]
    checks = [{"claim": row["b"], "label": "verified"} for row in PAIRS[:20]]
    plain, _ = matched(claims, checks)
    for _ in range(2):
        again, _ = matched(claims, checks, index=tmp_path / "index")
        assert again == plain


def test_windows_and_company_change_no_match(matched, encoder, by):
    checks = [Checked(row["b"], "verified") for row in PAIRS]
    library = Library(checks, encoder)
    claims = [row["a"] for row in PAIRS]

    def told(found):
        return [
            [(verdict.kind, checked.claim) for verdict, checked in matches if verdict.kind != "suggested"]
            for matches in found
        ]

    together = library.matches(claims, [None] * len(claims), by=by, most=3)
    alone = [library.matches([claim], [None], by=by, most=3)[0] for claim in claims[:25]]
    assert told(together[:25]) == told(alone)


def test_no_near_miss_of_the_held_out_half_in_number_negation_name_or_date_is_joined(encoder, by):
    """The checks were written before these were looked at, though by the same hand."""
    rows = [row for row in PAIRS if row["part"] == "report" and row["kind"] in ("number", "negation", "name", "date")]
    assert len(rows) > 20
    for row in rows:
        library = Library([Checked(row["a"])], encoder)
        (found,) = library.matches([row["b"]], [None], by=by, most=1)
        assert [verdict.kind for verdict, _ in found] in ([], ["suggested"]), row


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def fail():
        with growing_file(path) as stream:
            stream.write(b"new")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_reads_tables_by_a_map_of_each_side(tmp_path, claimsieve):
    with (tmp_path / "claims.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["text", "day"], [MISSILES, "2020-02-01"]])
    with (tmp_path / "checks.csv").open("w", newline="") as stream:
        rows = [
            ["statement", "verdict", "checked", "link"],
            [MISSILES, "Correct", "2020-01-09", "https://example.org/1"],
        ]
        csv.writer(stream).writerows(rows)
    target, index = tmp_path / "out.jsonl", tmp_path / "index"
    maps = ["--map", "claim=text", "--map", "date=day", "--evidence", "--index", index]
    for pair in ("claim=statement", "rating=verdict", "date=checked", "url=link"):
        maps += ["--against-map", pair]
    arguments = (tmp_path / "claims.csv", "--against", tmp_path / "checks.csv", "-o", target, *maps)
    code, _, told = claimsieve("match", *arguments)
    assert code == 0, told
    row = json.loads(target.read_text())
    assert (row["text"], row["day"]) == (MISSILES, "2020-02-01")
    assert (best(row)["label"], best(row)["url"], best(row)["date"]) == (
        "Correct",
        "https://example.org/1",
        "2020-01-09",
    )
    assert row["evidence"][0]["text"].endswith(": Correct.")
    assert "1 was checked before in the same words" in told
    code, out, told = claimsieve("match", *arguments, "--json", "-q")
    assert json.loads(out)["duplicate"] == 1
    assert told == ""


NO_MODEL = ["--model", "no/such/folder/here"]  # told later


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--as-of", "2020-01"], 2, "expected a day as YYYY-MM-DD"),
        (["--precision", "int8"], 2, "expected one of auto, float32, bfloat16"),
        (["-o", "out.csv"], 2, "as matches are lists"),
        (["--against", "-"], 2, "expected a file of checked claims"),
        (["--against", "missing.jsonl"], 1, "expected a claims file, found none"),
        (["--against-map", "verdict=x"], 2, "--against-map"),
        (["--map", "clam=x"], 2, "--map"),
        (["--model", "no/such/folder/here"], 1, "expected 'default', a local folder, or a Hub id"),
        (["-o", "/proc/out.jsonl", *NO_MODEL], 1, "/proc: cannot be written into: "),
        (["--index", "a.jsonl", *NO_MODEL], 1, "expected a folder for the index, found a file"),
        (["--index", "a.jsonl/index", *NO_MODEL], 1, "cannot be written into: Not a directory"),
    ],
)
def test_wrong_options_are_told(arguments, code, told, tmp_path, claimsieve, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text(json.dumps({"claim": MISSILES}) + "\n")
    found, _, err = claimsieve("match", "a.jsonl", "--against", "a.jsonl", *arguments)
    assert found == code
    assert told in err


@pytest.mark.parametrize("sign", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\u180e", "\u034f"])
def test_signs_that_nobody_sees_hide_no_difference(matched, sign):
    check = {
        "claim": "The army killed eighty soldiers and they did surrender the base",
        "rating": "true",
        "date": "2020",
    }
    asked = f"The army killed eighty soldiers and they did n{sign}ot surrender the base"
    (row,), tally = matched([{"claim": asked, "date": "2021"}], [check], evidence=True)
    assert best(row)["kind"] == "suggested"
    assert any("negation" in why for why in best(row)["why"])
    assert tally.evidence == 0


def test_of_the_same_words_but_for_signs_a_persons_verdict_comes_first(matched):
    made = [{"claim": MISSILES, "label": "unverified", "p_verified": 0.2}] * 5
    checks = [{"claim": MISSILES, "label": "verified"}, *made, {"claim": f"{MISSILES[:-1]}!", "label": "propaganda"}]
    (row,), _ = matched([{"claim": MISSILES}], checks)
    assert [one["label"] for one in row["matches"]] == ["verified", "propaganda", "unverified"]


def test_what_a_file_says_of_its_evidence_stays_beside_what_is_added(matched):
    own = [{"text": "The ministry said so.", "stance": "supports", "id": 7}, "A second passage."]
    asked = {"claim": MISSILES, "date": "2021-01-01", "evidence": own}
    (row,), tally = matched([asked], evidence=True)
    assert tally.evidence == 1
    assert row["evidence"][:2] == [own[0], {"text": own[1]}]
    assert len(row["evidence"]) == 3


def test_a_column_called_evidence_that_is_not_the_evidence_stays(matched):
    asked = {"claim": MISSILES, "date": "2021-01-01", "notes": "The ministry said so.", "evidence": {"keep": "this"}}
    (row,), _ = matched([asked], evidence=True, mapping={"evidence": "notes"})
    assert row["input_evidence"] == {"keep": "this"}
    assert row["evidence"][0] == {"text": "The ministry said so."}


def test_a_map_of_the_address_is_checked_as_the_others_are(tmp_path):
    (tmp_path / "checks.csv").write_text("claim,rating\nIt was hit.,true\n")
    mapping = {"claim": "claim", "url": "nosuch"}
    with pytest.raises(
        DataError, match=r"expected a column 'nosuch', found 'claim', 'rating'.*--against-map url=COLUMN"
    ):
        check_against([str(tmp_path / "checks.csv")], mapping, "-")


@pytest.mark.parametrize("left", ["vectors-0123456789abcdef.safetensors", ".index.json.writing"])
def test_an_index_that_a_stop_left_half_made_is_made(matched, tmp_path, left):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / left).write_bytes(b"half")
    matched([{"claim": MISSILES}], index=tmp_path / "index")
    assert (tmp_path / "index" / "index.json").is_file()


def test_a_link_that_waits_where_a_file_is_written_leads_nowhere(tmp_path):
    (tmp_path / "victim").write_text("keep")
    (tmp_path / ".own.jsonl.writing").symlink_to(tmp_path / "victim")
    with growing_file(tmp_path / "own.jsonl") as stream:
        stream.write(b"first")
    assert (tmp_path / "victim").read_text() == "keep"
    assert (tmp_path / "own.jsonl").read_bytes() == b"first"
    assert not (tmp_path / "own.jsonl").is_symlink()


def test_of_two_that_write_one_file_at_once_one_is_whole_and_the_other_is_told(tmp_path):
    def both():
        with growing_file(tmp_path / "own.jsonl") as stream:
            stream.write(b"first")
            with growing_file(tmp_path / "own.jsonl") as other:
                other.write(b"second")

    with pytest.raises(DataError, match=r"at the same time|No such file"):
        both()
    assert (tmp_path / "own.jsonl").read_bytes() == b"second"


def test_the_unfinished_file_of_another_process_is_not_put_in_place(tmp_path):
    unfinished = tmp_path / ".own.jsonl.writing"

    def disturbed():
        with growing_file(tmp_path / "own.jsonl") as stream:
            stream.write(b"first")
            unfinished.unlink()  # as another process does that begins
            unfinished.write_bytes(b"half")

    with pytest.raises(DataError, match="at the same time"):
        disturbed()
    assert not (tmp_path / "own.jsonl").exists()
    assert unfinished.read_bytes() == b"half"
