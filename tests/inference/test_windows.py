"""Windows end at the same places wherever one goes on, and what is said of a claim hangs on the claim alone."""

import csv
import io
import json
import random
from collections import Counter
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.cli.options import reject_limit
from claimsieve.data.corpora import load_labelled
from claimsieve.data.files import Reject, Row
from claimsieve.errors import ConfigError, DataError
from claimsieve.inference import windows
from claimsieve.inference.predict import Job, Tally, predict_file
from claimsieve.inference.windows import ItemReader
from claimsieve.models.encoder import EncoderModel
from claimsieve.models.loop import LoopSettings
from claimsieve.models.static import StaticModel
from claimsieve.models.tfidf import TfidfModel
from claimsieve.records import LABELS, Evidence

PROBABILITIES = tuple(f"p_{label}" for label in LABELS)
WORDS = ("bridge", "harbour", "confirm", "footage", "nobody", "shells", "older", "checked", "place", "officials")
MAX_TOKENS = 32


@pytest.fixture(scope="module")
def models(planted_claims, tiny_checkpoint):
    """One small model of each kind, trained for a few steps."""
    claims, _ = load_labelled(str(planted_claims))
    loop = LoopSettings(max_steps=3, batch_tokens=256, learning_rate=1e-2)
    common = {"inputs": ("claim", "evidence"), "checkpoint": str(tiny_checkpoint), "device": "cpu", "loop": loop}
    made = {
        "tfidf": TfidfModel(inputs=("claim", "evidence"), max_features=500),
        "static": StaticModel(**common, dimensions=8, hidden=8, max_tokens=MAX_TOKENS),
        "encoder": EncoderModel(**common, precision="float32", max_tokens=MAX_TOKENS),
    }
    for model in made.values():
        list(model.fit(claims, valid=claims[:9]))
    return made


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_ROWS", 8)


