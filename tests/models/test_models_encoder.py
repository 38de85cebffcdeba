import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from claimsieve.errors import ModelError
from claimsieve.models.encoder import EncoderModel
from claimsieve.records import LABELS, Claim, Evidence

ARCHITECTURES = ("bert", "distilbert", "roberta", "deberta-v2")  # with and without segments, pooler, absolute places
LONG = Claim("bridge " * 2800, evidence=(Evidence("river confirmed " * 500),), label="verified")


def fitted(model, train, valid):
    return list(model.fit(train, valid=valid))


def load(folder, model, *, precision="float32"):
    return EncoderModel.load(folder, precision=precision, device="cpu", **model.settings())


def saved(model, folder):
    folder.mkdir(exist_ok=True)
    model.save(folder)
    return folder


@pytest.fixture
def copied(tiny_bert, tmp_path):
    """A copy of the tiny BERT, to be spoilt."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy"))


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_architecture_learns_is_saved_and_is_loaded(
    architecture, model_of, checkpoint_of, train, valid, held_out, tmp_path
):
    model = model_of("encoder", checkpoint=checkpoint_of(architecture), loop={"epochs": 16, "batch_tokens": 256})
    fitted(model, train, valid)
    probabilities = model.predict_proba(held_out)
    assert np.mean([LABELS[p] == c.label for p, c in zip(probabilities.argmax(axis=1), held_out, strict=True)]) > 0.9
    again = load(saved(model, tmp_path / "saved"), model)
    np.testing.assert_allclose(again.predict_proba(held_out), probabilities, rtol=0, atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_more_tokens_than_the_checkpoint_has_places_for_are_cut(
    architecture, model_of, checkpoint_of, train, valid, tmp_path
):
    model = model_of("encoder", checkpoint=checkpoint_of(architecture), max_tokens=512, loop={"max_steps": 2})
    fitted(model, [*train[:9], LONG], valid)
    # RoBERTa's first place is that of the padding.
    assert model.settings()["max_tokens"] == (63 if architecture == "roberta" else 64)
    again = load(saved(model, tmp_path / "saved"), model)
    np.testing.assert_allclose(again.predict_proba([LONG]), model.predict_proba([LONG]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_dropout_replaces_every_rate_of_the_checkpoint(architecture, model_of, checkpoint_of, train, valid, tmp_path):
    model = model_of("encoder", checkpoint=checkpoint_of(architecture), dropout=0.25, loop={"max_steps": 1})
    fitted(model, train[:9], valid)
    after = json.loads((saved(model, tmp_path / "saved") / "config.json").read_text())
    rates = {name: value for name, value in after.items() if "dropout" in name and value is not None}
    assert len(rates) >= 2
    assert set(rates.values()) == {0.25}


def test_dropout_makes_training_random_and_leaves_predictions_alone(model_of, train, valid, held_out):
    model = model_of("encoder", dropout=0.5, loop={"max_steps": 2})
    fitted(model, train[:30], valid)
    np.testing.assert_array_equal(model.predict_proba(held_out), model.predict_proba(held_out))


def test_the_labels_travel_by_name(trained, tmp_path):
    config = json.loads((saved(trained("encoder"), tmp_path) / "config.json").read_text())
    assert config["id2label"] == {str(place): label for place, label in enumerate(LABELS)}


@pytest.mark.parametrize(("max_tokens", "cut"), [(8, 7), (12, 3), (13, 2), (64, 2)])
def test_the_notes_count_the_pairs_that_are_cut(max_tokens, cut, model_of, valid):
    """[CLS] claim [SEP] evidence [SEP]: three tokens more than there are words. Exactly full counts as cut."""
    words = [3, 3, 6, 6, 6, 6, 9]  # of claim and evidence together
    claims = [
        *(
            Claim("bridge " * (count - 1), evidence=(Evidence("confirmed"),), label=LABELS[place % 2])
            for place, count in enumerate(words)
        ),
        LONG,
        LONG,
    ]
    steps = fitted(model_of("encoder", max_tokens=max_tokens, loop={"batch_tokens": 64, "max_steps": 2}), claims, valid)
    note = steps[0].notes["truncated"]
    assert note == f"{cut} of 9 training pairs are longer than {max_tokens} tokens"
    assert steps[0].notes["precision"] == "float32 on cpu (as asked)"
    assert steps[1].notes is None


def test_a_book_as_evidence_costs_no_more_than_a_page(model_of, train, valid):
    """Every piece cut off the claim, paired with every piece cut off the evidence, would be millions of pairs."""
    model = model_of("encoder", max_tokens=8, loop={"max_steps": 1})
    fitted(model, train[:9], valid)
    book = Claim("bridge " * 2800, evidence=(Evidence("river confirmed " * 60_000),))
    page = Claim("bridge " * 40, evidence=(Evidence("river confirmed " * 18),))
    start = time.process_time()
    probabilities = model.predict_proba([book, page])
    assert time.process_time() - start < 5
    np.testing.assert_allclose(probabilities[0], probabilities[1], rtol=0, atol=1e-6)


def test_a_long_claim_does_not_push_out_short_evidence(trained):
    """The longer side loses its end: the word that decides stays, and is heard."""
    long = " ".join(["bridge"] * 2000)
    pair = [Claim(long, evidence=(Evidence(word),)) for word in ("confirmed", "denied")]
    probabilities = trained("encoder").predict_proba(pair)
    assert np.abs(probabilities[0] - probabilities[1]).max() > 0.01


def test_bfloat16_gives_the_same_labels_on_clear_cases(trained, held_out, tmp_path):
    model = trained("encoder")
    folder = saved(model, tmp_path / "saved")
    exact, rounded = (load(folder, model, precision=p).predict_proba(held_out) for p in ("float32", "bfloat16"))
    clear = exact.max(axis=1) > 0.9
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(exact[clear].argmax(axis=1), rounded[clear].argmax(axis=1))
    assert 0 < np.abs(exact - rounded).max() < 0.2


def test_trained_in_bfloat16_it_learns_and_ends_in_float32(model_of, train, valid, held_out, tmp_path):
    model = model_of("encoder", precision="bfloat16")
    assert fitted(model, train, valid)[0].notes["precision"] == "bfloat16 on cpu (as asked)"
    found = model.predict_proba(held_out).argmax(axis=1)
    assert np.mean([LABELS[place] == claim.label for place, claim in zip(found, held_out, strict=True)]) > 0.9
    weights = load_file(saved(model, tmp_path) / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert any(not torch.equal(tensor, tensor.bfloat16().float()) for tensor in weights.values())


def test_saving_a_model_loaded_in_bfloat16_writes_float32(trained, tmp_path):
    model = trained("encoder")
    half = load(saved(model, tmp_path / "one"), model, precision="bfloat16")
    weights = load_file(saved(half, tmp_path / "two") / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_a_head_for_other_labels_is_replaced(model_of, checkpoint_of, train, valid, held_out):
    import transformers

    folder = checkpoint_of("bert")
    config = transformers.AutoConfig.from_pretrained(folder, num_labels=2)
    sentiment = transformers.AutoModelForSequenceClassification.from_config(config)
    sentiment.save_pretrained(folder)
    model = model_of("encoder", checkpoint=folder, loop={"max_steps": 1})
    fitted(model, train[:9], valid)
    assert model.predict_proba(held_out).shape == (90, 3)


def test_weights_of_another_architecture_are_refused_and_not_left_random(copied, model_of, train, valid):
    weights = load_file(copied / "model.safetensors")
    save_file({f"wrapped.{name}": tensor for name, tensor in weights.items()}, copied / "model.safetensors")
    with pytest.raises(ModelError, match=r"expected all weights of BertForSequenceClassification.*'bert\..* more"):
        next(model_of("encoder", checkpoint=str(copied)).fit(train, valid=valid))


def test_weights_of_another_width_are_refused(copied, model_of, train, valid):
    edit_config(copied, hidden_size=64)
    with pytest.raises(ModelError, match=r"config\.json and weights do not belong together"):
        next(model_of("encoder", checkpoint=str(copied)).fit(train, valid=valid))


def test_a_saved_model_without_its_head_is_refused(trained, tmp_path):
    model = trained("encoder")
    path = saved(model, tmp_path) / "model.safetensors"
    weights = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("classifier")}
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"found none that fit 'classifier\.bias' and 1 more"):
        load(tmp_path, model)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_garbage_in_a_checkpoint_is_one_clear_error(name, copied, model_of, train, valid):
    (copied / name).write_bytes(b"garbage")
    with pytest.raises(ModelError, match="copy: cannot be opened as a sequence classifier: "):
        next(model_of("encoder", checkpoint=str(copied)).fit(train, valid=valid))


def test_a_tokenizer_without_padding_is_refused(copied, model_of, train, valid):
    path = copied / "tokenizer_config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "pad_token"}))
    with pytest.raises(ModelError, match="expected a tokenizer with a padding token, found none"):
        next(model_of("encoder", checkpoint=str(copied)).fit(train, valid=valid))


def test_pickled_weights_are_not_read_even_beside_other_safetensors(copied, model_of, train, valid):
    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").rename(copied / "adapter.safetensors")
    with pytest.raises(ModelError, match="cannot be opened as a sequence classifier"):
        next(model_of("encoder", checkpoint=str(copied)).fit(train, valid=valid))


@pytest.mark.parametrize("model_type", ["bert", "nobody-knows"])
@pytest.mark.parametrize("kind", ["encoder", "static"])
def test_code_that_comes_with_a_checkpoint_is_never_run(
    kind, model_type, copied, model_of, train, valid, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # nothing is distilled yet
    witness = tmp_path / "it-ran"
    (copied / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(witness)!r}).write_text('ran')\n"
        "from transformers import BertConfig as EvilConfig, BertModel as EvilModel\n"
        "from transformers import BertTokenizerFast as EvilTokenizer\n"
    )
    names = ("AutoModel", "AutoModelForSequenceClassification")
    auto_map = {"AutoConfig": "evil.EvilConfig", **dict.fromkeys(names, "evil.EvilModel")}
    edit_config(copied, auto_map=auto_map, model_type=model_type)
    path = copied / "tokenizer_config.json"
    tokenizer = {**json.loads(path.read_text()), "auto_map": {"AutoTokenizer": ["evil.EvilTokenizer", None]}}
    path.write_text(json.dumps(tokenizer))
    training = model_of(kind, checkpoint=str(copied), loop={"max_steps": 1}).fit(train[:30], valid=valid)
    if model_type == "bert":  # the library knows this one itself
        assert next(training).number == 1
    else:
        with pytest.raises(ModelError, match="cannot be"):
            next(training)
    assert not witness.exists()


def test_the_libraries_are_left_as_talkative_as_they_were(trained, tmp_path):
    from transformers.utils import logging

    before = (logging.get_verbosity(), logging.is_progress_bar_enabled())
    saved(trained("encoder"), tmp_path)
    load(tmp_path, trained("encoder"))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
