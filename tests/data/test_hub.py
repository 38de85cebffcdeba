from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from claimsieve.data import corpora
from claimsieve.data.files import Row
from claimsieve.data.hub import read_hub
from claimsieve.errors import DataError
from claimsieve.records import Claim, Evidence
from claimsieve.settings import Corpus


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    """The datasets library, offline and with a cache of its own."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return datasets


@pytest.fixture
def folder(tmp_path, datasets):
    """A dataset folder as the datasets library writes one: the verdicts are class numbers with names."""
    features = datasets.Features(
        {
            "claim": datasets.Value("string"),
            "proof": datasets.List(datasets.Value("string")),
            "when": datasets.Value("timestamp[s]"),
            "verdict": datasets.ClassLabel(names=["REFUTES", "SUPPORTS"]),
        }
    )
    rows = {
        "claim": ["first", "second", "third"],
        "proof": [["a", "b"], [], ["c"]],
        "when": [datetime(2020, 1, 8), datetime(2020, 1, 9), None],
        "verdict": [1, 0, -1],
    }
    path = tmp_path / "a_set"
    path.mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(path / "train.parquet"))
    assert pq.read_table(path / "train.parquet")["verdict"].to_pylist() == [1, 0, -1]
    return path


def rows_of(name, *, config=None, split="train"):
    return list(read_hub(str(name), config=config, split=split, revision=None))


def test_classes_are_read_by_name(folder):
    found = rows_of(folder)
    assert [row.place for row in found] == [1, 2, 3]
    assert [row.fields["verdict"] for row in found] == ["SUPPORTS", "REFUTES", -1]  # -1: datasets' mark of no class
    assert found[0].fields["proof"] == ["a", "b"]


def test_plain_numbers_stay_numbers(tmp_path, datasets):
    pq.write_table(pa.table({"claim": ["a"], "verdict": [1]}), tmp_path / "train.parquet")
    assert rows_of(tmp_path) == [Row(1, {"claim": "a", "verdict": 1})]


def test_a_hub_dataset_is_a_corpus_like_any_other(folder):
    corpus = Corpus(
        hub=str(folder),
        map={"rating": "verdict", "evidence": "proof", "date": "when"},
        ratings={"SUPPORTS": "supported", "REFUTES": "refuted", "-1": None},
    )
    name = str(folder).replace("/", "_")
    claims, left_out = corpora.load([corpus])
    assert left_out == []
    assert claims == [
        Claim(
            claim="first",
            id=f"{name}:1",
            date="2020-01-08",
            evidence=(Evidence("a"), Evidence("b")),
            label="verified",
            stance="supported",
            rating="SUPPORTS",
            corpus=name,
        ),
        Claim(
            claim="second",
            id=f"{name}:2",
            date="2020-01-09",
            label="propaganda",
            stance="refuted",
            rating="REFUTES",
            corpus=name,
        ),
    ]


def test_a_class_that_no_map_knows_stops_the_reading(folder):
    corpus = Corpus(hub=str(folder), map={"rating": "verdict"}, ratings={"SUPPORTS": "supported"})
    with pytest.raises(
        DataError, match=r"a_set, row 2: expected a rating that the map knows \(SUPPORTS\), found 'REFUTES'"
    ):
        corpora.load([corpus])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"split": "test"}, "split 'test': Bad split: test"), ({"config": "other"}, "BuilderConfig 'other' not found")],
)
def test_a_split_or_config_that_is_not_there_is_named(folder, changes, problem):
    with pytest.raises(DataError, match=problem):
        rows_of(folder, **changes)


def test_a_dataset_that_is_not_there_is_named(tmp_path, datasets):
    with pytest.raises(DataError, match=r"none: cannot be read as a Hugging Face dataset, split 'train': "):
        rows_of(tmp_path / "none")
    with pytest.raises(DataError, match=r"nobody/nothing: cannot be read as a Hugging Face dataset, split 'train': "):
        rows_of("nobody/nothing")


def test_a_loading_script_is_never_run(tmp_path, datasets):
    folder = tmp_path / "script"
    folder.mkdir()
    (folder / "script.py").write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')\n")
    with pytest.raises(DataError, match="scripts are no longer supported"):
        rows_of(folder)
    assert not (tmp_path / "it-ran").exists()


def test_damaged_data_is_a_data_error(tmp_path, datasets):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="cannot be read as a Hugging Face dataset"):
        rows_of(tmp_path)
