"""What predict labelled can be exported, whatever its columns are called and whatever it carried along unread."""

import json

import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.exporting.claimreview import address_of, is_address
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import Claim

PAGE = "https://example.org/checks"
ROW = {
    "claim": "The dam burst.",
    "source": "A channel",
    "date": "2020-01-08",
    "lang": "en",
    "evidence": [{"text": "It held.", "source": "An agency", "date": "2020-01-09"}],
    "label": "verified",
    "p_verified": 0.5,
}


@pytest.fixture
def exported(claimsieve, tmp_path):
    """The reviews of rows, all of which are written."""

    def export(*rows, options=()):
        (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        target = tmp_path / "out.jsonld"
        code, _, err = claimsieve("export", "claimreview", tmp_path / "in.jsonl", "-o", target, *options)
        assert (code, "rejected" in err) == (0, False)
        return json.loads(target.read_text())["@graph"]

    return export


def test_columns_are_mapped_as_for_predict(planted_claims, exported):
    claims, _ = load_labelled(str(planted_claims))
    model = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(model.fit(claims, valid=claims))
    source, target = planted_claims.with_name("text.jsonl"), planted_claims.with_name("labelled.jsonl")
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()[:6]]
    source.write_text("".join(json.dumps({"text": row.pop("claim"), "rated": {"why": row}}) + "\n" for row in rows))
    mapping = {"claim": "text", "evidence": "rated.why.evidence", "label": "rated.why.label"}
    predict_file(model, Job(str(source), str(target), mapping=mapping))
    labelled = [json.loads(line) for line in target.read_text().splitlines()]
    options = [word for field, name in mapping.items() for word in ("--map", f"{field}={name}")]
    reviews = exported(*labelled, options=options)
    for row, review in zip(labelled, reviews, strict=True):
        assert review["claimReviewed"] == row["text"]
        assert review["reviewRating"]["alternateName"].startswith(row["label"])  # the model's, not the rater's
        assert row["rated"]["why"]["evidence"][0]["text"] in review["reviewRating"]["ratingExplanation"]


def test_a_bad_map_is_told(claimsieve, tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps(ROW) + "\n")
    for given, told in (("clam=text", "Did you mean 'claim'?"), ("claim", "expected FIELD=COLUMN")):
        code, _, err = claimsieve("export", "claimreview", tmp_path / "in.jsonl", "--map", given)
        assert (code, told in err) == (2, True)


@pytest.mark.parametrize("date", ["last Tuesday", "0000", "2020-02-30", 2020, ["2020"]])
def test_a_date_that_is_none_is_left_out_and_nothing_else(exported, date):
    whole, dateless = exported(ROW, ROW | {"date": date, "evidence": [ROW["evidence"][0] | {"date": date}]})
    assert whole["itemReviewed"].pop("datePublished") == "2020-01-08"
    assert "(An agency)" in dateless["reviewRating"].pop("ratingExplanation")
    assert "(An agency, 2020-01-09)" in whole["reviewRating"].pop("ratingExplanation")
    assert dateless == whole


@pytest.mark.parametrize("value", [5, ["a"], "half \ud800"])
def test_texts_about_a_claim_that_are_none_are_left_out(exported, value):
    passage = {"text": "It held.", "source": value, "date": "2020-01-09", "url": value}
    (review,) = exported(ROW | {"source": value, "lang": value, "evidence": passage})
    assert "author" not in review["itemReviewed"]
    assert "inLanguage" not in review
    assert review["itemReviewed"]["datePublished"] == "2020-01-08"
    assert "(2020-01-09)" in review["reviewRating"]["ratingExplanation"]


def test_a_number_that_pandas_made_of_an_id_is_that_id(exported):
    (review,) = exported(ROW | {"id": 7.0}, options=["--base-url", PAGE])
    assert review["url"] == f"{PAGE}#7"


def test_an_id_of_any_length_makes_an_address(exported):
    ids = ["\N{WAVE DASH}" * 200, "\N{GRINNING FACE}" * 200, "\N{GRINNING FACE}" * 199, "x" * 5_000, "д" * 200]
    urls = [row["url"] for row in exported(*(ROW | {"id": one} for one in ids), options=["--base-url", PAGE])]
    assert len(set(urls)) == len(ids)
    assert all(map(is_address, urls))
    assert urls[3] == f"{PAGE}#{'x' * 200}"
    assert urls[4] == f"{PAGE}#{'%D0%B4' * 200}"


def test_addresses_like_one_another_are_numbered():
    class Counted(dict):
        looked = 0

        def __contains__(self, key):
            self.looked += 1
            return super().__contains__(key)

    taken = Counted()
    found = [address_of(PAGE, Claim("c", id=name), taken) for name in ("a-2", "a", "a", "a", "a-2", "a-2-2")]
    assert [url.partition("#")[2] for url in found] == ["a-2", "a", "a-3", "a-4", "a-2-2", "a-2-2-2"]
    taken.looked = 0
    assert len({address_of(PAGE, Claim("c"), taken) for _ in range(1_000)}) == 1_000
    assert taken.looked < 3_000  # each goes on from the last one
