"""predict --media-index: pictures are looked up while claims are labelled, and what they tell is evidence."""

import csv
import json
import shutil

import pyarrow.parquet
import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ConfigError, DataError
from claimsieve.evaluation.calibration import Calibration
from claimsieve.inference.labelling import kept_name
from claimsieve.inference.pictures import Pictures, opened_pictures
from claimsieve.inference.predict import Job, predict_file
from claimsieve.media.building import build_index
from claimsieve.media.index import load_index
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS

ROWS = [
    {"id": "old", "claim": "the bridge was hit", "date": "2020-01-08", "media": ["old.jpg"]},
    {"id": "same", "claim": "the bridge was hit", "date": "2020-01-08", "media": "same-day.jpg"},
    {"id": "none", "claim": "the bridge was hit", "date": "2020-01-08"},
    {"id": "bad", "claim": "the ship was hit", "media": ["none.jpg", "text.jpg", "../x.png", "plain.png"]},
    {"id": "own", "claim": "the ship was hit", "date": "2020", "media": ["old.jpg", "new.jpg"],
     "evidence": [{"text": "officials confirm it", "kept": 1}], "manipulation": ["slogans"]},
    {"id": "words", "claim": "the ship was hit", "date": "last night", "media": ["old.jpg"], "evidence": "a passage"},
]  # fmt: skip


@pytest.fixture(scope="module")
def model(planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=2_000)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture(scope="module")
def model_folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    write_model(model, folder, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return folder


@pytest.fixture
def source(claims_folder):
    path = claims_folder / "claims.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def labelled(model, source, target, index_folder, **options) -> dict[str, dict]:
    pictures = opened_pictures(index_folder, str(source), root=options.pop("root", None), leeway_days=0)
    predict_file(model, Job(str(source), str(target), pictures=pictures, **options))
    return {row["id"]: row for row in map(json.loads, target.read_text().splitlines())}


def test_what_pictures_tell_stands_in_the_row(model, source, tmp_path, index_folder):
    rows = labelled(model, source, tmp_path / "out.jsonl", index_folder)
    assert list(rows) == [row["id"] for row in ROWS]
    old = rows["old"]
    assert (old["manipulation"], old["techniques"], old["reasons"]) == (True, ["recycled"], ["picture_recycled"])
    assert [row["abstained"] for row in rows.values()] == [True, False, False, False, True, False]
    (hit,) = old["pictures"]
    assert (hit["picture"], hit["date"], hit["relation"]) == ("old.jpg", "2017-06-18", "before")
    assert old["evidence"] == [
        {"text": hit["words"], "source": "picture index", "date": "2017-06-18", "url": "https://example.org/2017"}
    ]
    same = rows["same"]
    assert (same["manipulation"], same["techniques"], same["reasons"]) == (None, [], [])
    assert same["pictures"][0]["relation"] == "same_or_later"
    none = rows["none"]
    assert (none["pictures"], none["pictures_unmatched"], none["reasons"]) == ([], [], [])
    assert "evidence" not in none
    bad = rows["bad"]
    expected = ["picture_missing", "picture_unreadable", "picture_outside", "picture_low_quality"]
    assert bad["reasons"] == expected
    assert [(one["picture"], one["reason"]) for one in bad["pictures_unmatched"]] == list(
        zip(ROWS[3]["media"], expected, strict=True)
    )
    assert rows["words"]["pictures"][0]["relation"] == "unknown"  # a date in words is no bad row
    assert rows["words"]["reasons"] == ["picture_undated_claim", "date_unreadable"]


def test_a_recycled_picture_goes_to_a_person_however_sure_the_model_is(model, source, tmp_path, index_folder):
    sure = Calibration(
        temperature=1.0,
        corpora={},
        coverage=0.9,
        thresholds=dict.fromkeys(LABELS, 0.335),
        rows=dict.fromkeys(LABELS, 40),
        trained_for=dict.fromkeys(LABELS, 1 / 3),
    )
    pictures = opened_pictures(index_folder, str(source), root=None, leeway_days=0)
    tally = predict_file(model, Job(str(source), str(tmp_path / "out.jsonl"), pictures=pictures), calibration=sure)
    rows = {row["id"]: row for row in map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())}
    found = {name: (len(row["prediction_set"]), row["abstained"]) for name, row in rows.items()}
    lacking = dict.fromkeys(("none", "bad"), (1, True))
    assert found == {"old": (1, True), "same": (1, False), "own": (1, True), "words": (1, False)} | lacking
    assert tally.abstained == 4


