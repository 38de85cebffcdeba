"""Test predictions read back: what they hold, and what is refused."""

import json

import numpy as np
import pytest

from claimsieve.comparison import tested as runs  # pytest would take an imported `Tested` for a class of tests
from claimsieve.comparison.tested import read_tested
from claimsieve.errors import ModelError
from claimsieve.evaluation.documents import TEST_PREDICTIONS

ROW = {
    "id": "own:1",
    "claim": "the bridge was hit",
    "corpus": "own",
    "event": "eighth",
    "label": "verified",
    "p_verified": 0.7,
    "p_unverified": 0.2,
    "p_propaganda": 0.1,
    "raw_p_verified": 0.9,
    "prediction_set": ["verified"],
    "abstained": False,
    "reasons": [],
}


def saved(directory, *rows):
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (directory / TEST_PREDICTIONS).write_text(text, encoding="utf-8")
    return directory


def test_rows_come_back_as_they_were_written(tmp_path):
    other = {**ROW, "id": "own:2", "claim": "Brücke", "label": "propaganda", "p_verified": 0, "p_unverified": 0.9}
    del other["event"], other["corpus"]
    found = read_tested(saved(tmp_path, ROW, other), seed=3, fold="eighth")
    assert found.ids == ("own:1", "own:2")
    assert found.claims == ("the bridge was hit", "Brücke")
    assert found.labels == ("verified", "propaganda")
    assert (found.corpora, found.events) == (("own", None), ("eighth", None))
    assert found.probabilities.tolist() == [[0.7, 0.2, 0.1], [0.0, 0.9, 0.1]]
    assert (found.seed, found.fold, found.train_rows) == (3, "eighth", None)


def test_rows_of_train_are_counted_in_the_table_of_splits(tmp_path):
    saved(tmp_path, ROW)
    names = ["train", "test", "train", "valid", None, "train"]
    rows = [{"id": f'a "split": "train" {number}', "split": name} for number, name in enumerate(names)]
    (tmp_path / "splits.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_tested(tmp_path, seed=0).train_rows == 3
    assert read_tested(tmp_path, seed=0, train_rows=7).train_rows == 7


def test_the_digest_hangs_on_the_rows_and_on_neither_order_nor_predictions():
    def tested(order=(0, 1), probabilities=((1, 0, 0), (0, 1, 0)), **changes):
        columns = {
            "ids": ("1", "2"),
            "claims": ("a", "b"),
            "labels": ("verified", "unverified"),
            "corpora": ("x", None),
            "events": ("e", None),
        } | changes
        picked = {name: tuple(values[row] for row in order) for name, values in columns.items()}
        return runs.Tested(**picked, probabilities=np.array(probabilities, dtype=float), seed=0).rows_digest

    assert len(tested()) == 64
    assert tested() == tested(order=(1, 0)) == tested(probabilities=((0, 0, 1), (0, 0, 1)))
    for name, values in {
        "ids": ("1", "3"),
        "claims": ("a", "c"),
        "labels": ("verified", "propaganda"),
        "corpora": ("x", "y"),
    }.items():
        assert tested(**{name: values}) != tested()


def test_absent_predictions_are_told(tmp_path):
    with pytest.raises(ModelError, match=r"expected test_predictions\.jsonl, found none"):
        read_tested(tmp_path, seed=0)


def test_predictions_of_an_older_version_are_told_apart_from_broken_ones(tmp_path):
    old = {name: ROW[name] for name in ("id", "label", "p_verified", "p_unverified", "p_propaganda")}
    with pytest.raises(ModelError, match=r"an older version wrote this.*Train the model again"):
        read_tested(saved(tmp_path, old), seed=0)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "expected a JSON object"),
        (json.dumps({**ROW, "p_verified": float("nan")}), "not JSON: NaN"),
        (json.dumps({**ROW, "p_verified": 1}).replace(" 1,", " 1e999,"), "sum to 1, found a sum of inf"),
        ({**ROW, "p_verified": -0.1}, "from 0 to 1, found .-0.1, 0.2"),
        ({**ROW, "p_verified": "0.7"}, "from 0 to 1, found .'0.7', 0.2"),
        ({**ROW, "p_verified": True}, "from 0 to 1, found .True, 0.2"),
        ({**ROW, "p_verified": None}, "from 0 to 1, found .None, 0.2"),
        ({**ROW, "p_verified": 0.6}, r"sum to 1, found a sum of 0\.9"),
        ({**ROW, "label": "fake"}, "expected 'label' to be one of verified, unverified, propaganda, found 'fake'"),
        ({**ROW, "label": ["verified"]}, "expected 'label' to be one of"),
        ({**ROW, "id": None}, "expected text in 'id', found None"),
        ({**ROW, "claim": ""}, "expected text in 'claim', found ''"),
        ({**ROW, "event": 8}, "expected text in 'event', found 8"),
        ({**ROW, "claim": "half \ud800"}, "surrogates not allowed"),
        ("{}", "expected 'label'"),
    ],
)
def test_a_broken_row_is_named_by_its_line(tmp_path, second, reason):
    with pytest.raises(ModelError, match=f"line 2: .*{reason}|{reason}") as error:
        read_tested(saved(tmp_path, ROW, second), seed=0)
    assert "line 2" in str(error.value)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="expected a row per test claim, found none"):
        read_tested(saved(tmp_path), seed=0)
