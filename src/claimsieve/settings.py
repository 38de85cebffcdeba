"""Everything that a run may be told: strict, frozen, complete."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from claimsieve import yaml12
from claimsieve.records import LABELS, InputField, Label

_PASSWORD = re.compile(r"^[^/?#]*//[^/?#]*:[^/?#]*@")  # user:password@ before the host


class Section(BaseModel):
    """Unknown keys, wrong types and later changes are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Corpus(Section):
    """One corpus: a recipe by name, a claims file, or a Hugging Face dataset. Exactly one of the three."""

    recipe: str | None = None
    file: str | None = None
    hub: str | None = None
    hub_config: str | None = None
    hub_split: str = "train"
    hub_revision: str | None = None
    map: dict[str, str] = {}
    ratings: dict[str, str | None] = {}
    max_claims: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "Corpus":
        given = [key for key in ("recipe", "file", "hub") if getattr(self, key)]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of recipe, file, hub, found {', '.join(given) or 'none'}")
        if self.recipe and (self.map or self.ratings):
            raise ValueError("a recipe has its own field map and ratings: use them with file or hub")
        return self


class Split(Section):
    """Shares of train, valid, calibration and test, and what may not be cut through."""

    by: Literal["group", "source", "time", "random", "corpus"] = "group"
    train: Annotated[float, Field(gt=0, lt=1)] = 0.7
    valid: Annotated[float, Field(gt=0, lt=1)] = 0.1
    calibration: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: int | None = None  # None: the run's own seed, so that many seeds are many splits
    gap_days: Annotated[int, Field(ge=0)] = 0  # by time: days between a split and the next
    # By group, source or corpus: the one that is all of test; `each`: a run for every one.
    hold_out: Annotated[str, Field(min_length=1)] | None = None
    duplicate_threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    allow_group_leak: bool = False

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Split":
        if abs(sum(self.fractions.values()) - 1) > 1e-6:
            raise ValueError(
                f"expected train + valid + calibration + test = 1, found {sum(self.fractions.values()):.4g}"
            )
        return self

    @model_validator(mode="after")
    def _fits_the_way_to_split(self) -> "Split":
        if self.gap_days and self.by != "time":
            raise ValueError(f"gap_days is for by: time, found by: {self.by}")
        if self.hold_out is not None and self.by not in ("group", "source", "corpus"):
            raise ValueError(f"hold_out is for by: group, by: source and by: corpus, found by: {self.by}")
        if self.hold_out is None and self.by == "corpus":
            raise ValueError("by: corpus needs hold_out, the name of a corpus or `each`")
        return self

    @property
    def fractions(self) -> dict[str, float]:
        return {"train": self.train, "valid": self.valid, "calibration": self.calibration, "test": self.test}


AuditCheck = Literal[  # what `claimsieve data audit` looks for; docs/data.md says how
    "event_overlap",
    "event_names",
    "source_overlap",
    "duplicate_overlap",
    "id_overlap",
    "evidence_overlap",
    "time_travel",
    "rating_words",
    "identifiers",
    "label_balance",
    "languages",
    "two_labels",
]


class Augmentation(Section):
    """Train rows copied with other evidence, as shares of a corpus's train rows that have what it takes."""

    mispaired: Annotated[float, Field(ge=0, le=1)] = 0.0  # with the evidence of another story of the same corpus
    # More mispaired rows, until so large a share of each corpus's train rows with evidence is open.
    open_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    withheld: Annotated[float, Field(ge=0, le=1)] = 0.0  # with no evidence at all
    edited: Annotated[float, Field(ge=0, le=1)] = 0.0  # supported, edited to refute; as many more edited to no effect


class Audit(Section):
    """Findings that a run knows of and accepts, so that `claimsieve data audit --strict` does not fail on them."""

    accept: tuple[AuditCheck, ...] = ()