def test_own_evidence_and_own_columns_stay(model, source, tmp_path, index_folder):
    rows = labelled(model, source, tmp_path / "out.jsonl", index_folder)
    own = rows["own"]
    assert own["evidence"][0] == {"text": "officials confirm it", "kept": 1}
    assert [passage.get("source") for passage in own["evidence"]] == [None, "picture index"]
    assert (own["input_manipulation"], own["manipulation"]) == (["slogans"], True)
    assert rows["words"]["evidence"][0] == "a passage"


def test_the_model_reads_what_pictures_tell(model, source, tmp_path, index_folder):
    """The same claims, with the passage among their evidence and no pictures, get the same probabilities."""
    rows = labelled(model, source, tmp_path / "out.jsonl", index_folder)
    again = tmp_path / "again.jsonl"
    again.write_text(
        "".join(json.dumps({key: row.get(key) for key in ("id", "claim", "evidence")}) + "\n" for row in rows.values())
    )
    predict_file(model, Job(str(again), str(tmp_path / "twice.jsonl")))
    for row in map(json.loads, (tmp_path / "twice.jsonl").read_text().splitlines()):
        for name in ("label", "p_verified", "p_unverified", "p_propaganda"):
            assert row[name] == rows[row["id"]][name]
    assert rows["old"]["p_verified"] != rows["none"]["p_verified"]


def test_explanations_count_passages_as_the_row_has_them(model, source, tmp_path, index_folder):
    rows = labelled(model, source, tmp_path / "out.jsonl", index_folder, explain=True)
    for word in rows["own"]["explanation"]["words"]:
        if word["in"] == "evidence":
            passage = rows["own"]["evidence"][word["passage"]]["text"]
            assert passage[word["start"] : word["end"]].lower() == word["text"].lower()


def test_without_an_index_nothing_is_looked_up(model, source, tmp_path):
    predict_file(model, Job(str(source), str(tmp_path / "out.jsonl")))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert all("pictures" not in row and "techniques" not in row for row in rows)
    assert rows[4]["manipulation"] == ["slogans"]


def test_tables_hold_the_same(model, source, claims_folder, tmp_path, index_folder):
    with (claims_folder / "claims.csv").open("w", newline="") as stream:
        lines = [["id", "claim", "date", "media", "evidence", "pictures"]]
        lines += [["old", "the bridge was hit", "2020-01-08", "old.jpg", "", "mine"]]
        lines += [["two", "the bridge was hit", "2020-01-08", '["old.jpg", "none.jpg"]', '[{"text": "x"}]', ""]]
        csv.writer(stream).writerows(lines)
    pictures = opened_pictures(index_folder, str(claims_folder / "claims.csv"), root=None, leeway_days=0)
    for suffix in ("csv", "parquet"):
        target = tmp_path / f"out.{suffix}"
        tally = predict_file(model, Job(str(claims_folder / "claims.csv"), str(target), pictures=pictures))
        assert (tally.recycled, tally.unmatched) == (2, 1)
        if suffix == "csv":
            with target.open(newline="") as stream:
                rows = list(csv.DictReader(stream))
            assert [row["manipulation"] for row in rows] == ["true", "true"]
            assert json.loads(rows[0]["techniques"]) == ["recycled"]
        else:
            table = pyarrow.parquet.read_table(target)
            assert str(table.schema.field("manipulation").type) == "bool"
            rows = table.to_pylist()
            assert [row["techniques"] for row in rows] == [["recycled"], ["recycled"]]
        assert [row["input_pictures"] for row in rows] == ["mine", ""]
        assert json.loads(rows[0]["pictures"])[0]["date"] == "2017-06-18"
        assert json.loads(rows[1]["pictures_unmatched"])[0]["reason"] == "picture_missing"
        assert [passage.get("source") for passage in json.loads(rows[1]["evidence"])] == [None, "picture index"]


def test_pictures_lie_beside_the_file_that_names_them(model, claims_folder, tmp_path, index_folder):
    """Of a folder of claims files each has its own."""
    for name, picture in (("a", "old.jpg"), ("b", "new.jpg")):
        (tmp_path / "all" / name).mkdir(parents=True)
        shutil.copy(claims_folder / picture, tmp_path / "all" / name / "p.jpg")
        (tmp_path / "all" / name / "c.jsonl").write_text(
            json.dumps({"id": name, "claim": "hit", "date": "2020", "media": "p.jpg"}) + "\n"
        )
    rows = labelled(model, tmp_path / "all", tmp_path / "out.jsonl", index_folder)
    assert [(row["id"], len(row["pictures"])) for row in rows.values()] == [("a", 1), ("b", 0)]


