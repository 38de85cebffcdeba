"""Whatever stands in a file, each of its rows is labelled or rejected, once and in order, in every form of output."""

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.data.packed import opened
from claimsieve.inference import windows
from claimsieve.inference.predict import Job, predict_file
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS
from rubbish import KINDS, PACKINGS, Written, rubbish

ROWS = 1_100  # of a file; times 10 forms and 2 outputs of each: 22,000
INPUTS = [f"{kind}{packing}" for kind in KINDS for packing in PACKINGS if kind != "parquet" or not packing]
OUTPUTS = ("jsonl", "csv.gz", "parquet", "tsv", "jsonl.zst", "csv", "zst.parquet", "tsv.zst", "jsonl.gz")
PAIRS = [(name, OUTPUTS[(2 * place + turn) % len(OUTPUTS)]) for place, name in enumerate(INPUTS) for turn in (0, 1)]


@pytest.fixture(scope="module")
def model(planted_claims: Path) -> TfidfModel:
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=300)
    list(trained.fit(claims, valid=claims))
    return trained


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "WINDOW_ROWS", 256)


def put(folder: Path, name: str, *, rows: int, seed: int = 0) -> list[Written]:
    """A file of this name, and what the generator says that it wrote."""
    kind, _, packing = name.partition(".")
    content, written = rubbish(Random(f"{name}{seed}"), kind, f".{packing}" if packing else "", rows=rows)
    (folder / f"in.{name}").write_bytes(content)
    return written


def rows_of(path: Path) -> list[dict[str, Any]]:
    """An output, read by other means than the code that writes it."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with opened(str(path)) as stream:
        text = stream.read().decode("utf-8")
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.removesuffix("\n").split("\n")] if text else []
    table = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if ".tsv" in path.name else ",", strict=True)
    header = next(table)
    return [dict(zip(header, cells, strict=True)) for cells in table]


def rejects_of(target: Path) -> list[dict[str, Any]]:
    path = Path(f"{target}.rejects.jsonl")
    return [json.loads(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def check(written: list[Written], labelled: list[str], rejected: list[int]) -> None:
    """written: by the generator. labelled: claims of the output. rejected: places of the rejects. All in order."""
    assert rejected == sorted(set(rejected))
    assert set(rejected) <= {row.place for row in written}
    assert {row.place for row in written if row.fields is None} <= set(rejected)
    left = [row.fields for row in written if row.place not in set(rejected)]
    assert labelled == [fields["claim"] for fields in left if fields is not None]


@pytest.mark.parametrize(("source", "output"), PAIRS)
def test_labelled_and_rejected_rows_are_all_that_was_written(model, tmp_path, source, output):
    written = put(tmp_path, source, rows=ROWS)
    target = tmp_path / f"out.{output}"
    tally = predict_file(model, Job(str(tmp_path / f"in.{source}"), str(target), csv_safe=False))
    rows, rejects = rows_of(target), rejects_of(target)
    assert (tally.read, tally.labelled, tally.rejected) == (len(written), len(rows), len(rejects))
    assert tally.read == tally.labelled + tally.rejected >= ROWS
    assert tally.labelled > ROWS / 5
    assert tally.rejected > ROWS / 10
    check(written, [row["claim"] for row in rows], [reject["place"] for reject in rejects])
    assert all(reject["reason"] for reject in rejects)
    for row in rows:
        shares = {label: float(row[f"p_{label}"]) for label in LABELS}
        assert sum(shares.values()) == pytest.approx(1, abs=3e-6)
        assert row["label"] == max(shares, key=shares.__getitem__)


@pytest.mark.parametrize("output", ["jsonl.gz", "csv", "parquet"])
def test_a_folder_of_every_kind_is_read_file_by_file(model, tmp_path, output):
    folder = tmp_path / "many"
    folder.mkdir()
    written = {str(folder / f"in.{name}"): put(folder, name, rows=100, seed=1) for name in INPUTS}
    target = tmp_path / f"out.{output}"
    tally = predict_file(model, Job(str(folder), str(target), csv_safe=False))
    rows, rejects = rows_of(target), rejects_of(target)
    assert tally.read == tally.labelled + tally.rejected == sum(map(len, written.values()))
    assert (tally.labelled, tally.rejected) == (len(rows), len(rejects))
    claims = [row["claim"] for row in rows]
    for name in sorted(written):
        places = [reject["place"] for reject in rejects if reject["file"] == name]
        count = len(written[name]) - len(places)
        check(written[name], claims[:count], places)
        claims = claims[count:]
    assert not claims
