"""The kinds of model, and how they are trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from claimsieve.settings.section import Section


class TfidfModel(Section):
    """Word and character n-grams of claim and evidence, logistic regression."""

    kind: Literal["tfidf"]
    max_word_ngram: Annotated[int, Field(ge=1, le=3)] = 2
    max_char_ngram: Annotated[int, Field(ge=2, le=6)] = 4
    max_features: Annotated[int, Field(ge=10)] = 50_000
    inverse_regularisation: Annotated[float, Field(gt=0)] = 4.0


class StaticModel(Section):
    """Static token embeddings distilled from a checkpoint, with a small head; both are trained."""

    kind: Literal["static"]
    checkpoint: str = "default"
    dimensions: Annotated[int, Field(ge=8, le=1024)] = 256
    hidden: Annotated[int, Field(ge=4, le=4096)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    max_tokens: Annotated[int, Field(ge=8)] = 512


class Lora(Section):
    """Adapters of low rank beside the linear layers; they and the head are trained, and merged before saving."""

    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32  # the change counts alpha / rank times
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: Annotated[tuple[str, ...], Field(min_length=1)] | None = None  # None: all linear layers


class TransformerModel(Section):
    """What every kind on a pretrained transformer is told. `default`: all-MiniLM-L6-v2 from a package."""

    kind: str
    checkpoint: str = "default"
    revision: str | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_tokens: Annotated[int, Field(ge=8)] = 256
    pooling: Literal["first", "mean"] = "first"  # what the head reads: the first token, or the mean of all
    lora: Lora | None = None  # None: all weights are trained
    # So many of the lowest layers, and all embeddings, stay as they are: a third of them saves a fifth of the time.
    frozen_layers: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _adapters_freeze_all_layers(self) -> "TransformerModel":
        if self.lora is not None and self.frozen_layers:
            raise ValueError("expected lora or frozen_layers, found both: with lora all layers are frozen")
        return self


class EncoderModel(TransformerModel):
    """Reads claim and evidence as one pair."""

    kind: Literal["encoder"]


class TwoAxisModel(TransformerModel):
    """One encoder with a head for what the evidence says and a head for whether the claim's words manipulate."""

    kind: Literal["two_axis"]
    no_evidence: Literal["open", "learned"] = "open"  # the stance of a claim that comes without evidence
    pooling: Literal["first", "mean"] = "mean"


class CascadeModel(Section):
    """Two trained models as one, as `claimsieve cascade` makes it; no training does."""

    kind: Literal["cascade"]
    cheap: Annotated[TfidfModel | StaticModel, Field(discriminator="kind")]
    encoder: EncoderModel
    max_disagreement: Annotated[float, Field(ge=1e-6, lt=1)]
    confidence: Annotated[float, Field(ge=1e-6, lt=1)]

    @property
    def checkpoint(self) -> str:
        return self.encoder.checkpoint


AnyModel = TfidfModel | StaticModel | EncoderModel | TwoAxisModel | CascadeModel


class Training(Section):
    """The loop. tfidf uses only `label_weights`."""

    epochs: Annotated[int, Field(ge=1)] = 3
    max_steps: Annotated[int, Field(ge=1)] | None = None
    batch_tokens: Annotated[int, Field(ge=16)] = 4096
    accumulate_steps: Annotated[int, Field(ge=1)] = 1  # batches whose gradients add up to one step
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.01
    max_gradient_norm: Annotated[float, Field(gt=0)] = 1.0
    label_weights: Literal["balanced", "none"] = "balanced"
    # A corpus of n rows is drawn n ** (1 / temperature) often, its labels evenly. None: each row once an epoch.
    corpus_temperature: Annotated[float, Field(ge=1)] | None = None
    # With it: draw labels evenly within a corpus, or within each event, which then tells no label away either.
    even_within: Literal["corpus", "event"] = "corpus"
    epoch_rows: Annotated[int, Field(ge=1)] | None = None  # with it: rows of an epoch. None: as many as there are
    first_corpora: tuple[str, ...] = ()  # with it: the first `first_epochs` epochs draw from these alone
    first_epochs: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    activation_checkpointing: bool = False  # encoder: less memory, about a third slower
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    patience_evaluations: Annotated[int, Field(ge=1)] = 2
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0