class Data(Section):
    corpora: Annotated[tuple[Corpus, ...], Field(min_length=1)]
    maps: dict[str, dict[str, str | None]] = {}  # corpus → rating → stance, label or null, over its recipe's own
    inputs: Annotated[tuple[InputField, ...], Field(min_length=1)] = ("claim", "evidence")
    split: Split = Split()
    augmentation: Augmentation = Augmentation()
    audit: Audit = Audit()


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


class EncoderModel(Section):
    """A transformer that reads claim and evidence as one pair. `default`: all-MiniLM-L6-v2 from a package."""

    kind: Literal["encoder"]
    checkpoint: str = "default"
    revision: str | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_tokens: Annotated[int, Field(ge=8)] = 256
    pooling: Literal["first", "mean"] = "first"  # what the head reads: the first token, or the mean of all
    lora: Lora | None = None  # None: all weights are trained


class TwoAxisModel(Section):
    """One encoder with a head for what the evidence says and a head for whether the claim's words manipulate."""

    kind: Literal["two_axis"]
    no_evidence: Literal["open", "learned"] = "open"  # the stance of a claim that comes without evidence
    checkpoint: str = "default"
    revision: str | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_tokens: Annotated[int, Field(ge=8)] = 256
    pooling: Literal["first", "mean"] = "mean"  # what the heads read: the first token, or the mean of all
    lora: Lora | None = None  # None: all weights are trained


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
    epoch_rows: Annotated[int, Field(ge=1)] | None = None  # with it: rows of an epoch. None: as many as there are
    first_corpora: tuple[str, ...] = ()  # with it: the first `first_epochs` epochs draw from these alone
    first_epochs: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    activation_checkpointing: bool = False  # encoder: less memory, about a third slower
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    patience_evaluations: Annotated[int, Field(ge=1)] = 2
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0


class Calibration(Section):
    """What the calibration split decides: temperatures, and which labels a prediction set holds."""

    method: Literal["temperature", "none"] = "temperature"
    min_corpus_rows: Annotated[int, Field(ge=30)] = 200  # calibration rows for a temperature of a corpus's own
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9  # of each label: how many sets are to hold the true label


class Review(Section):
    """People who look at what the model leaves to them, for the table of reviewer hours."""

    items_per_week: Annotated[int, Field(ge=1)] = 1000
    minutes_per_item: Annotated[float, Field(gt=0)] = 15.0
    hours_per_week: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (0.0, 20.0, 40.0, 80.0)


class Evaluation(Section):
    shortcuts: bool = True  # what a model scores on the same split without reading the evidence
    behaviour: bool = True  # what it does with the shipped variations; not for a model without claim and evidence
    resamples: Annotated[int, Field(ge=100)] = 1000
    bins: Annotated[int, Field(ge=2)] = 15
    min_slice_rows: Annotated[int, Field(ge=1)] = 20
    prevalence: dict[Label, Annotated[float, Field(ge=0, le=1)]] | None = None  # the mix of labels where it is used
    review: Review = Review()

    @model_validator(mode="after")
    def _prevalence_is_a_mix(self) -> "Evaluation":
        if self.prevalence is not None:
            total = sum(self.prevalence.values())
            if set(self.prevalence) != set(LABELS) or abs(total - 1) > 1e-6:
                raise ValueError(
                    f"prevalence: expected {', '.join(LABELS)} with shares that sum to 1, found {total:.4g}"
                )
        return self


class Gate(Section):
    """What has to hold before `claimsieve promote` moves an alias. A bound that is null is not asked for."""

    min_macro_f1: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    min_margin_over_shortcuts: Annotated[float, Field(ge=-1, le=1)] | None = 0.0  # the interval's lower end
    max_ece: Annotated[float, Field(ge=0, le=1)] | None = 0.1
    min_coverage: Annotated[float, Field(ge=0, le=1)] | None = 0.8  # of the label that is covered least
    max_slice_regression: Annotated[float, Field(ge=0, le=1)] | None = 0.05  # macro-F1 lost to the present champion
    clean_audit: bool = True
    complete_card: bool = True