def written(path: Path, rows: list) -> str:
    """JSON Lines; a text stands there as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def made_rows(count: int, *, seed: int = 0) -> list[dict]:
    """Claims of which some occur twice, with evidence that fits the window or is much longer."""
    draw = random.Random(seed)
    texts = [" ".join(draw.choices(WORDS, k=5)) for _ in range(count // 2 + 1)]
    lengths = (0, 3, 12, 60)
    return [
        {
            "id": number,
            "claim": draw.choice(texts),
            "evidence": [" ".join(draw.choices(WORDS, k=length)) for length in draw.choices(lengths, k=2) if length],
        }
        for number in range(count)
    ]


def labelled(model, rows: list, folder: Path) -> list[dict]:
    target = folder / "out.jsonl"
    predict_file(model, Job(written(folder / "in.jsonl", rows), str(target)))
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


# --- windows

row_texts = st.one_of(
    st.integers(0, 60).map(lambda length: json.dumps({"claim": "x" * length})), st.sampled_from(["{", "[1]", "\0"])
)


@pytest.fixture(scope="module")
def any_file(tmp_path_factory):
    return tmp_path_factory.mktemp("windows") / "in.jsonl"


@given(st.lists(row_texts, max_size=30), st.integers(1, 7), st.integers(1, 120))
@settings(max_examples=150, deadline=None)
def test_windows_end_at_the_same_places_after_any_of_them(any_file, lines, rows, characters):
    source = written(any_file, lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW_ROWS", rows)
        patch.setattr(windows, "WINDOW_CHARACTERS", characters)
        whole = list(windows.windows(source))
        assert [window.number for window in whole] == list(range(len(whole)))
        assert [row.place for window in whole for row in window.rows] == list(range(1, len(lines) + 1))
        done = 0
        for number, window in enumerate(whole, start=1):
            done += len(window.rows)
            assert list(windows.windows(source, skip_parts=number, skip_rows=done)) == whole[number:]
    for window in whole:
        *before, last = (0 if isinstance(row, Reject) else len(row.fields["claim"]) for row in window.rows)
        assert len(window.rows) <= rows
        assert sum(before) < characters  # it ends with the row that fills it
        assert window is whole[-1] or len(window.rows) == rows or sum(before) + last >= characters


def test_long_rows_close_a_window_early_in_whatever_column_they_are_long(tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_CHARACTERS", 100)
    short = {"claim": "x"}
    rows = [short, {"claim": "x" * 100}, short, {"claim": "x", "note": "y" * 100}, {"claim": "x", "more": ["z"] * 40}]
    source = written(tmp_path / "in.jsonl", rows)
    assert [len(window.rows) for window in windows.windows(source)] == [2, 2, 1]


def test_a_recipe_is_cut_like_a_file(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_ROWS", 5)
    whole = list(windows.windows("recipe:demo"))
    assert {len(window.rows) for window in whole[:-1]} == {5}
    assert list(windows.windows("recipe:demo", skip_parts=2, skip_rows=10)) == whole[2:]


def test_what_the_model_does_not_see_is_carried_along_unread(tmp_path):
    row = {"claim": "hit", "date": "last week", "evidence": [3], "source": {"name": "x"}}
    (window,) = windows.windows(written(tmp_path / "in.jsonl", [row]))
    item = ItemReader("in.jsonl", {}, ("claim",))(window.rows[0])
    assert (item.claim.claim, item.claim.evidence, item.claim.date, item.fields) == ("hit", (), None, row)
    reject = ItemReader("in.jsonl", {}, ("claim", "evidence"))(window.rows[0])
    assert (reject.place, reject.reason) == (1, "expected an evidence passage as text or object, found a number")


def test_of_a_passage_only_what_the_model_sees_has_to_be_in_order(tmp_path):
    row = {"claim": "hit", "evidence": [{"text": "a", "date": "12 March", "url": 7}, "b"]}
    whole = {"claim": "hit", "evidence": {"text": "a", "date": "2020-03", "url": "http://a"}}
    first, second = (
        row for window in windows.windows(written(tmp_path / "in.jsonl", [row, whole])) for row in window.rows
    )
    read = ItemReader("in.jsonl", {}, ("claim", "evidence"))
    assert [passage.text for passage in read(first).claim.evidence] == ["a", "b"]
    assert read(second).claim.evidence == (Evidence("a", date="2020-03", url="http://a"),)
    reject = ItemReader("in.jsonl", {}, ("claim", "evidence", "date"))(first)
    assert "evidence date" in reject.reason


def test_a_whole_number_that_a_table_made_a_float_is_an_id(tmp_path):
    first, second = (
        row
        for window in windows.windows(
            written(tmp_path / "in.jsonl", [{"claim": "a", "id": 3.0}, {"claim": "a", "id": 3.5}])
        )
        for row in window.rows
    )
    read = ItemReader("in.jsonl", {}, ("claim",))
    assert read(first).claim.id == "3"
    assert "whole number in 'id'" in read(second).reason


def test_a_folder_called_like_a_file_is_a_folder(tmp_path):
    (tmp_path / "claims.jsonl").mkdir()
    (tmp_path / "claims.jsonl" / "part.csv").write_text('claim,evidence\nhit,"[{""text"": ""a""}]"\n')
    source = str(tmp_path / "claims.jsonl")
    ((row,),) = (window.rows for window in windows.windows(source))
    assert ItemReader(source, {}, ("claim", "evidence"))(row).claim.evidence == (Evidence("a"),)


# --- what is said of a claim hangs on the claim alone


@pytest.mark.parametrize(("kind", "tolerance"), [("tfidf", 0), ("static", 1e-5), ("encoder", 1e-5)])
def test_neighbours_repeats_and_order_change_nothing(models, tmp_path, small_windows, kind, tolerance):
    rows, others = made_rows(24), made_rows(20, seed=1)
    draw = random.Random(2)
    rows_of = {row["id"]: row for row in labelled(models[kind], rows, tmp_path)}
    mixtures = [
        draw.sample(rows, len(rows)),
        [row for row in rows for _ in range(2)],
        [{**row, "note": "n" * draw.randint(0, 300)} for row in rows[::7]],
        draw.sample([*rows, *({**other, "id": None} for other in others), "not json"], len(rows) + len(others) + 1),
    ]
    seen = 0
    for mixture in mixtures:
        for row in labelled(models[kind], mixture, tmp_path):
            if row["id"] is not None:
                alone = [rows_of[row["id"]][name] for name in PROBABILITIES]
                np.testing.assert_allclose([row[name] for name in PROBABILITIES], alone, rtol=0, atol=tolerance)
                seen += 1
    assert seen == 24 + 48 + 4 + 24
    # The answers do differ between claims; else nothing would have been seen.
    assert len({row["p_verified"] for row in rows_of.values()}) > 8


@pytest.mark.parametrize("kind", ["tfidf", "static", "encoder"])
def test_a_file_says_of_each_claim_what_the_model_says_of_it_alone(models, tmp_path, small_windows, kind):
    rows = made_rows(16)
    reader = ItemReader("in.jsonl", {}, models[kind].inputs)
    items = [reader(row) for window in windows.windows(written(tmp_path / "a.jsonl", rows)) for row in window.rows]
    for row, item in zip(labelled(models[kind], rows, tmp_path), items, strict=True):
        (alone,) = models[kind].predict_proba([item.claim])
        np.testing.assert_allclose([row[name] for name in PROBABILITIES], alone, rtol=0, atol=1e-5)


# --- the tally


@pytest.mark.parametrize("kind", ["tfidf", "static", "encoder"])
def test_the_tally_counts_rows_and_different_inputs(models, tmp_path, small_windows, kind):
    """split and cut are of inputs that are computed, so a repeated one counts once."""
    long = 2_000 if kind == "tfidf" else 2 * MAX_TOKENS
    book, short = " ".join(["older"] * long), "footage"
    rows = [
        {"claim": "bridge", "evidence": short},
        {"claim": "bridge"},
        {"claim": "bridge", "evidence": book},
        {"claim": "bridge", "evidence": [book, short]},
        {"claim": book, "evidence": short},
        {"claim": f"{book} more"},
    ]
    bad = ["not json", '{"claim": ""}']
    repeated = [*rows, *bad, *rows, *rows]
    tally = predict_file(models[kind], Job(written(tmp_path / "in.jsonl", repeated), str(tmp_path / "out.jsonl")))
    cut = 0 if kind == "tfidf" else 2
    assert tally == Tally(
        read=20, labelled=18, rejected=2, rejects_file=f"{tmp_path / 'out.jsonl'}.rejects.jsonl",
        without_evidence=6, repeated=12, split=2, cut=cut,
    )  # fmt: skip


SOURCES = ("in.jsonl", "in.csv", "in.tsv", "in.csv.gz", "in.jsonl.gz", "in.parquet")
TARGETS = (
    *("out.jsonl", "out.csv", "out.tsv", "out.parquet", "out.zst.parquet"),
    *("out.jsonl.gz", "out.csv.gz", "out.tsv.zst", "out.jsonl.zst"),
)


def put(path: Path, rows: list[dict]) -> str:
    """Rows in the format of the name; a row without a claim is one that cannot be read."""
    import gzip

    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return str(path)
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    text = io.StringIO()
    if kind == "jsonl":
        text.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def got(path: Path) -> list[dict]:
    """Rows of an output, by readers that are not ours; cells as text."""
    if path.suffix == ".parquet":
        return [{name: str(value) for name, value in row.items()} for row in pq.read_table(path).to_pylist()]
    packing = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    with pa.input_stream(path, compression=packing) as stream:
        text = stream.read().decode()
    kind = next(kind for kind in ("jsonl", "csv", "tsv") if f".{kind}" in path.name)
    if kind == "jsonl":
        return [{name: str(value) for name, value in json.loads(line).items()} for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if kind == "tsv" else ",", strict=True))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_every_format_becomes_every_format(models, tmp_path, small_windows, source, target):
    draw = random.Random(5)
    rows = [{"id": str(n), "claim": "" if n % 9 == 4 else draw.choice(WORDS), "evidence": "older"} for n in range(40)]
    tally = predict_file(models["tfidf"], Job(put(tmp_path / source, rows), str(tmp_path / target)))
    good = [row for row in rows if row["claim"]]
    found = got(tmp_path / target)
    assert [{name: row[name] for name in rows[0]} for row in found] == good
    assert (tally.read, tally.labelled, tally.rejected) == (40, len(good), 40 - len(good))
    rejects = (tmp_path / f"{target}.rejects.jsonl").read_text().splitlines()
    assert tally.read == len(found) + len(rejects)
    assert tally.repeated == len(good) - len({row["claim"] for row in good})
    straight = labelled(models["tfidf"], good, tmp_path)
    assert [[float(row[name]) for name in PROBABILITIES] for row in found] == [
        [row[name] for name in PROBABILITIES] for row in straight
    ]


# --- how many rejects are too many


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 1_000))
@settings(max_examples=500, deadline=None)
def test_a_limit_is_the_most_that_is_allowed(read, rejected, limit):
    rejected = min(read, rejected)
    assert reject_limit(str(limit))(read, rejected) == (rejected > limit)
    share = f"{limit / 10:.1f}%"
    assert reject_limit(share)(read, rejected) == (rejected > read * Fraction(limit, 1_000))
    assert not reject_limit(None)(read, rejected)


@given(st.integers(0, 1_000), st.integers(1, 20))
def test_exactly_the_share_is_allowed_and_one_more_is_not(limit, thousands):
    """83.1 % of 3,000 rows are 2,493, although 3000 * 83.1 / 100 is a little less."""
    tell = reject_limit(f"{limit / 10:.1f}%")
    assert not tell(thousands * 1_000, thousands * limit)
    assert tell(thousands * 1_000, thousands * limit + 1)


@pytest.mark.parametrize(
    "text", ["", "%", "-1", "-1%", "101%", "1.5", "nan", "nan%", "inf", "inf%", "1/0%", "many", "5%%"]
)
def test_another_limit_is_refused(text):
    with pytest.raises(ConfigError, match=r"--max-rejects .*: expected a number of rows or a share, such as 100 or 5%"):
        reject_limit(text)


ROWS = [{"claim": "x"}] * 9 + ["not json"] + [{"claim": "y"}] * 9 + ["not json"]  # 2 of 20


@pytest.mark.parametrize(
    ("limit", "told"),
    [("0", (16, 1)), ("1", (20, 2)), ("0%", (16, 1)), ("6%", (16, 1)), ("7%", (20, 2)), ("9.9%", (20, 2))],
)
def test_too_many_rejects_stop_a_job_and_the_same_command_stops_again(models, tmp_path, small_windows, limit, told):
    target = tmp_path / "out.jsonl"
    job = Job(written(tmp_path / "in.jsonl", ROWS), str(target), max_rejects=reject_limit(limit))
    message = rf"expected fewer rejected rows, found {told[1]} in the first {told[0]}\..*--restart.*--max-rejects"
    for _ in range(3):
        with pytest.raises(DataError, match=message):
            predict_file(models["tfidf"], job)
        assert not target.exists()
    rejects = (tmp_path / "out.jsonl.partial" / "rejects").read_text().splitlines()
    assert [json.loads(line)["place"] for line in rejects] == [10, 20][: told[1]]
    # Allowed more, the same command goes on; the result is that of one that never stopped.
    tally = predict_file(models["tfidf"], Job(job.source, str(target), max_rejects=reject_limit("2")))
    assert (tally.read, tally.labelled, tally.rejected) == (20, 18, 2)
    whole = predict_file(models["tfidf"], Job(job.source, str(tmp_path / "whole.jsonl")))
    assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert tally.counts() == whole.counts()


@pytest.mark.parametrize("limit", ["2", "10%", "100%", "100", None])
def test_as_many_rejects_as_are_allowed_stop_nothing(models, tmp_path, limit):
    job = Job(written(tmp_path / "in.jsonl", ROWS), str(tmp_path / "out.jsonl"), max_rejects=reject_limit(limit))
    assert predict_file(models["tfidf"], job).rejected == 2


def test_a_tally_adds_up_by_name():
    first = Tally(read=3, labelled=2, rejected=1, rejects_file="x")
    added = first + {"read": 4, "labelled": 4, "split": 2, "cut": 1}
    assert asdict(added) == asdict(first) | {"read": 7, "labelled": 6, "split": 2, "cut": 1}
    assert Counter(first.counts()) == Counter({"read": 3, "labelled": 2, "rejected": 1}) | Counter()
    assert set(first.counts()) == set(asdict(first)) - {"rejects_file"}


def test_a_year_may_be_a_number(tmp_path):
    rows = [{"claim": "a", "date": date} for date in (2020, 2020.0, "2020", 20200108, True)]
    read = ItemReader("in.jsonl", {}, ("claim", "date"))
    found = [read(row) for window in windows.windows(written(tmp_path / "in.jsonl", rows)) for row in window.rows]
    assert [item.claim.date for item in found[:3]] == ["2020"] * 3
    assert not any(item.is_date_unreadable for item in found[:3])
    assert all("expected 'date'" in reject.reason for reject in found[3:])
    assert ItemReader("in.jsonl", {}, ("claim",))(Row(1, rows[3])).is_date_unreadable
