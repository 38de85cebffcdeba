import pytest

from claimsieve.data.fields import apply_rating, check_ratings, field_mapper, iso_date
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import RecordError


def mapped(mapping, row):
    return field_mapper(mapping, place="--map")(row)


def test_an_empty_map_leaves_a_row_as_it_is():
    assert mapped({}, {"claim": "a", "other": 1}) == {"claim": "a", "other": 1}


@pytest.mark.parametrize(
    "column", ["What was said", "claim-text", "Wer? (Name)", "2020", "a.b", "[]", "", "Behauptung"]
)
def test_a_column_may_have_any_name(column):
    assert mapped({"claim": column}, {column: "a", "id": "1"})["claim"] == "a"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("doc.text", "a"),
        ("doc.parts[1]", "c"),
        ("doc.parts[?@ != 'b'] | [0]", "c"),
        ("join(' ', doc.parts)", "b c"),
        ("[{text: doc.text, url: doc.link}]", [{"text": "a", "url": None}]),
        ("doc.nothing", None),
    ],
)
def test_jmespath_reaches_into_nested_rows(expression, value):
    assert mapped({"claim": expression}, {"doc": {"text": "a", "parts": ["b", "c"]}})["claim"] == value


def test_a_literal_column_wins_over_the_path_of_the_same_name():
    assert mapped({"claim": "a.b"}, {"a.b": "literal", "a": {"b": "path"}})["claim"] == "literal"


def test_a_mapped_field_is_not_taken_under_its_own_name():
    row = {"claim": "the verdict", "text": "the claim", "label": "fake"}
    assert mapped({"claim": "text", "rating": "label"}, row)["claim"] == "the claim"
    assert mapped({"claim": "missing"}, row)["claim"] is None
    assert "claim" not in mapped({"claim": "no such column"}, row)


def test_fields_may_be_swapped():
    assert mapped({"source": "date", "date": "source"}, {"source": "2020", "date": "a"}) == {
        "source": "a",
        "date": "2020",
    }


def test_an_unknown_field_is_answered_with_the_nearest():
    with pytest.raises(
        ConfigError, match=r"--map: expected a map from fields of the record, found 'clam'. Did you mean 'claim'\?"
    ):
        field_mapper({"clam": "text"}, place="--map")


def test_an_expression_that_fails_on_a_row_refuses_that_row():
    with pytest.raises(RecordError, match="'claim' cannot be read with join"):
        mapped({"claim": "join(' ', parts)"}, {"parts": [1, 2]})
    for endless in (float("inf"), float("nan")):
        with pytest.raises(RecordError, match="'id' cannot be read with ceil"):
            mapped({"id": "ceil(n)"}, {"claim": "a", "n": endless})


RATINGS = {
    "true": "supported",
    "pants-fire": "refuted",
    "half": "conflicting",
    "satire": None,
    "old": "unverified",
    "3": "verified",
}


@pytest.mark.parametrize(
    ("rating", "stance", "label"),
    [
        ("true", "supported", "verified"),
        (True, "supported", "verified"),
        ("pants-fire", "refuted", "propaganda"),
        ("half", "conflicting", "unverified"),
        ("old", None, "unverified"),
        (3, None, "verified"),
    ],
)
def test_a_rating_gives_a_stance_or_a_label_and_is_kept(rating, stance, label):
    row = apply_rating({"claim": "a", "rating": rating}, RATINGS, place="here")
    assert (row.get("stance"), row["label"]) == (stance, label)
    assert row["rating"] == (rating if isinstance(rating, str) else str(rating).lower())


def test_manipulation_tips_what_the_evidence_leaves_open():
    row = {"claim": "a", "rating": "half", "manipulation": ["recycled"]}
    assert apply_rating(row, RATINGS, place="here")["label"] == "propaganda"
    assert apply_rating({**row, "rating": "true"}, RATINGS, place="here")["label"] == "verified"


def test_a_rating_of_its_own_overrules_a_column_called_label():
    assert apply_rating({"claim": "a", "rating": "true", "label": "TRUE"}, RATINGS, place="here")["label"] == "verified"


def test_a_rating_mapped_to_null_leaves_the_row_out():
    assert apply_rating({"claim": "a", "rating": "satire"}, RATINGS, place="here") is None


def test_without_a_table_a_row_stays_as_it_is():
    row = {"claim": "a", "rating": "whatever"}
    assert apply_rating(row, {}, place="here") is row


@pytest.mark.parametrize("rating", ["mostly true", "True", "", 1.0, ["true"]])
def test_an_unknown_rating_is_never_guessed(rating):
    with pytest.raises(DataError) as refusal:
        apply_rating({"claim": "a", "rating": rating}, RATINGS, place="a.csv, row 7")
    message = str(refusal.value)
    assert message.startswith(
        "a.csv, row 7: expected a rating that the map knows (true, pants-fire, half, satire, old, 3)"
    )
    assert f"found {str(rating)!r}" in message
    assert "Add it to the ratings with a stance, a label, or null to leave such rows out." in message


def test_a_row_without_a_rating_is_a_bad_row_not_a_bad_corpus():
    with pytest.raises(RecordError, match=r"no rating .*map: \{rating: COLUMN\}"):
        apply_rating({"claim": "a", "rating": None}, RATINGS, place="a.csv, row 7")


def test_a_rating_is_mapped_to_a_stance_or_a_label_only():
    check_ratings(RATINGS, place="here")
    with pytest.raises(
        ConfigError, match=r"'true' is mapped to 'verifed'; expected one of supported, .* Did you mean 'verified'\?"
    ):
        check_ratings({"true": "verifed"}, place="here")


def test_dates_of_a_corpus_become_iso_dates():
    formats = ("%d-%m-%Y", "%a %b %d %H:%M:%S %z %Y")
    assert iso_date("8-1-2020", formats) == "2020-01-08"
    assert iso_date("Wed Jan 07 11:06:08 +0000 2015", formats) == "2015-01-07"
    assert iso_date("", formats) is iso_date(None, formats) is None
    with pytest.raises(RecordError, match=r"expected a date like %d-%m-%Y or .*, found '31-2-2020'"):
        iso_date("31-2-2020", formats)
