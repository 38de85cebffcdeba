"""A ClaimReview says what the model said, marks in every place that a machine said it, and is valid or not written."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.corpora import load_labelled
from claimsieve.exporting.claimreview import MARK, Form, answer_of, claim_review
from claimsieve.exporting.schema import claimreview_problem
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import Claim, Evidence, RecordError, claim_from_row

FORM = Form("2024-05-06", "https://example.org/checks")
ROW = {
    "id": "a/1",
    "claim": "Eighty soldiers were killed.",
    "source": "A television channel",
    "date": "2020-01-08",
    "url": "https://example.org/news",
    "first_appearance": "https://example.org/first",
    "lang": "en",
    "evidence": [{"text": "Nobody was hurt.", "source": "An agency", "date": "2020-01-08"}, {"text": "It was night."}],
    "label": "propaganda",
    "p_verified": 0.1,
    "p_unverified": 0.2,
    "p_propaganda": 0.7,
    "abstained": False,
    "reasons": [],
    "explanation": {"words": [], "passages": [{"passage": 1, "weight": -0.2}, {"passage": 0, "weight": 0.9}]},
}


def review_of(row, form=FORM, url="https://example.org/checks#1"):
    answer = answer_of(row)
    return claim_review(
        claim_from_row({name: row.get(name) for name in ("id", "claim", "source", "date", "evidence", "lang")}),
        answer,
        form=form,
        url=url,
        appearance=row.get("url"),
        first=row.get("first_appearance"),
    )


def reviews_in(path):
    return json.loads(path.read_text(encoding="utf-8"))["@graph"]


@pytest.fixture
def labelled(tmp_path):
    def write(*rows, name="labelled.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def test_a_review_says_what_the_row_says():
    review = review_of(ROW)
    assert claimreview_problem()(review) is None
    assert review["claimReviewed"] == review["itemReviewed"]["text"] == ROW["claim"]
    assert review["itemReviewed"]["author"] == {"@type": "Organization", "name": ROW["source"]}
    assert review["itemReviewed"]["datePublished"] == "2020-01-08"
    assert review["itemReviewed"]["appearance"]["url"] == ROW["url"]
    assert review["itemReviewed"]["firstAppearance"]["url"] == ROW["first_appearance"]
    assert review["datePublished"] == "2024-05-06"
    rating = review["reviewRating"]
    assert (rating["worstRating"], rating["ratingValue"], rating["bestRating"]) == (1, 1, 3)
    assert rating["alternateName"].startswith("propaganda")
    # The passage that weighs most comes first.
    assert rating["ratingExplanation"].index("Nobody was hurt") < rating["ratingExplanation"].index("It was night")


def test_every_part_that_a_reader_may_show_says_that_a_machine_made_it():
    review = review_of(ROW)
    assert MARK in review["reviewRating"]["alternateName"]
    assert "no person" in review["author"]["name"]
    assert "no person" in review["disambiguatingDescription"]
    assert "no probability that the claim is true" in review["disambiguatingDescription"]
    assert "not checked by a person" in review["creativeWorkStatus"]
    assert review["digitalSourceType"].endswith("TrainedAlgorithmicMediaDigitalSource")


def test_a_recycled_picture_is_said_in_words():
    reasons = ["picture_recycled", "picture_missing", "picture_outside"]
    review = review_of(ROW | {"abstained": True, "reasons": reasons})
    assert claimreview_problem()(review) is None
    assert "ratingValue" not in review["reviewRating"]
    told = review["disambiguatingDescription"]
    assert "left to a person: a picture that came with it is recycled: it was known before the claim's date" in told
    assert told.count("could not be looked up") == 1
    assert "picture_" not in told


def test_of_an_article_s_folder_its_labelled_claims_are_taken(claimsieve, tmp_path, labelled):
    folder = tmp_path / "story"
    folder.mkdir()
    (folder / "article.json").write_text("[]")
    (folder / "claims.jsonl").write_text(json.dumps({"claim": ROW["claim"]}) + "\n")
    target = tmp_path / "reviews.jsonld"
    code, _, err = claimsieve("export", "claimreview", folder, "-o", target)
    assert (code, target.exists()) == (1, False)
    assert "expected labelled.jsonl in the folder of an article, found none" in err
    labelled(ROW, name="story/labelled.jsonl")
    code, _, err = claimsieve("export", "claimreview", folder, "-o", target)
    assert (code, len(reviews_in(target))) == (0, 1)
    assert f"1 of 1 claims as ClaimReview → {target}" in err


def test_a_claim_left_to_a_person_has_no_value():
    review = review_of(ROW | {"abstained": True, "reasons": ["evidence_conflicts"]})
    assert claimreview_problem()(review) is None
    assert review["reviewRating"]["alternateName"].startswith("undecided")
    assert "ratingValue" not in review["reviewRating"]
    assert "propaganda" not in json.dumps(review)
    assert "contradict one another" in review["disambiguatingDescription"]


def test_a_row_without_evidence_says_that_its_label_means_nothing():
    assert "means nothing" in review_of(ROW | {"evidence": []})["reviewRating"]["ratingExplanation"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": None}, "no label of a model"),
        ({"label": "true"}, "no label of a model"),
        ({"p_propaganda": None}, "only what claimsieve predict wrote"),
        ({"p_propaganda": 1.5}, "only what claimsieve predict wrote"),
        ({"p_propaganda": True}, "only what claimsieve predict wrote"),
        ({"abstained": "no"}, "expected 'abstained' as true or false"),
    ],
)
def test_what_no_model_labelled_is_no_answer(change, reason):
    with pytest.raises(RecordError, match=reason):
        answer_of(ROW | change)


def _set(path, value):
    def change(review):
        *parents, last = path
        for name in parents:
            review = review[name]
        if value is None:
            del review[last]
        else:
            review[last] = value

    return change


BROKEN = {
    "no claim": _set(["claimReviewed"], None),
    "an empty claim": _set(["claimReviewed"], " \n"),
    "no mark in the status": _set(["creativeWorkStatus"], "Published"),
    "no status": _set(["creativeWorkStatus"], None),
    "no word on the machine": _set(["disambiguatingDescription"], "A fact-check."),
    "no source type": _set(["digitalSourceType"], None),
    "no author": _set(["author"], None),
    "no rating": _set(["reviewRating"], None),
    "a name without the mark": _set(["reviewRating", "alternateName"], "propaganda"),
    "no name": _set(["reviewRating", "alternateName"], None),
    "no explanation": _set(["reviewRating", "ratingExplanation"], None),
    "a value of another name": _set(["reviewRating", "ratingValue"], 3),
    "a value off the scale": _set(["reviewRating", "ratingValue"], 4),
    "another scale": _set(["reviewRating", "bestRating"], 5),
    "a name without a value": _set(["reviewRating", "ratingValue"], None),
    "undecided with a value": _set(["reviewRating", "alternateName"], f"undecided ({MARK})"),
    "an address that runs code": _set(["url"], "javascript:alert(1)"),
    "an address with a quotation mark": _set(["url"], 'https://example.org/"onclick="x'),
    "another item": _set(["itemReviewed", "@type"], "Thing"),
    "an author of no kind": _set(["itemReviewed", "author", "@type"], "SoftwareApplication"),
    "a date in words": _set(["itemReviewed", "datePublished"], "8 January 2020"),
    "half a date of the review": _set(["datePublished"], "2024-05"),
    "an appearance that is no address": _set(["itemReviewed", "appearance", "url"], "page 4"),
    "an unknown key": _set(["image"], "https://example.org/logo.png"),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_review_breaks_the_schema(change):
    review = copy.deepcopy(review_of(ROW))
    assert claimreview_problem()(review) is None
    change(review)
    assert claimreview_problem()(review) is not None


@settings(deadline=None)
@given(
    st.builds(
        Claim,
        claim=st.text().map("a{}".format),
        source=st.none() | st.text(),
        evidence=st.lists(st.builds(Evidence, text=st.text(), source=st.none() | st.text(), url=st.none() | st.text())),
        lang=st.none() | st.text(),
    ),
    st.sampled_from(["verified", "unverified", "propaganda"]),
    st.booleans(),
    st.none() | st.text(),
)
def test_whatever_a_row_holds_its_review_is_valid(claim, label, abstained, address):
    answer = answer_of({"label": label, f"p_{label}": 0.5, "abstained": abstained, "reasons": ["new_reason"]})
    review = claim_review(claim, answer, form=FORM, url=None, appearance=address, first=address)
    assert claimreview_problem()(review) is None


def test_what_cannot_be_written_is_left_out():
    explanation = {"passages": [{"passage": 0, "weight": 10**400}, {"passage": 1, "weight": 0.5}]}
    row = {"label": "verified", "p_verified": 0.5, "abstained": True, "reasons": ["x\ud800", "model_unsure"]}
    answer = answer_of(row | {"explanation": explanation})
    assert answer.reasons == ("model_unsure",)
    assert answer.weights == {0: 0.0, 1: 0.5}
    review = claim_review(Claim("The dam burst."), answer, form=FORM, appearance="https://e.org/\ud800")
    assert json.dumps(review, ensure_ascii=False).encode()


def test_what_would_end_a_script_is_escaped_and_reads_the_same(labelled, tmp_path, claimsieve):
    nasty = "</script><script>alert(1)</script><!-- & \u202e\u2028 ok"
    source = labelled(ROW | {"claim": nasty, "source": nasty, "evidence": [nasty], "reasons": [nasty], "url": nasty})
    target = tmp_path / "out.jsonld"
    code, _, _ = claimsieve("export", "claimreview", source, "-o", target)
    assert code == 0
    text = target.read_text(encoding="utf-8")
    assert not set("<>&\u202e\u2028") & set(text)
    (review,) = json.loads(text)["@graph"]
    assert review["claimReviewed"] == nasty
    assert "appearance" not in review["itemReviewed"]


def test_one_document_or_one_a_line(labelled, tmp_path, claimsieve):
    source = labelled(ROW, ROW | {"id": None}, ROW)
    document, lines = tmp_path / "out.jsonld", tmp_path / "out.jsonl"
    for target in (document, lines):
        arguments = ("--base-url", "https://example.org/checks", "--date", "2024-05-06", "--source-type", "person")
        assert claimsieve("export", "claimreview", source, "-o", target, *arguments)[0] == 0
    graph = reviews_in(document)
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [{"@context": "https://schema.org"} | review for review in graph] == rows
    addresses = [review["url"] for review in graph]
    assert len(set(addresses)) == 3
    assert addresses[0] == "https://example.org/checks#a%2F1"
    assert {review["itemReviewed"]["author"]["@type"] for review in graph} == {"Person"}


def test_undecided_ones_are_written_or_left_out(labelled, tmp_path, claimsieve):
    source, target = labelled(ROW, ROW | {"abstained": True}), tmp_path / "out.jsonld"
    code, _, told = claimsieve("export", "claimreview", source, "-o", target)
    assert code == 0
    assert len(reviews_in(target)) == 2
    assert "1 of them undecided" in told
    code, out, _ = claimsieve("export", "claimreview", source, "-o", target, "--decided-only", "--json")
    tally = json.loads(out)
    assert (code, tally["read"], tally["written"], tally["left_out"]) == (0, 2, 1, 1)
    assert len(reviews_in(target)) == 1


def test_rows_that_are_no_labelled_claims_are_rejected_with_the_reason(labelled, tmp_path, claimsieve):
    source, target = labelled(ROW, {"claim": "Nobody labelled this."}, {"text": "no claim"}), tmp_path / "out.jsonld"
    code, out, _ = claimsieve("export", "claimreview", source, "-o", target, "--json")
    tally = json.loads(out)
    assert (code, tally["written"], tally["rejected"]) == (3, 1, 2)
    rejects = [json.loads(line) for line in (tmp_path / "out.jsonld.rejects.jsonl").read_text().splitlines()]
    assert [reject["place"] for reject in rejects] == [2, 3]
    assert "claimsieve predict" in rejects[0]["reason"]


def test_no_row_is_an_empty_document(labelled, tmp_path, claimsieve):
    target = tmp_path / "out.jsonld"
    assert claimsieve("export", "claimreview", labelled(), "-o", target)[0] == 0
    assert reviews_in(target) == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["-o", "out.csv"], 2, "expected an output that ends in .jsonld"),
        (["--base-url", "javascript:alert(1)"], 2, "expected a web address"),
        (["--base-url", "example.org"], 2, "expected a web address"),
        (["--date", "2024-05"], 2, "expected a day"),
        (["--date", "2024-02-30"], 2, "expected a day"),
        (["--source-type", "bot"], 2, "expected one of organization, person"),
    ],
)
def test_wrong_options_are_told(arguments, code, told, labelled, claimsieve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _, err = claimsieve("export", "claimreview", labelled(ROW), *arguments)
    assert found == code
    assert told in err


def test_a_table_or_the_input_itself_is_refused(labelled, tmp_path, claimsieve):
    source = labelled(ROW)
    code, _, err = claimsieve("export", "claimreview", source, "-o", source)
    assert code == 1
    assert "expected another file for the output" in err
    (tmp_path / "in.csv").write_text("claim,label\na,verified\n")
    code, _, err = claimsieve("export", "claimreview", tmp_path / "in.csv", "-o", tmp_path / "out.jsonld")
    assert code == 1
    assert "expected JSON Lines" in err


def test_what_predict_wrote_can_be_exported(planted_claims, tmp_path, claimsieve):
    claims, _ = load_labelled(str(planted_claims))
    model = TfidfModel(inputs=("claim", "evidence"), max_features=2_000)
    list(model.fit(claims, valid=claims))
    source, target = tmp_path / "labelled.jsonl", tmp_path / "reviews.jsonld"
    predict_file(model, Job(str(planted_claims), str(source), explain=True))
    assert claimsieve("export", "claimreview", source, "-o", target)[0] == 0
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    reviews = reviews_in(target)
    assert len(rows) == len(reviews) == 120
    for row, review in zip(rows, reviews, strict=True):
        assert review["reviewRating"]["alternateName"] == f"{row['label']} ({MARK})"
        assert row["evidence"][0]["text"] in review["reviewRating"]["ratingExplanation"]
