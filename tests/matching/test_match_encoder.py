"""Vectors are those of the plain library, whatever stands beside a text, and are kept without being changed."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from claimsieve.errors import ConfigError, DataError, ModelError
from claimsieve.matching.encoder import embed, open_encoder
from claimsieve.matching.index import embedded_with
from claimsieve.matching.thresholds import KNOWN, MINILM, thresholds_of

TEXTS = [
    "Twenty-two missiles were fired at two air bases.",
    "No.",
    "The bridge over the Dnipro was destroyed by retreating troops, " * 3,
    "Masks reduce oxygen in the blood.",
]


@pytest.fixture(scope="module")
def minilm():
    return open_encoder(precision="float32", device="cpu")


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint):
    return open_encoder(str(tiny_checkpoint), precision="float32", device="cpu")


def test_vectors_are_the_mean_of_tokens_as_transformers_gives_them(minilm):
    import torch
    from transformers import AutoModel, AutoTokenizer

    from claimsieve.models.checkpoints import checkpoint_directory

    folder = checkpoint_directory("default")
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    found = embed(minilm, TEXTS).vectors.astype(np.float32)
    for text, vector in zip(TEXTS, found, strict=True):
        with torch.inference_mode():
            states = network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        expected = torch.nn.functional.normalize(states.mean(dim=0), dim=0).numpy()
        assert vector == pytest.approx(expected, abs=1e-3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-3)


def test_the_shipped_encoder_has_thresholds(minilm):
    assert minilm.fingerprint == MINILM
    by = thresholds_of(minilm.fingerprint)
    assert by == KNOWN[MINILM]
    assert 0 < by.suggested < by.similar < 1


def test_another_encoder_needs_thresholds_of_the_user(tiny):
    with pytest.raises(ConfigError, match="--similar and --suggest"):
        thresholds_of(tiny.fingerprint)
    assert thresholds_of(tiny.fingerprint, similar=0.9, suggested=0.7).similar == 0.9
    with pytest.raises(ConfigError, match="0 < suggest ≤ similar ≤ 1"):
        thresholds_of(tiny.fingerprint, similar=0.6, suggested=0.7)
    with pytest.raises(ConfigError, match="0 < suggest ≤ similar ≤ 1"):
        thresholds_of(MINILM, suggested=float("nan"))


def test_order_and_company_change_no_vector(tiny):
    texts = [f"the bridge was hit {number} times " * (1 + number % 5) for number in range(40)]
    forwards, backwards = embed(tiny, texts).vectors, embed(tiny, texts[::-1]).vectors[::-1]
    assert forwards.astype(np.float32) == pytest.approx(backwards.astype(np.float32), abs=2e-3)


def test_what_the_vocabulary_lacks_and_what_the_window_cuts_is_told(tiny):
    embedded = embed(tiny, ["the bridge was hit", "ဒုတိယ ကမ္ဘာစစ်", "the bridge " * 400])
    assert embedded.unread[0] == 0
    assert embedded.unread[1] > 0.5
    assert embedded.cut.tolist() == [False, False, True]


def test_the_folders_word_on_pooling_is_followed(tiny_checkpoint, tmp_path):
    import shutil

    folder = tmp_path / "encoder"
    shutil.copytree(tiny_checkpoint, folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = open_encoder(str(folder), precision="float32", device="cpu")
    assert first.pooling == "first"
    assert first.fingerprint != open_encoder(str(tiny_checkpoint), precision="float32", device="cpu").fingerprint
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(ModelError, match="found a layer 'Dense'"):
        open_encoder(str(folder))
    (folder / "modules.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="cannot be read"):
        open_encoder(str(folder))


def test_a_folder_that_is_no_encoder_is_told(tmp_path):
    save_file({"a": np.zeros(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be opened as an encoder"):
        open_encoder(str(tmp_path))


def test_an_index_gives_back_what_was_computed_and_grows(tiny, tmp_path):
    folder = tmp_path / "index"
    texts = [f"the bridge was hit {number} times" for number in range(20)]
    fresh, computed = embedded_with(folder, tiny, texts[:15])
    assert computed == 15
    again, computed = embedded_with(folder, tiny, texts[::-1])
    assert computed == 5
    assert (again.vectors[::-1][:15] == fresh.vectors).all()
    whole, computed = embedded_with(folder, tiny, texts)
    assert computed == 0
    assert (whole.vectors == again.vectors[::-1]).all()
    assert len(list(folder.iterdir())) == 2
    assert not [path for path in folder.iterdir() if path.suffix in (".pkl", ".npy", ".bin")]


def test_a_changed_index_is_refused(tiny, tmp_path):
    folder = tmp_path / "index"
    embedded_with(folder, tiny, ["the bridge was hit"])
    (path,) = folder.glob("vectors-*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match="SHA-256"):
        embedded_with(folder, tiny, ["the bridge was hit"])
    path.unlink()
    with pytest.raises(DataError, match="cannot be used"):
        embedded_with(folder, tiny, ["the bridge was hit"])


def test_an_index_that_lies_about_its_shape_is_refused(tiny, tmp_path):
    from claimsieve.models.checkpoints import sha256_of

    folder = tmp_path / "index"
    embedded_with(folder, tiny, ["the bridge was hit"])
    (path,) = folder.glob("vectors-*.safetensors")
    tensors = load_file(path)
    tensors["vectors"] = np.full((1, 32), np.nan, dtype=np.float16)
    save_file(tensors, path)
    digest = sha256_of(path)
    path.rename(folder / f"vectors-{digest[:16]}.safetensors")
    told = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(told | {"sha256": digest}))
    with pytest.raises(DataError, match="not finite"):
        embedded_with(folder, tiny, ["the bridge was hit"])
    (folder / "index.json").write_text(json.dumps(told | {"sha256": digest, "texts": 7}))
    with pytest.raises(DataError, match="another shape"):
        embedded_with(folder, tiny, ["the bridge was hit"])


@pytest.mark.parametrize("content", [b"[]", b"{", b"[" * 50_000, b"\xff"])
def test_an_index_that_is_none_is_refused(content, tiny, tmp_path):
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        embedded_with(tmp_path, tiny, ["the bridge was hit"])


def test_the_index_of_another_encoder_or_a_full_folder_is_refused(tiny, minilm, tmp_path):
    embedded_with(tmp_path / "index", tiny, ["the bridge was hit"])
    with pytest.raises(DataError, match="expected an index with encoder"):
        embedded_with(tmp_path / "index", minilm, ["the bridge was hit"])
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="found other files"):
        embedded_with(tmp_path, tiny, ["the bridge was hit"])
