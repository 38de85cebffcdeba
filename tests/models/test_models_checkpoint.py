import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from claimsieve.errors import TrainingError
from claimsieve.models.checkpoint import Checkpoint
from claimsieve.models.step import State

IDENTITY = {"config": {"model": {"kind": "static"}, "epochs": 3}, "data": "abc", "seed": 0}
WAYS = {
    "encoder": {"kind": "encoder"},
    "encoder with dropout": {"kind": "encoder", "dropout": 0.3},
    "encoder in bfloat16": {"kind": "encoder", "precision": "bfloat16"},
    "static with dropout": {"kind": "static", "dropout": 0.3},
}


def a_state(number=1):
    return State({"master.0": torch.full((2, 3), float(number))}, {"number": number, "best_score": [0.1 + 0.2, -1e-9]})


def checkpoint_in(folder, *, resume=True, **changed):
    return Checkpoint(folder, identity={**IDENTITY, **changed}, resume=resume)


def weights_of(model, folder):
    folder.mkdir(parents=True)
    model.save(folder)
    return load_file(folder / "model.safetensors")


def equal(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_was_stopped_ends_with_the_same_bits(way, model_of, train, valid, tmp_path):
    rows = train[:60]

    def new(loop):
        torch.manual_seed(4321)  # whatever was drawn before must not matter
        return model_of(**WAYS[way], loop={"epochs": 3, "batch_tokens": 256, "evaluations_per_epoch": 2, **loop})

    def stops(loop):
        """The steps of a whole training, with a checkpoint on disk after each."""
        steps = []
        model = new(loop)
        for step in model.fit(rows, valid=valid):
            checkpoint_in(tmp_path / f"stop-{step.number}").write(step.state())
            steps.append(step)
        return steps, model

    reference = new({})
    straight = [step.loss for step in reference.fit(rows, valid=valid)]
    weights = weights_of(reference, tmp_path / "reference")
    steps, watched = stops({})
    assert equal(weights_of(watched, tmp_path / "watched"), weights)  # writing checkpoints changes nothing

    evaluated = [step.number for step in steps if step.valid]
    assert len(evaluated) == 6
    chosen = {1, evaluated[1] - 1, evaluated[1], evaluated[1] + 1, evaluated[-1] - 1, evaluated[-1]}
    for number in sorted(chosen):
        resumed = new({})
        state = checkpoint_in(tmp_path / f"stop-{number}").read()
        losses = [step.loss for step in resumed.fit(rows, valid=valid, state=state)]
        assert losses == straight[number:]
        assert equal(weights_of(resumed, tmp_path / f"resumed-{number}"), weights)


@pytest.mark.parametrize("kind", ["static", "encoder"])
def test_a_training_that_stopped_early_stays_stopped(kind, model_of, train, valid, tmp_path):
    loop = {"epochs": 40, "learning_rate": 1e-9, "patience_evaluations": 1, "max_steps": 90}
    model = model_of(kind, loop=loop, seed=3)
    steps = []
    for step in model.fit(train[:30], valid=[claim for claim in valid if claim.label == "verified"][:1]):
        steps.append(step)
        if step.number > 1:
            checkpoint_in(tmp_path / "stop").write(step.state())
    assert 1 < len(steps) < steps[-1].total
    resumed = model_of(kind, loop=loop, seed=3)
    rest = list(resumed.fit(train[:30], valid=valid, state=checkpoint_in(tmp_path / "stop").read()))
    assert rest == []
    assert equal(weights_of(resumed, tmp_path / "resumed"), weights_of(model, tmp_path / "model"))


def test_what_was_written_is_read_bit_for_bit(tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    state = checkpoint_in(tmp_path / "t").read()
    assert state.values == a_state().values
    assert equal(state.tensors, a_state().tensors)


def test_files_of_somebody_else_stay(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "corpus.csv").write_text("precious")
    checkpoint = checkpoint_in(tmp_path / "t", resume=False)
    checkpoint.write(a_state())
    checkpoint.remove()
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["corpus.csv"]


def test_the_id_of_the_tracked_run_is_kept_with_it(tmp_path):
    checkpoint = checkpoint_in(tmp_path / "t")
    assert checkpoint.run_id is None
    checkpoint.run_id = "run-7"
    checkpoint.write(a_state())
    assert checkpoint_in(tmp_path / "t").run_id == "run-7"


def test_nothing_there_is_nothing_to_go_on_from(tmp_path):
    assert checkpoint_in(tmp_path / "t").read() is None


def test_a_fresh_start_removes_what_was_there(tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    assert checkpoint_in(tmp_path / "t", resume=False).read() is None
    assert not (tmp_path / "t").exists()


def test_the_end_of_the_training_removes_it_and_leaves_the_neighbours(tmp_path):
    (tmp_path / "model.txt").write_text("kept")
    checkpoint = checkpoint_in(tmp_path / "t")
    checkpoint.write(a_state())
    checkpoint.remove()
    checkpoint.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["model.txt"]


def test_a_kind_without_tensors_leaves_no_checkpoint(model_of, train, valid, tmp_path):
    (step,) = model_of("tfidf").fit(train, valid=valid)
    checkpoint_in(tmp_path / "t").write(step.state())
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "had another seed. Train without --resume"),
        ({"data": "abd"}, "had another data. "),
        ({"config": {"model": {"kind": "static"}, "epochs": 4}}, "had another config. "),
        ({"seed": 1, "data": "x"}, "had another data and another seed. "),
    ],
)
def test_another_training_is_refused_and_what_differs_is_named(changed, message, tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    with pytest.raises(TrainingError, match=message):
        checkpoint_in(tmp_path / "t", **changed).read()
    assert checkpoint_in(tmp_path / "t").read() is not None


def test_a_checkpoint_of_another_version_is_told_from_another_training(tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    with pytest.raises(TrainingError, match="expected a checkpoint that tells its rows, found one of another version"):
        checkpoint_in(tmp_path / "t", rows="abc").read()


def test_the_identity_is_compared_as_json_has_it(tmp_path):
    checkpoint_in(tmp_path / "t", shape=(1, 2)).write(a_state())
    assert checkpoint_in(tmp_path / "t", shape=[1, 2]).read() is not None


def torn(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("spoil", [torn, lambda content: b"", lambda content: b"\x80\x04garbage" * 9], ids=range(3))
def test_a_torn_checkpoint_is_refused_with_a_way_out(spoil, tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    path = tmp_path / "t" / "state.safetensors"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(TrainingError, match=r"state\.safetensors: cannot be read .*Train without --resume"):
        checkpoint_in(tmp_path / "t").read()


@pytest.mark.parametrize(
    "metadata", [None, {"values": "{}"}, {"values": "{", "identity": "{}"}, {"values": "{}", "identity": "[]"}], ids=str
)
def test_a_file_of_another_hand_is_refused(metadata, tmp_path):
    (tmp_path / "t").mkdir()
    save_file({"x": torch.ones(1)}, tmp_path / "t" / "state.safetensors", metadata=metadata)
    with pytest.raises(TrainingError, match=r"cannot be read .*Train without --resume"):
        checkpoint_in(tmp_path / "t").read()


@pytest.mark.parametrize("content", ["", '{"run_', "[]", "{}", "7"])
def test_a_torn_run_id_is_refused_with_a_way_out(content, tmp_path):
    checkpoint_in(tmp_path / "t").write(a_state())
    (tmp_path / "t" / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"run\.json: cannot be read .*Train without --resume"):
        checkpoint_in(tmp_path / "t")
    assert checkpoint_in(tmp_path / "t", resume=False).run_id is None


def test_a_full_disk_in_the_middle_of_writing_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    checkpoint = checkpoint_in(tmp_path / "t")
    checkpoint.run_id = "run-7"
    checkpoint.write(a_state(1))
    before = {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    assert before.keys() == {"state.safetensors", "run.json"}

    def half(tensors, path, metadata=None):
        path.write_bytes(before["state.safetensors"][:20])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("safetensors.torch.save_file", half)
        with pytest.raises(OSError, match="No space"):
            checkpoint.write(a_state(2))
    assert all((tmp_path / "t" / name).read_bytes() == content for name, content in before.items())
    again = checkpoint_in(tmp_path / "t")
    assert (again.run_id, again.read().values["number"]) == ("run-7", 1)
    again.write(a_state(3))
    assert {path.name for path in (tmp_path / "t").iterdir()} == before.keys()


def test_no_reader_ever_sees_half_a_file(tmp_path, monkeypatch):
    """Both files come into being by a rename of a whole one."""
    whole = {}
    replace = type(tmp_path).replace

    def noted(self, target):
        whole[target.name] = self.read_bytes()
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", noted)
    checkpoint_in(tmp_path / "t").write(a_state())
    assert whole == {path.name: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    assert json.loads(whole["run.json"]) == {"run_id": None}
