"""A small world with a planted signal, and tiny real checkpoints that are built on the spot."""

import random
from functools import cache

import pytest

from claimsieve.models import kind_class
from claimsieve.records import LABELS, Claim, Evidence

NOUNS = (
    *("bridge", "harbour", "minister", "convoy", "drone", "hospital", "river", "border", "factory", "village"),
    *("general", "pilot", "station", "market", "tower", "school", "tanker", "column", "airfield", "reactor"),
)
CUES = {
    "verified": ("confirmed", "documented"),
    "unverified": ("unclear", "unnamed"),
    "propaganda": ("denied", "fabricated"),
}
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SYLLABLES = tuple(first + second for first in "bdfgklmnprst" for second in "aeiou")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """The networks are tiny: more threads only wait for one another."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """What is distilled here does not land in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def build_claims(count, *, seed, labels=LABELS):
    """Claims that say nothing, with evidence in which one word gives the label away."""
    source = random.Random(seed)
    claims = []
    for number in range(count):
        label = labels[number % len(labels)]
        words = source.choices(NOUNS, k=source.randint(2, 6))
        words.insert(source.randint(0, len(words)), source.choice(CUES[label]))
        claims.append(
            Claim(
                " ".join(source.choices(NOUNS, k=source.randint(2, 5))),
                id=str(number),
                evidence=(Evidence(" ".join(words)),),
                label=label,
                manipulation=(),
            )
        )
    return claims


@pytest.fixture(scope="session")
def claims_of():
    return build_claims


def build_checkpoint(folder, architecture, *, max_positions=64, seed=0, **settings):
    """A checkpoint with random weights, as `save_pretrained` writes one: width 32, two layers, two heads."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    words = [*NOUNS, *(word for cues in CUES.values() for word in cues)]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:()"
    terms = dict.fromkeys([*_SPECIAL, *words, *letters, *(f"##{part}" for part in [*letters, *_SYLLABLES])])
    vocabulary = {term: place for place, term in enumerate(terms)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    names = dict(zip(("pad", "unk", "cls", "sep", "mask"), _SPECIAL, strict=True))
    inputs = ["input_ids", "attention_mask"] + ["token_type_ids"] * (architecture == "bert")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=inputs,
        **{f"{name}_token": token for name, token in names.items()},
    ).save_pretrained(folder)
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    shape = {
        "vocab_size": len(vocabulary),
        "max_position_embeddings": max_positions,
        "initializer_range": 0.2,
        "pad_token_id": vocabulary["[PAD]"],
        "attn_implementation": "eager",
    }
    if architecture == "distilbert":
        shape |= {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}
    else:
        shape |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.AutoConfig.for_model(architecture, **{**shape, **settings})
    torch.manual_seed(seed)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    if bars:
        transformers.utils.logging.enable_progress_bar()
    return str(folder)


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory):
    """checkpoint_of('bert') is the folder of a tiny BERT; with settings it is one of its own."""

    def build(architecture="bert", **settings):
        return build_checkpoint(tmp_path_factory.mktemp(architecture), architecture, **settings)

    return build


@pytest.fixture(scope="session")
def tiny_bert(checkpoint_of):
    return checkpoint_of("bert")


def build_model(kind, checkpoint, *, inputs=("claim", "evidence"), loop=None, **settings):
    """An untrained model of a kind, in float32 on the processor; `loop` changes single LoopSettings."""
    from claimsieve.models.loop import LoopSettings

    if kind == "tfidf":
        return kind_class(kind)(inputs=inputs, **settings)
    own = {"hidden": 32, "dimensions": 16} if kind == "static" else {"precision": "float32"}
    rate = 3e-2 if kind == "static" else 3e-3
    usual = {"epochs": 12, "batch_tokens": 512, "learning_rate": rate, "patience_evaluations": 12}
    return kind_class(kind)(
        inputs=inputs,
        checkpoint=checkpoint,
        device="cpu",
        loop=LoopSettings(**{**usual, **(loop or {})}),
        **{**own, **settings},
    )


@pytest.fixture(scope="session")
def model_of(tiny_bert):
    """model_of('encoder') is untrained; further keywords are the kind's own."""

    def build(kind, *, checkpoint=tiny_bert, **settings):
        return build_model(kind, checkpoint, **settings)

    return build


@pytest.fixture(scope="session")
def train():
    return build_claims(300, seed=1)


@pytest.fixture(scope="session")
def valid():
    return build_claims(60, seed=2)


@pytest.fixture(scope="session")
def held_out():
    return build_claims(90, seed=3)


@pytest.fixture(scope="session")
def trained(model_of, train, valid):
    """trained(kind) is one model a kind, trained once on the planted signal. Not to be changed."""

    @cache
    def fit(kind):
        model = model_of(kind)
        list(model.fit(train, valid=valid))
        return model

    return fit
