import json
import math
import os
import platform
import shutil
from importlib.metadata import version

import numpy as np
import pytest

from claimsieve import __version__
from claimsieve.errors import ModelError
from claimsieve.models.artifacts import load_model, read_manifest, write_model
from claimsieve.models.checkpoints import sha256_of
from claimsieve.records import LABELS

KINDS = ("tfidf", "static", "encoder")  # those that are trained
EXTRA = {"evaluation.json": b'{"macro_f1": 0.9}\n', "plots/confusion.png": b"\x89PNG", "splits.jsonl": b"{}\n"}
CONFIG = "name: small\nseeds: [0]\n"


def write(model, directory, *, kind="tfidf", extra=EXTRA):
    return write_model(model, directory, kind=kind, config_yaml=CONFIG, data_fingerprint="d" * 64, seed=7, extra=extra)


def load(directory):
    return load_model(directory, precision="float32", device="cpu")


@pytest.fixture(scope="module")
def original(trained, tmp_path_factory):
    """One written model directory of each kind."""
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        write(trained(kind), folder / kind, kind=kind)
    return folder


@pytest.fixture
def directory(original, tmp_path):
    """A copy of the tfidf directory, to be spoilt."""
    return shutil.copytree(original / "tfidf", tmp_path / "model")


def edit_manifest(directory, **changes):
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def vouch(directory, **changes):
    """Make the manifest fit whatever lies there now, as somebody who wants to deceive would."""
    files = {
        path.relative_to(directory).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in directory.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    edit_manifest(directory, files=files, **changes)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_written_and_loaded_it_predicts_the_same(kind, original, trained, held_out):
    model, manifest = load(original / kind)
    expected = trained(kind).predict_proba(held_out)
    np.testing.assert_allclose(model.predict_proba(held_out), expected, rtol=0, atol=1e-6)
    assert model.inputs == trained(kind).inputs
    assert manifest.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_says_what_made_the_model(kind, original, trained):
    directory = original / kind
    data = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    assert data["labels"] == list(LABELS)
    assert data["inputs"] == ["claim", "evidence"]
    assert (data["format_version"], data["kind"], data["seed"]) == (1, kind, 7)
    assert data["data_fingerprint"] == "d" * 64
    assert data["settings"] == dict(trained(kind).settings())
    assert data["versions"]["python"] == platform.python_version()
    assert data["versions"]["claimsieve"] == __version__
    assert data["versions"]["torch"] == version("torch")
    assert data["files"].keys() == contents(directory).keys() - {"manifest.json"}
    for name, entry in data["files"].items():
        assert entry == {"sha256": sha256_of(directory / name), "bytes": (directory / name).stat().st_size}
    manifest = read_manifest(directory)
    assert manifest.fingerprint == sha256_of(directory / "manifest.json")
    assert (manifest.inputs, manifest.seed) == (("claim", "evidence"), 7)


@pytest.mark.parametrize("kind", KINDS)
def test_config_and_extra_files_lie_beside_the_weights_and_nothing_is_a_pickle(kind, original):
    found = contents(original / kind)
    assert found["config.yaml"].decode() == CONFIG
    assert {name: found[name] for name in EXTRA} == EXTRA
    assert not any(content.startswith((b"\x80", b"PK")) for content in found.values())
    assert [path.name for path in original.iterdir() if path.name.startswith(".")] == []


def test_others_may_read_the_directory(original):
    assert (original / "tfidf").stat().st_mode & 0o777 == 0o755


def test_two_models_from_the_same_bytes_have_one_fingerprint_and_another_seed_another(trained, tmp_path):
    prints = [write(trained("tfidf"), tmp_path / name).fingerprint for name in ("one", "two")]
    assert prints[0] == prints[1]
    other = write(trained("tfidf"), tmp_path / "three", extra={**EXTRA, "evaluation.json": b"{}"}).fingerprint
    assert other != prints[0]


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_byte_in_any_file_is_found_and_the_file_named(kind, original, tmp_path):
    directory = shutil.copytree(original / kind, tmp_path / "model")
    names = contents(directory).keys() - {"manifest.json"}
    assert len(names) >= 6
    for name in sorted(names):
        path = directory / name
        before = path.read_bytes()
        for place in (0, len(before) // 2, len(before) - 1):
            path.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
            with pytest.raises(ModelError, match=f"'{name}' is not what was saved"):
                load(directory)
        path.write_bytes(before + b"\n")
        with pytest.raises(ModelError, match=f"'{name}' is not what was saved"):
            load(directory)
        path.unlink()
        with pytest.raises(ModelError, match=f"expected '{name}', found nothing"):
            load(directory)
        path.write_bytes(before)
    load(directory)


@pytest.mark.parametrize("name", ["notes.txt", "weights/extra.json", "new/folder.md"])
def test_a_file_that_nobody_vouches_for_is_refused(name, directory):
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text("x")
    with pytest.raises(ModelError, match=f"'{name}' is not in the manifest. Remove it"):
        load(directory)


@pytest.mark.parametrize("name", ["model.pkl", "weights/pytorch_model.bin", "weights/x.pt", "x.PKL", "weights/run.py"])
@pytest.mark.parametrize("vouched", [False, True])
def test_a_kind_of_file_that_may_hide_a_pickle_is_refused_whoever_vouches(name, vouched, directory):
    (directory / name).write_bytes(b"\x80\x04.")
    if vouched:
        vouch(directory)
    with pytest.raises(ModelError, match=rf"'{name}' is of a kind that is never read \(pickle"):
        load(directory)


@pytest.mark.parametrize("vouched", [False, True])
def test_links_are_refused(vouched, directory, tmp_path):
    target = directory / "weights" / "model.safetensors"
    (directory / "weights" / "link.safetensors").symlink_to(target)
    if vouched:
        vouch(directory)
    with pytest.raises(ModelError, match=r"'weights/link\.safetensors' is a link"):
        load(directory)


def test_a_link_to_the_world_outside_is_refused(directory, tmp_path):
    path = directory / "weights" / "model.safetensors"
    outside = path.rename(tmp_path / "outside.safetensors")
    path.symlink_to(outside)
    with pytest.raises(ModelError, match=r"'weights/model\.safetensors', which lies outside the model directory"):
        load(directory)
    path.unlink()
    outside.rename(path)
    (directory / "folder").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ModelError, match="'folder' is a link"):
        load(directory)


@pytest.mark.parametrize("name", ["../x", "weights/../../x", "/etc/hostname", "..", "weights/\0x"])
def test_a_path_out_of_the_directory_is_refused_before_it_is_read(name, directory):
    (directory.parent / "x").write_text("secret")
    files = json.loads((directory / "manifest.json").read_text())["files"]
    edit_manifest(directory, files={name: {"sha256": "0" * 64, "bytes": 6}, **files})
    with pytest.raises(ModelError, match="which lies outside the model directory"):
        load(directory)


@pytest.mark.parametrize("name", ["weights/ring.json", "x" * 5_000, "weights/\ud800.json"])
def test_a_name_that_no_file_can_have_is_told(name, directory):
    (directory / "weights" / "ring.json").symlink_to("ring.json")
    files = json.loads((directory / "manifest.json").read_text())["files"]
    edit_manifest(directory, files={name: {"sha256": "0" * 64, "bytes": 6}, **files})
    with pytest.raises(ModelError, match=r"the manifest names .*, which cannot be read|expected '.*', found nothing"):
        load(directory)


@pytest.mark.parametrize("inputs", [["evidence"], ["bogus"], []])
def test_fields_that_are_none_or_not_those_of_the_settings_are_refused(inputs, directory):
    edit_manifest(directory, inputs=inputs)
    with pytest.raises(ModelError, match="expected one list of fields that the model reads"):
        load(directory)


def test_a_newer_format_asks_for_a_newer_claimsieve(directory):
    edit_manifest(directory, format_version=2)
    with pytest.raises(ModelError, match=r"format 2 is newer than 1.*Upgrade claimsieve"):
        load(directory)


@pytest.mark.parametrize("labels", [[], ["verified", "unverified"], ["propaganda", "unverified", "verified"]])
def test_other_labels_or_another_order_are_refused(labels, directory):
    edit_manifest(directory, labels=labels)
    with pytest.raises(ModelError, match="expected the labels verified, unverified, propaganda, found"):
        load(directory)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"null", b"7", b"[]", b"{}", b"[" * 100_000, b'{"format_version": "1"}'],
    ids=range(9),
)
def test_a_garbage_manifest_is_one_clear_error(content, directory):
    (directory / "manifest.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"manifest\.json: (cannot be read|not a manifest)"):
        load(directory)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"files": {"x": 1}},
        {"files": {"x": {"sha256": "", "bytes": math.inf}}},
        {"seed": math.inf},
        {"settings": 1},
        {"inputs": None},
        {"seed": "x"},
        {"labels": None},
    ],
    ids=str,
)
def test_a_manifest_with_parts_of_the_wrong_kind_is_one_clear_error(changes, directory):
    edit_manifest(directory, **changes)
    with pytest.raises(ModelError, match="not a manifest"):
        load(directory)


