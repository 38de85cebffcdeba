"""Labelling a file: every row comes out once, in order, with its own columns; a bad row costs that row and no more."""

import csv
import datetime
import json
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ConfigError, DataError
from claimsieve.inference import windows
from claimsieve.inference.predict import Job, Tally, predict_claims, predict_file
from claimsieve.inference.sources import check_columns
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS, Claim, Evidence

ADDED = ["label", "p_verified", "p_unverified", "p_propaganda"]
WORDS = ("bridge", "harbour", "confirm", "footage", "nobody", "shells", "older", "checked", "place", "officials")


@pytest.fixture(scope="module")
def model(planted_claims: Path) -> TfidfModel:
    """Trained on planted claims, whose evidence tells the label."""
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=2_000)
    list(trained.fit(claims, valid=claims))
    return trained


def claims_of(count: int, seed: int = 0) -> list[dict]:
    """Rows with ids out of order, columns of their own, and evidence on some."""
    draw = random.Random(seed)
    rows = []
    for number in draw.sample(range(count), count):
        row = {
            "id": f"row-{number}",
            "claim": " ".join(draw.choices(WORDS, k=6)),
            "views": number,
            "note": "Ünïcode → 1",
        }
        if number % 2:
            row["evidence"] = [{"text": " ".join(draw.choices(WORDS, k=4)), "date": "2020-01"}]
        rows.append(row)
    return rows


def write_lines(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def read_lines(path: Path | str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def read_table(path: Path | str) -> list[dict]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def own(row: dict) -> dict:
    """A row of the output without what the prediction added."""
    return {name: value for name, value in row.items() if name not in ADDED}


def check_prediction(row: dict) -> None:
    """The probabilities are a distribution, and the label is its peak."""
    values = {label: float(row[f"p_{label}"]) for label in LABELS}
    assert sum(values.values()) == pytest.approx(1, abs=3e-6)
    assert all(0 <= value <= 1 for value in values.values())
    assert values[row["label"]] == max(values.values())


# --- order, ids, columns


def test_every_row_comes_out_in_order_with_its_own_columns_first(model, tmp_path):
    rows = claims_of(50)
    source, target = write_lines(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    assert predict_file(model, Job(source, str(target))) == Tally(50, 50, 0, None, 25)
    labelled = read_lines(target)
    assert [own(row) for row in labelled] == rows
    for row, given_ in zip(labelled, rows, strict=True):
        assert list(row) == [*given_, *ADDED]
        check_prediction(row)


def test_ids_that_occur_twice_are_kept_as_they_are(model, tmp_path):
    rows = [{"id": "same", "claim": f"{word} was hit"} for word in WORDS]
    target = tmp_path / "out.jsonl"
    predict_file(model, Job(write_lines(tmp_path / "in.jsonl", rows), str(target)))
    assert [own(row) for row in read_lines(target)] == rows


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "csv", "tsv", "parquet"])
def test_json_lines_can_become_any_format(model, tmp_path, suffix):
    rows = claims_of(20)
    target = tmp_path / f"out.{suffix}"
    predict_file(model, Job(write_lines(tmp_path / "in.jsonl", rows), str(target)))
    if suffix in ("jsonl", "ndjson"):
        labelled = read_lines(target)
    elif suffix == "parquet":
        table = pq.read_table(target)
        assert [table.schema.field(f"p_{label}").type for label in LABELS] == [pa.float64()] * 3
        labelled = table.to_pylist()
    else:
        with target.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="," if suffix == "csv" else "\t")
            labelled = list(reader)
            # Columns stand in the order in which they first occur, the prediction's last.
            first_seen = list(dict.fromkeys(name for row in rows for name in row))
            assert reader.fieldnames == [*first_seen, *ADDED]
        assert target.read_bytes().endswith(b"\n")
    assert [row["id"] for row in labelled] == [row["id"] for row in rows]
    assert [row["claim"] for row in labelled] == [row["claim"] for row in rows]
    assert {row["note"] for row in labelled} == {"Ünïcode → 1"}
    for row in labelled:
        check_prediction(row)