class Card(Section):
    """What a model card says that no measurement tells."""

    owner: str | None = None  # who answers for the model
    contact: str | None = None
    licence: str | None = None  # of the weights, as an SPDX id
    languages: tuple[str, ...] = ()  # ISO 639-1
    intended_use: str | None = None


class Range(Section):
    """Numbers from low to high; whole ones where both are."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"expected low < high, and low > 0 with log, found {self.low} and {self.high}")
        return self


def _range_or_choices(options: Any) -> Any:
    """Told by hand: of a union, pydantic would say what is wrong with each way to read it."""
    if isinstance(options, dict | Range):
        return Range.model_validate(options)
    if isinstance(options, list | tuple) and all(isinstance(value, str | int | float) for value in options):
        return tuple(options)
    raise ValueError("expected {low, high} or a list of values: texts, numbers, true, false")


class Sweep(Section):
    """Values to try, by macro-F1 on valid; test is never looked at."""

    trials: Annotated[int, Field(ge=1)] = 20
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    pruning: bool = True  # end a trial early that lags behind the median of the others
    space: Annotated[
        dict[str, Annotated[Range | tuple[str | int | float | bool, ...], BeforeValidator(_range_or_choices)]],
        Field(min_length=1),
    ]


class Tracking(Section):
    enabled: bool = True
    uri: str | None = None  # None: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db
    experiment: Annotated[str, Field(min_length=1)] = "claimsieve"

    @field_validator("uri")
    @classmethod
    def _holds_no_password(cls, uri: str | None) -> str | None:
        if uri is not None and _PASSWORD.search(uri):
            raise ValueError(
                "expected an address without user and password, which config.yaml, reports and runs would show. Set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the whole address as MLFLOW_TRACKING_URI"
            )
        return uri


class RunConfig(Section):
    """Everything that decides a run. Saved beside all that the run makes."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: Data
    model: Annotated[AnyModel, Field(discriminator="kind")]
    training: Training = Training()
    calibration: Calibration = Calibration()
    evaluation: Evaluation = Evaluation()
    tracking: Tracking = Tracking()
    gate: Gate = Gate()
    card: Card = Card()
    sweep: Sweep | None = None
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (0,)

    @model_validator(mode="after")
    def _seeds_differ(self) -> "RunConfig":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("expected each seed once in seeds")
        return self

    @model_validator(mode="after")
    def _only_an_encoder_has_layers_to_checkpoint(self) -> "RunConfig":
        if self.training.activation_checkpointing and self.model.kind not in ("encoder", "two_axis"):
            raise ValueError(
                f"training.activation_checkpointing is for model.kind encoder and two_axis, found {self.model.kind}"
            )
        return self

    @model_validator(mode="after")
    def _a_mixture_is_drawn_by_networks(self) -> "RunConfig":
        training = self.training
        if training.corpus_temperature is None and (training.epoch_rows is not None or training.first_epochs):
            raise ValueError("training.epoch_rows and first_epochs go with training.corpus_temperature, found none")
        if bool(training.first_corpora) != bool(training.first_epochs) or training.first_epochs >= training.epochs:
            raise ValueError(
                "training.first_corpora and first_epochs go together, with fewer first epochs than epochs, found "
                f"{len(training.first_corpora)} corpora and {training.first_epochs} of {training.epochs} epochs"
            )
        if training.corpus_temperature is not None and self.model.kind not in ("encoder", "two_axis"):
            raise ValueError(
                f"training.corpus_temperature is for model.kind encoder and two_axis, found {self.model.kind}"
            )
        return self

    @model_validator(mode="after")
    def _two_axes_need_claim_and_evidence(self) -> "RunConfig":
        missing = [field for field in ("claim", "evidence") if field not in self.data.inputs]
        if self.model.kind == "two_axis" and missing:
            raise ValueError(f"model.kind two_axis reads claim and evidence: add {', '.join(missing)} to data.inputs")
        return self

    def as_yaml(self) -> str:
        return yaml12.dump(json.loads(self.model_dump_json()))