@pytest.mark.parametrize("key", ["format_version", "kind", "settings", "labels", "inputs", "seed", "files"])
def test_a_manifest_without_a_part_is_one_clear_error(key, directory):
    path = directory / "manifest.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    with pytest.raises(ModelError, match=f"not a manifest: KeyError '{key}'"):
        load(directory)


def test_a_folder_without_manifest_is_no_model(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ModelError, match=r"expected a model directory with manifest\.json, found none"):
            load(folder)


def test_an_unknown_kind_is_refused(directory):
    edit_manifest(directory, kind="os:system")
    with pytest.raises(ModelError, match="found 'os:system'"):
        load(directory)


@pytest.mark.parametrize("settings", [{"surprise": 1}, {}])
def test_settings_that_do_not_fit_the_kind_are_one_clear_error(settings, directory):
    edit_manifest(directory, settings=settings)
    with pytest.raises(ModelError, match="the tfidf model cannot be rebuilt"):
        load(directory)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"[]", b'{"x": 1}'], ids=str)
def test_garbage_that_the_manifest_vouches_for_is_one_clear_error(kind, content, original, tmp_path):
    directory = shutil.copytree(original / kind, tmp_path / "model")
    for name in sorted(contents(directory / "weights")):
        path = directory / "weights" / name
        before = path.read_bytes()
        path.write_bytes(content)
        vouch(directory)
        if name == "tokenizer_config.json" and content in (b"{}", b'{"x": 1}'):
            continue  # says nothing, and the tokenizer may do without
        with pytest.raises(ModelError, match=r"model\b"):
            load(directory)
        path.write_bytes(before)


