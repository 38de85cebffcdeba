import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from claimsieve.errors import ModelError
from claimsieve.models.distillation import distilled
from claimsieve.models.static import StaticModel, StaticNetwork
from claimsieve.records import Claim, Evidence


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "claimsieve"


@pytest.fixture
def copied(tiny_bert, tmp_path):
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy"))


def test_a_checkpoint_is_distilled_once(cache, tiny_bert, monkeypatch):
    tokenizer, embedding = distilled(tiny_bert, dimensions=16)
    assert embedding.shape == (tokenizer.get_vocab_size(), 16)
    assert embedding.dtype == torch.float32
    assert embedding.isfinite().all()
    monkeypatch.delattr("model2vec.distill.distill_from_model")  # the second time, nothing is there to do it with
    again_tokenizer, again = distilled(tiny_bert, dimensions=16)
    assert torch.equal(embedding, again)
    assert again_tokenizer.to_str() == tokenizer.to_str()


def test_the_cache_holds_whole_folders_and_no_pickle(cache, tiny_bert):
    distilled(tiny_bert, dimensions=16)
    (folder,) = cache.iterdir()
    assert {path.name for path in folder.iterdir()} == {"tokenizer.json", "model.safetensors"}


def test_other_dimensions_and_other_weights_are_distilled_afresh(cache, tiny_bert, copied):
    first = distilled(tiny_bert, dimensions=16)[1]
    assert distilled(tiny_bert, dimensions=8)[1].shape == (len(first), 8)
    path = copied / "model.safetensors"
    torch.manual_seed(1)
    save_file({n: t + 0.1 * torch.randn_like(t) for n, t in load_file(path).items()}, path, metadata={"format": "pt"})
    assert not torch.equal(distilled(str(copied), dimensions=16)[1], first)
    assert len(list(cache.iterdir())) == 3


def test_the_same_weights_elsewhere_are_found_in_the_cache(cache, tiny_bert, copied, monkeypatch):
    first = distilled(tiny_bert, dimensions=16)[1]
    monkeypatch.delattr("model2vec.distill.distill_from_model")
    assert torch.equal(distilled(str(copied), dimensions=16)[1], first)


def test_a_failed_distillation_leaves_nothing_in_the_cache(cache, copied):
    (copied / "config.json").unlink()
    with pytest.raises(ModelError, match="copy: cannot be distilled"):
        distilled(str(copied), dimensions=16)
    assert not cache.exists() or list(cache.iterdir()) == []


def test_a_process_that_was_quicker_wins(cache, tiny_bert, monkeypatch):
    """Between the look and the rename, another process has put the folder there."""
    first = distilled(tiny_bert, dimensions=16)[1]
    (folder,) = cache.iterdir()
    hidden = folder.rename(cache.parent / "hidden")

    rename = Path.rename

    def beaten(self, target):
        if target == folder:
            shutil.copytree(hidden, folder)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", beaten)
    assert torch.equal(distilled(tiny_bert, dimensions=16)[1], first)
    assert list(cache.iterdir()) == [folder]


def test_more_dimensions_than_the_checkpoint_has_are_as_many_as_it_has(cache, tiny_bert):
    assert distilled(tiny_bert, dimensions=256)[1].shape[1] == 32


def test_pickled_weights_are_not_read_even_beside_other_safetensors(cache, copied):
    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").rename(copied / "adapter.safetensors")
    with pytest.raises(ModelError, match="cannot be distilled"):
        distilled(str(copied), dimensions=16)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_garbage_in_a_checkpoint_is_one_clear_error(name, cache, copied):
    (copied / name).write_bytes(b"garbage")
    with pytest.raises(ModelError, match="cannot be distilled"):
        distilled(str(copied), dimensions=16)


def test_the_network_reads_means_and_an_empty_side_is_zero():
    embedding = torch.arange(8.0).reshape(4, 2)
    network = StaticNetwork(embedding.clone(), hidden=4, dropout=0.0)
    seen = []
    network.head.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    ids, starts = torch.tensor([0, 1, 3]), torch.tensor([0, 2])
    nothing = torch.tensor([], dtype=torch.long)
    network(ids, starts, nothing, torch.tensor([0, 0]))
    u = torch.stack([embedding[:2].mean(dim=0), embedding[3]])
    torch.testing.assert_close(seen[0], torch.cat([u, torch.zeros_like(u), u, torch.zeros_like(u)], dim=1))


def test_the_embeddings_are_trained_too(model_of, train, valid, tiny_bert, tmp_path):
    model = model_of("static", loop={"epochs": 1})
    list(model.fit(train, valid=valid))
    model.save(tmp_path)
    before = distilled(tiny_bert, dimensions=16)[1]
    after = load_file(tmp_path / "model.safetensors")["embedding.weight"]
    assert before.shape == after.shape
    assert not torch.equal(before, after)


def test_of_a_long_claim_the_end_is_not_read_and_of_long_evidence_all_is(model_of, train, valid):
    model = model_of("static", max_tokens=8, loop={"max_steps": 2})
    list(model.fit(train, valid=valid))
    claims = [
        Claim("bridge " * 8 + end, evidence=(Evidence("river " * 8 + last),))
        for end, last in (("confirmed", "denied"), ("denied", "denied"), ("denied", "confirmed"))
    ]
    same, alike, other = model.predict_proba(claims)
    np.testing.assert_allclose(same, alike, atol=1e-7)
    assert np.abs(other - alike).max() > 1e-6
    encoded = model.encode(claims)
    assert (encoded.count, len(encoded.in_pieces), len(encoded.cut)) == (3, 3, 3)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_spoilt_model_is_one_clear_error(name, trained, tmp_path):
    trained("static").save(tmp_path)
    (tmp_path / name).write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a static model"):
        StaticModel.load(tmp_path, device="cpu", **trained("static").settings())


def test_another_width_of_the_head_is_one_clear_error(trained, tmp_path):
    trained("static").save(tmp_path)
    with pytest.raises(ModelError, match="not a static model"):
        StaticModel.load(tmp_path, device="cpu", inputs=["claim"], hidden=33)