def test_cells_of_a_csv_are_carried_as_they_stand(model, tmp_path):
    header = ["id", "claim", "date", "views", "note"]
    cells = [
        ["007", 'a "quoted" bridge, hit', "2020-01-08", "1e3", "two\nlines"],
        ["008", "officials\rconfirm", "", "", " spaces "],
        ["008", "=footage;older", "2020", "0,5", "tab\there"],
    ]
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *cells])
    target = tmp_path / "out.csv"
    assert predict_file(model, Job(str(tmp_path / "in.csv"), str(target), csv_safe=False)).labelled == 3
    with target.open(encoding="utf-8", newline="") as stream:
        written = list(csv.reader(stream))
    assert written[0] == [*header, *ADDED]
    assert [row[: len(header)] for row in written[1:]] == cells


def test_evidence_in_a_csv_cell_is_read_like_evidence_in_json(model, tmp_path):
    passages = [{"text": "the footage is older and shows another place entirely"}]
    with (tmp_path / "in.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["claim", "evidence"], ["the bridge was hit", json.dumps(passages)]])
    rows = [{"claim": "the bridge was hit", "evidence": passages}]
    predict_file(model, Job(str(tmp_path / "in.csv"), str(tmp_path / "a.jsonl")))
    predict_file(model, Job(write_lines(tmp_path / "in.jsonl", rows), str(tmp_path / "b.jsonl")))
    (from_csv,), (from_json,) = read_lines(tmp_path / "a.jsonl"), read_lines(tmp_path / "b.jsonl")
    assert [from_csv[name] for name in ADDED] == [from_json[name] for name in ADDED]
    assert from_csv["label"] == "propaganda"


@pytest.fixture
def parquet_claims(tmp_path: Path) -> Path:
    """Three claims with columns of many types."""
    passage = pa.struct([("text", pa.string()), ("source", pa.string())])
    table = pa.table(
        {
            "id": pa.array([3, 1, 2], pa.int64()),
            "claim": pa.array(["the bridge was hit", "officials confirm", "older footage"], pa.large_string()),
            "date": pa.array([datetime.date(2020, 1, 8), None, datetime.date(2020, 1, 9)], pa.date32()),
            "seen": pa.array([datetime.datetime(2020, 1, 8, 1, 30, 0, 5)] * 3, pa.timestamp("us")),
            "evidence": pa.array(
                [[{"text": "officials of both sides confirm", "source": None}], None, []], pa.list_(passage)
            ),
            "label": pa.array([1, 0, 1], pa.int8()),
            "days": pa.array([[datetime.date(2020, 1, 8)], [], None], pa.list_(pa.date32())),
            "share": pa.array([0.5, float("nan"), None], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_parquet_to_parquet_keeps_the_types_and_values_of_its_columns(model, tmp_path, parquet_claims):
    target = tmp_path / "out.parquet"
    assert predict_file(model, Job(str(parquet_claims), str(target))) == Tally(3, 3, 0, None, 2)
    before, after = pq.read_table(parquet_claims), pq.read_table(target)
    kept = [("input_label" if name == "label" else name) for name in before.column_names]
    assert after.column_names == [*kept, *ADDED]
    assert after.schema.types[:-4] == before.schema.types
    for name, new in zip(before.column_names, kept, strict=True):
        # Compared as text, in which a NaN equals a NaN.
        assert str(after[new].to_pylist()) == str(before[name].to_pylist())
    for row in after.to_pylist():
        check_prediction(row)


def test_parquet_becomes_json_and_csv_with_dates_as_text_and_no_nan(model, tmp_path, parquet_claims):
    lines, table = tmp_path / "out.jsonl", tmp_path / "out.csv"
    predict_file(model, Job(str(parquet_claims), str(lines)))
    predict_file(model, Job(str(parquet_claims), str(table)))

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    first, second, _ = (json.loads(line, parse_constant=refuse) for line in lines.read_text().splitlines())
    assert (first["id"], first["date"], first["days"], first["share"]) == (3, "2020-01-08", ["2020-01-08"], 0.5)
    assert (second["date"], second["share"], second["input_label"]) == (None, None, 0)
    cells = read_table(table)
    assert [row["date"] for row in cells] == ["2020-01-08", "", "2020-01-09"]
    assert [row["days"] for row in cells] == ['["2020-01-08"]', "[]", ""]


def test_true_and_false_of_any_kind_of_parquet_stay_so(model, tmp_path):
    seen = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8()))
    table = pa.table({"claim": ["a", "b"], "seen": seen})
    pq.write_table(table, tmp_path / "in.parquet")
    predict_file(model, Job(str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet")))
    assert pq.read_table(tmp_path / "out.parquet")["seen"].to_pylist() == [True, None]


def test_a_date_inside_evidence_may_be_a_date_in_parquet(model, tmp_path):
    passage = {"text": "officials confirm", "date": datetime.date(2020, 1, 8)}
    pq.write_table(pa.table({"claim": ["the bridge was hit"], "evidence": [[passage]]}), tmp_path / "in.parquet")
    tally = predict_file(model, Job(str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet")))
    assert tally == Tally(1, 1, 0, None)
    assert pq.read_table(tmp_path / "out.parquet")["evidence"].to_pylist() == [[passage]]


def test_parquet_types_stay_with_their_columns_when_names_look_renamed(model, tmp_path):
    table = pa.table({"claim": ["hit"], "label": [7], "input_label": [0.5], "x": [1], "input_x": ["text"]})
    pq.write_table(table, tmp_path / "in.parquet")
    predict_file(model, Job(str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet")))
    after = pq.read_table(tmp_path / "out.parquet")
    assert after.column_names == ["claim", "input_label", "input_input_label", "x", "input_x", *ADDED]
    assert after.schema.types[:-4] == table.schema.types


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_columns_named_like_a_prediction_are_kept_under_another_name(model, tmp_path, suffix):
    rows = [{"claim": "the bridge was hit", "label": "a verdict of their own", "p_verified": "high"}]
    names = [tmp_path / f"{stage}.{suffix}" for stage in ("once", "twice")]
    predict_file(model, Job(write_lines(tmp_path / "in.jsonl", rows), str(names[0])))
    predict_file(model, Job(str(names[0]), str(names[1])))
    read = read_lines if suffix == "jsonl" else read_table
    once, twice = map(read, names)
    assert (once[0]["input_label"], once[0]["input_p_verified"]) == ("a verdict of their own", "high")
    # Labelling an output again loses neither the first verdict nor the second.
    assert (twice[0]["input_input_label"], twice[0]["input_label"]) == ("a verdict of their own", once[0]["label"])
    assert twice[0]["label"] == once[0]["label"]


# --- other sources


def test_a_recipe_is_a_source(model, tmp_path):
    claims, _ = load_labelled("recipe:demo")
    for suffix in ("jsonl", "csv", "parquet"):
        tally = predict_file(model, Job("recipe:demo", str(tmp_path / f"out.{suffix}")))
        assert tally == Tally(len(claims), len(claims), 0, None, sum(not claim.evidence for claim in claims))
    rows = read_lines(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == [claim.id for claim in claims]
    assert [row["input_label"] for row in rows] == [claim.label for claim in claims]
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == [claim.id for claim in claims]


def test_a_field_map_reads_another_column_and_keeps_it(model, tmp_path):
    rows = [{"text": "the footage is older", "claim": 5, "meta": {"proof": "nobody has been able to check"}}]
    source = write_lines(tmp_path / "in.jsonl", rows)
    assert predict_file(model, Job(source, str(tmp_path / "a.jsonl"))).rejected == 1
    mapping = {"claim": "text", "evidence": "meta.proof"}
    assert predict_file(model, Job(source, str(tmp_path / "b.jsonl"), mapping=mapping)) == Tally(1, 1, 0, None)
    (row,) = read_lines(tmp_path / "b.jsonl")
    assert own(row) == rows[0]
    direct = Claim(claim="the footage is older", evidence=(Evidence("nobody has been able to check"),))
    (prediction,) = predict_claims(model, [direct])
    assert row["p_unverified"] == pytest.approx(prediction.probabilities["unverified"], abs=1e-6)


def test_maps_that_cannot_apply_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'claim'"):
        check_columns(str(tmp_path / "not-there.jsonl"), {"clam": "text"})
    with pytest.raises(ConfigError, match="recipe:demo has its own field map"):
        check_columns("recipe:demo", {"claim": "text"})
    with pytest.raises(ConfigError, match="expected the name of a recipe"):
        check_columns("recipe:nonesuch", {})
    (tmp_path / "in.csv").write_text("text,verdict\nhit,yes\n")
    with pytest.raises(DataError, match=r"expected a column 'claim', found 'text', 'verdict'.*--map claim=text"):
        check_columns(str(tmp_path / "in.csv"), {})


# --- predictions are of the claim alone


def test_predictions_do_not_depend_on_the_window(model, tmp_path, monkeypatch):
    source = write_lines(tmp_path / "in.jsonl", claims_of(31))
    outputs = []
    for rows in (1, 7, 31, 4_096):
        monkeypatch.setattr(windows, "WINDOW_ROWS", rows)
        predict_file(model, Job(source, str(tmp_path / "out.jsonl")))
        outputs.append((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert len(set(outputs)) == 1


def test_predictions_do_not_depend_on_the_order(model, tmp_path):
    rows = claims_of(31)
    shuffled = random.Random(5).sample(rows, len(rows))
    predict_file(model, Job(write_lines(tmp_path / "a.jsonl", rows), str(tmp_path / "a-out.jsonl")))
    predict_file(model, Job(write_lines(tmp_path / "b.jsonl", shuffled), str(tmp_path / "b-out.jsonl")))
    of_id = {row["id"]: row for row in read_lines(tmp_path / "a-out.jsonl")}
    assert read_lines(tmp_path / "b-out.jsonl") == [of_id[row["id"]] for row in shuffled]


def test_a_prediction_names_its_claim_and_the_model(model):
    claims = [Claim(claim="older footage", id="a"), Claim(claim="officials confirm")]
    first, second = predict_claims(model, claims, fingerprint="f" * 64)
    assert (first.id, second.id, first.model) == ("a", None, "f" * 64)
    assert predict_claims(model, []) == []


# --- rows that cannot be read


def test_a_bad_row_is_rejected_with_its_place_and_reason(model, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(
        b'{"claim": "one", "id": 1}\n'
        b"not json\n"
        b"\n"
        b'{"claim": ""}\n'
        b'{"id": 5}\n'
        b'{"claim": "caf\xe9"}\n'
        b'{"claim": "two", "evidence": null, "id": 7}\n'
        b'["claim"]\n'
        b'{"claim": "three", "id": 9, "n": NaN}\n'
        b'{"claim": "three", "id": 10}'
    )
    target = tmp_path / "out.jsonl"
    tally = predict_file(model, Job(str(tmp_path / "in.jsonl"), str(target)))
    assert tally == Tally(read=9, labelled=3, rejected=6, rejects_file=f"{target}.rejects.jsonl", without_evidence=3)
    assert [row["id"] for row in read_lines(target)] == [1, 7, 10]
    rejects = read_lines(f"{target}.rejects.jsonl")
    assert [(row["place"], row["reason"]) for row in rejects] == [
        (2, "not JSON: Expecting value at character 1"),
        (4, "the claim is empty"),
        (5, "no claim"),
        (6, "not UTF-8: byte 0xe9 at 15"),
        (8, "expected a JSON object"),
        (9, "not JSON: NaN"),
    ]
    assert all(row["excerpt"] for row in rejects)


def test_bad_rows_of_tables_are_rejected_by_line_or_number(model, tmp_path):
    (tmp_path / "in.csv").write_bytes(b'claim,id\r\n"two\nlines",1\r\nshort\r\ncaf\xe9,2\r\n,3\r\nlast,4\r\n')
    tally = predict_file(model, Job(str(tmp_path / "in.csv"), str(tmp_path / "a.csv")))
    assert (tally.read, tally.labelled, tally.rejected) == (5, 2, 3)
    assert [(row["place"], row["reason"]) for row in read_lines(tmp_path / "a.csv.rejects.jsonl")] == [
        (4, "expected 2 cells, found 1"),
        (5, "not UTF-8"),
        (6, "no claim"),
    ]
    pq.write_table(pa.table({"claim": ["one", None, "three"]}), tmp_path / "in.parquet")
    predict_file(model, Job(str(tmp_path / "in.parquet"), str(tmp_path / "b.parquet")))
    assert pq.read_table(tmp_path / "b.parquet")["claim"].to_pylist() == ["one", "three"]
    assert [row["place"] for row in read_lines(tmp_path / "b.parquet.rejects.jsonl")] == [2]


def test_without_rejects_there_is_no_rejects_file_and_a_stale_one_goes(model, tmp_path):
    target, rejects = tmp_path / "out.jsonl", tmp_path / "out.jsonl.rejects.jsonl"
    bad = write_lines(tmp_path / "bad.jsonl", [{"claim": 5}])
    good = write_lines(tmp_path / "good.jsonl", [{"claim": "hit"}])
    assert predict_file(model, Job(bad, str(target))).rejects_file == str(rejects)
    assert rejects.is_file()
    assert predict_file(model, Job(good, str(target))).rejects_file is None
    assert not rejects.exists()


def test_a_file_without_rows_gives_an_output_without_rows(model, tmp_path):
    (tmp_path / "in.jsonl").write_text("")
    assert predict_file(model, Job(str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"))).read == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    (tmp_path / "in.csv").write_text("id,claim\n")
    predict_file(model, Job(str(tmp_path / "in.csv"), str(tmp_path / "out.csv")))
    assert (tmp_path / "out.csv").read_text() == f"id,claim,{','.join(ADDED)}\n"


good_rows = st.fixed_dictionaries(
    {"claim": st.text(st.characters(codec="utf-8"), max_size=30).map("a{}".format)},
    optional={"id": st.integers() | st.text(st.characters(codec="utf-8"), max_size=5), "extra": st.text(max_size=5)},
).map(lambda row: (True, json.dumps(row).encode()))
bad_rows = st.sampled_from(
    (
        *(b"{", b"null", b"[]", b"\x00", b"\xff\xfe", b'{"claim": null}', b'{"claim": " "}', b'{"claim": 3}'),
        *(b'{"claim": "\xff"}', b'{"claim": "\\ud800"}', b'{"claim": "x", "n": Infinity}'),
        b'{"claim": "x", "evidence": [3]}',
    )
).map(lambda line: (False, line))


@given(st.lists(good_rows | bad_rows, max_size=40), st.sampled_from([1, 3, 4_096]))
@settings(max_examples=60, deadline=None)
def test_labelled_and_rejected_add_up_whatever_the_mixture(model, tmp_path_factory, lines, window):
    folder = tmp_path_factory.mktemp("mixture")
    (folder / "in.jsonl").write_bytes(b"".join(line + b"\n" for _, line in lines))
    good = [(place, json.loads(line)) for place, (is_good, line) in enumerate(lines, start=1) if is_good]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW_ROWS", window)
        tally = predict_file(model, Job(str(folder / "in.jsonl"), str(folder / "out.jsonl")))
    assert (tally.read, tally.labelled, tally.rejected) == (len(lines), len(good), len(lines) - len(good))
    written = (folder / "out.jsonl").read_bytes().decode("utf-8").split("\n")
    assert written.pop() == ""
    assert [own(json.loads(line)) for line in written] == [row for _, row in good]
    rejects = read_lines(folder / "out.jsonl.rejects.jsonl") if tally.rejects_file else []
    places = [row["place"] for row in rejects]
    assert sorted([*places, *(place for place, _ in good)]) == list(range(1, len(lines) + 1))
    assert places == sorted(places)


# --- outputs appear whole or not at all


class Failing:
    """A model that breaks in its second window."""

    inputs = ("claim",)
    heads = ()
    windows = 0

    def encode(self, claims):
        return SimpleNamespace(count=len(claims), in_pieces=[], cut=[])

    def answers(self, encoded):
        self.windows += 1
        if self.windows == 2:
            raise RuntimeError("the second window")
        return np.full((encoded.count, 3), 1 / 3)

    def computed_as(self):
        return {}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_failure_half_way_leaves_what_was_there(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(windows, "WINDOW_ROWS", 4)
    source = write_lines(tmp_path / "in.jsonl", [{"claim": "x"}, {"claim": 5}, *({"claim": "y"} for _ in range(8))])
    target = tmp_path / f"out.{suffix}"
    rejects = tmp_path / f"out.{suffix}.rejects.jsonl"
    target.write_text("an earlier output\n")
    rejects.write_text("its rejects\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="the second window"):
        predict_file(Failing(), Job(source, str(target)))
    assert target.read_text() == "an earlier output\n"
    assert rejects.read_text() == "its rejects\n"
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / f"out.{suffix}.partial"])


def test_a_finished_output_leaves_nothing_else_behind(model, tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"claim": "x"}, {"claim": 5}])
    for suffix in ("jsonl", "csv", "tsv", "parquet"):
        predict_file(model, Job(source, str(tmp_path / f"out.{suffix}")))
    names = [f"out.{suffix}{end}" for suffix in ("csv", "jsonl", "parquet", "tsv") for end in ("", ".rejects.jsonl")]
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", *names}


def test_outputs_that_cannot_be_are_refused_before_the_model_is_used(tmp_path):
    source = write_lines(tmp_path / "in.jsonl", [{"claim": "x"}])
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "in.jsonl")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "out.csv.rejects.jsonl").write_text('{"claim": "mended"}\n')
    cases = [
        (source, source, "expected another file for the output than the input"),
        (source, str(tmp_path / "link.jsonl"), "expected another file for the output than the input"),
        (str(tmp_path / "out.csv.rejects.jsonl"), str(tmp_path / "out.csv"), "its rejects file is the input"),
        (source, str(tmp_path / "none" / "out.csv"), "expected an existing folder for the output"),
        (source, str(tmp_path / "folder.csv"), "expected a file for the output, found a folder"),
        (source, str(tmp_path / "out.xlsx"), r"ends in \.jsonl, .*\.parquet \(.*found '\.xlsx'"),
        (source, str(tmp_path / "out.parquet.gz"), r"ends in \.jsonl, .* found '\.gz'"),
        (source, str(tmp_path / "out"), "found 'no suffix'"),
        (str(tmp_path / "none.jsonl"), str(tmp_path / "out.csv"), "expected a claims file, found none"),
        ("-", str(tmp_path / "out.csv"), r"expected JSON Lines as output for standard input.*Use -o FILE\.jsonl"),
    ]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for given_, target, message in cases:
        with pytest.raises(DataError, match=message):
            predict_file(Failing(), Job(given_, target))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert Failing.windows == 0


# --- flat memory

_MEASURE = """
import resource, sys
from pathlib import Path
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.artifacts import load_model
model, _ = load_model(Path(sys.argv[1]))
peaks = []
for source in sys.argv[2:]:
    predict_file(model, Job(source, source + ".out.jsonl"))
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # in KiB on Linux
print(*peaks)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
def test_memory_does_not_grow_with_the_file(model, tmp_path):
    directory, few, many = tmp_path / "model", tmp_path / "few.jsonl", tmp_path / "many.jsonl"
    write_model(model, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    for path, count in ((few, 30_000), (many, 70_000)):
        with path.open("w") as stream:
            stream.writelines(f'{{"id": {n}, "claim": "bridge {n}", "note": "{n:02000}"}}\n' for n in range(count))
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(directory), str(few), str(many)],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    first, second = (int(value) for value in ran.stdout.split())
    assert (tmp_path / "many.jsonl.out.jsonl").read_bytes().count(b"\n") == 70_000
    # 40,000 more rows of more than 2 kB each would be some 90 MiB if they were kept; the memory of inputs grows by 10.
    assert (second - first) / 1024 < 45