@pytest.mark.parametrize("occupied", ["folder", "file"])
def test_what_is_there_is_never_overwritten(occupied, trained, tmp_path):
    target = tmp_path / "model"
    if occupied == "folder":
        target.mkdir()
        (target / "precious.txt").write_text("mine")
    else:
        target.write_text("mine")
    with pytest.raises(
        ModelError, match=r"expected a new or empty directory, found one in use\. Choose another with -o"
    ):
        write(trained("tfidf"), target)
    assert list(contents(tmp_path).values()) == [b"mine"]


def test_an_empty_folder_and_missing_parents_are_fine(trained, tmp_path):
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "a" / "b" / "model"):
        write(trained("tfidf"), target)
        load(target)


class Failing:
    """Writes half of itself, then the disk is full."""

    inputs = ("claim",)

    def __init__(self, error):
        self.error = error

    def settings(self):
        return {}

    def save(self, directory):
        (directory / "half.json").write_text("{")
        raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_while_saving_leaves_nothing_behind(error, existing, tmp_path):
    if existing:
        (tmp_path / "model").mkdir()
    # A full disk is a user's trouble, told as such; an interruption stays what it is.
    with pytest.raises(ModelError if isinstance(error, OSError) else KeyboardInterrupt):
        write(Failing(error), tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"] * existing
    assert contents(tmp_path) == {}


def test_the_directory_appears_whole_and_on_disk(trained, tmp_path, monkeypatch):
    """Everything is flushed before the one rename that makes it visible."""
    flushed, visible = [], []
    fsync = os.fsync
    monkeypatch.setattr("os.fsync", lambda number: (flushed.append((tmp_path / "model").exists()), fsync(number)))
    rename = type(tmp_path).rename

    def noted(self, target):
        visible.append(contents(self).keys())
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", noted)
    write(trained("tfidf"), tmp_path / "model")
    assert visible == [contents(tmp_path / "model").keys()]
    assert flushed == [False] * len(visible[0])
