"""The benchmark measures what it says: all rows, the same labels, sides in turns; no test asserts a time."""

import json

import pytest

from claimsieve.benchmarks import rivals
from claimsieve.benchmarks.inference import against_rivals, of_kind, scaling
from claimsieve.benchmarks.measures import take_turns
from claimsieve.benchmarks.table import markdown
from claimsieve.data.corpora import load_labelled
from claimsieve.models.artifacts import write_model
from claimsieve.models.encoder import EncoderModel
from claimsieve.models.loop import LoopSettings
from claimsieve.models.tfidf import TfidfModel


@pytest.fixture(scope="module")
def claims(planted_claims):
    return load_labelled(str(planted_claims))[0]


def saved(model, kind, claims, directory):
    list(model.fit(claims, valid=claims[:20]))
    write_model(model, directory, kind=kind, config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


@pytest.fixture(scope="module")
def encoder(claims, tiny_checkpoint, tmp_path_factory):
    model = EncoderModel(
        inputs=("claim", "evidence"), checkpoint=str(tiny_checkpoint), loop=LoopSettings(epochs=2, learning_rate=1e-3)
    )
    return saved(model, "encoder", claims, tmp_path_factory.mktemp("bench") / "encoder")


@pytest.fixture(scope="module")
def tfidf(claims, tmp_path_factory):
    return saved(TfidfModel(inputs=("claim", "evidence")), "tfidf", claims, tmp_path_factory.mktemp("bench") / "tfidf")


def test_sides_take_turns_and_the_first_round_is_not_kept():
    seen = []
    seconds, given = take_turns(
        {"a": lambda: seen.append("a") or 1, "b": lambda: seen.append("b") or 2}, repeats=2, say=lambda text: None
    )
    assert seen == ["a", "b"] * 3
    assert ({name: len(values) for name, values in seconds.items()}, given) == ({"a": 2, "b": 2}, {"a": 1, "b": 2})


def test_an_encoder_and_its_rivals_give_the_same_labels(encoder, claims, tmp_path, monkeypatch):
    monkeypatch.setattr(rivals, "PIPELINE_BATCHES", (1, 8))
    monkeypatch.setattr(rivals, "_cross_encoder", absent)
    monkeypatch.setattr(rivals, "_onnx_int8", absent)
    found = against_rivals(encoder, claims[:40], repeats=1, folder=tmp_path, say=lambda text: None)
    assert set(found["claims_per_second"]) == {"claimsieve", "pipeline, batches of 1", "pipeline, batches of 8"}
    assert found["labels_equal"] == {"pipeline, batches of 1": 1.0, "pipeline, batches of 8": 1.0}
    assert (found["claims"], found["labels_equal_to_float32"]) == (40, 1.0)
    assert 0 <= found["padding_share"] < 1
    assert 0 < found["commit_share"] < 1
    assert 0 < found["share_of_matrix_rate"] < 1


def absent(*_, **__):
    raise ImportError("not installed")


def test_files_of_growing_size_are_labelled_whole_and_told_in_a_table(tfidf, claims, tmp_path):
    rows = scaling(tfidf, claims, [10, 300], folder=tmp_path, say=lambda text: None)
    assert [row["rows"] for row in rows] == [10, 300]
    kind = of_kind(tfidf, claims, repeats=1, folder=tmp_path, say=lambda text: None)
    kind |= {"model": "mine", "data": "planted"}
    flags = dict.fromkeys(("amx_bfloat16", "avx512_bfloat16", "avx512_vnni"), False)
    machine = {"processor": "a processor", "cores": 2, "threads": 2, "versions": {"torch": "2"}, **flags}
    table = markdown({"machine": machine, "kinds": [kind], "scaling": {"tfidf": rows}})
    assert "| mine: tfidf (planted) | 120 |" in table
    assert "| 300 |" in table


def test_the_command_prints_a_table_and_writes_it(claimsieve, tfidf, planted_claims, tmp_path):
    output = tmp_path / "bench.md"
    code, out, _ = claimsieve(
        "bench", tfidf, "--claims", planted_claims, "--rows", 30, "--repeats", 1, "-o", output, "-q"
    )
    assert code == 0
    assert output.read_text() == out
    assert json.loads(output.with_suffix(".json").read_text())["kinds"][0]["claims"] == 30
    code, _, err = claimsieve("bench", tfidf, "--scaling", "many")
    assert code == 2
    assert "expected numbers of rows, such as 1000,10000" in err
