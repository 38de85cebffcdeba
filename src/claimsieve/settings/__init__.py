"""Everything that a run may be told: strict, frozen, complete."""

import json
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from claimsieve import yaml12
from claimsieve.settings.assessment import Calibration, Card, Evaluation, Gate, Review
from claimsieve.settings.data import Audit, AuditCheck, Augmentation, Corpus, Data, Split
from claimsieve.settings.model import (
    AnyModel,
    CascadeModel,
    EncoderModel,
    Lora,
    StaticModel,
    TfidfModel,
    Training,
    TransformerModel,
    TwoAxisModel,
)
from claimsieve.settings.section import Section

__all__ = [
    "AnyModel",
    "Audit",
    "AuditCheck",
    "Augmentation",
    "Calibration",
    "Card",
    "CascadeModel",
    "Corpus",
    "Data",
    "EncoderModel",
    "Evaluation",
    "Gate",
    "Lora",
    "Range",
    "Review",
    "RunConfig",
    "Section",
    "Split",
    "StaticModel",
    "Sweep",
    "TfidfModel",
    "Tracking",
    "Training",
    "TransformerModel",
    "TwoAxisModel",
]

_PASSWORD = re.compile(r"^[^/?#]*//[^/?#]*:[^/?#]*@")  # user:password@ before the host


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
        if self.training.activation_checkpointing and not isinstance(self.model, TransformerModel):
            raise ValueError(
                f"training.activation_checkpointing is for model.kind encoder and two_axis, found {self.model.kind}"
            )
        return self

    @model_validator(mode="after")
    def _a_mixture_is_drawn_by_networks(self) -> "RunConfig":
        training = self.training
        of_a_mixture = training.epoch_rows is not None or training.first_epochs or training.even_within != "corpus"
        if training.corpus_temperature is None and of_a_mixture:
            raise ValueError(
                "training.epoch_rows, first_epochs and even_within go with training.corpus_temperature, found none"
            )
        if bool(training.first_corpora) != bool(training.first_epochs) or training.first_epochs >= training.epochs:
            raise ValueError(
                "training.first_corpora and first_epochs go together, with fewer first epochs than epochs, found "
                f"{len(training.first_corpora)} corpora and {training.first_epochs} of {training.epochs} epochs"
            )
        if training.corpus_temperature is not None and not isinstance(self.model, TransformerModel):
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