def test_a_root_lets_pictures_lie_elsewhere(model, source, claims_folder, tmp_path, index_folder):
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "claims.jsonl"
    shutil.move(source, moved)
    assert labelled(model, moved, tmp_path / "1.jsonl", index_folder)["old"]["reasons"] == ["picture_missing"]
    rows = labelled(model, moved, tmp_path / "2.jsonl", index_folder, root=claims_folder)
    assert rows["old"]["techniques"] == ["recycled"]


def test_pictures_that_are_no_names_are_a_bad_row(model, claims_folder, tmp_path, index_folder):
    (claims_folder / "c.jsonl").write_text('{"id": "a", "claim": "hit", "media": [1]}\n{"id": "b", "claim": "hit"}\n')
    pictures = opened_pictures(index_folder, str(claims_folder / "c.jsonl"), root=None, leeway_days=0)
    tally = predict_file(model, Job(str(claims_folder / "c.jsonl"), str(tmp_path / "out.jsonl"), pictures=pictures))
    assert (tally.labelled, tally.rejected) == (1, 1)
    assert "expected a list of texts in 'media'" in (tmp_path / "out.jsonl.rejects.jsonl").read_text()


def test_another_index_is_noticed_when_a_job_goes_on(model, source, tmp_path, index_folder, archive):
    class Stops(TfidfModel):
        pass

    target = tmp_path / "out.jsonl"
    other = shutil.copytree(index_folder, tmp_path / "index")

    def stop(rows: int) -> None:
        if rows:
            raise KeyboardInterrupt

    def job(folder, **options) -> Job:
        return Job(str(source), str(target), pictures=Pictures(load_index(folder), str(source), **options))

    with pytest.raises(KeyboardInterrupt):
        predict_file(model, job(other), advance=stop)
    for changed in (job(other, leeway_days=3), job(other, root=tmp_path), Job(str(source), str(target))):
        with pytest.raises(DataError, match=r"options\.pictures.* was .*, is "):
            predict_file(model, changed)
    build_index([archive / "4.png"], other, extend=True, threshold=30)
    with pytest.raises(DataError, match=r"options\.pictures\.index was "):
        predict_file(model, job(other))
    shutil.rmtree(other)
    shutil.copytree(index_folder, other)
    predict_file(model, job(other))
    whole = target.read_bytes()
    predict_file(model, Job(str(source), str(tmp_path / "new.jsonl"), pictures=job(other).pictures))
    assert (tmp_path / "new.jsonl").read_bytes() == whole


def test_columns_of_pictures_are_kept_under_another_name_only_where_pictures_are_looked_up():
    for name in ("pictures", "techniques", "manipulation", "pictures_unmatched"):
        assert kept_name(name) == name
        assert kept_name(name, pictures=True) == f"input_{name}"
    assert kept_name("media", pictures=True) == "media"


# --- the command


def test_predict_looks_pictures_up(claimsieve, model_folder, source, tmp_path, index_folder):
    target = tmp_path / "out.jsonl"
    code, _, err = claimsieve("predict", model_folder, source, "-o", target, "--media-index", index_folder)
    assert code == 0
    assert "2 rows have a picture that was known before the claim's date (recycled)" in err
    assert "1 row has a picture that could not be looked up" in err
    assert json.loads(target.read_text().splitlines()[0])["techniques"] == ["recycled"]
    more = ["--media-leeway", 10_000, "-q"]
    assert claimsieve("predict", model_folder, source, "-o", target, "--media-index", index_folder, *more)[0] == 0
    assert json.loads(target.read_text().splitlines()[0])["pictures"][0]["relation"] == "just_before"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--media-index", "INDEX", "--engine", "ray"], "--media-index: expected the local engine, found ray"),
        (["--media-root", "."], "expected --media-index with them, found none"),
        (["--media-leeway", "2"], "expected --media-index with them, found none"),
        (["--media-index", "INDEX", "--media-root", "nowhere"], "--media-root nowhere: expected a folder, found none"),
    ],
)
def test_options_that_do_not_go_together_are_told(claimsieve, model_folder, source, index_folder, arguments, message):
    given = [index_folder if word == "INDEX" else word for word in arguments]
    code, _, err = claimsieve("predict", model_folder, source, *given)
    assert code == 2
    assert message in err


def test_an_index_that_is_none_is_told_before_the_model_is_opened(claimsieve, source, tmp_path):
    code, _, err = claimsieve("predict", "no-model", source, "--media-index", tmp_path)
    assert code == 1
    assert "expected a picture index with manifest.json, found none" in err


def test_a_recipe_needs_a_root(index_folder, tmp_path):
    with pytest.raises(ConfigError, match="expected --media-root with recipe:averitec"):
        opened_pictures(index_folder, "recipe:averitec", root=None, leeway_days=0)
    assert opened_pictures(index_folder, "recipe:averitec", root=tmp_path, leeway_days=0).identity()["leeway_days"] == 0
