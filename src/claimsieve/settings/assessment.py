"""What is decided and measured after a training, and what a model has to clear."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from claimsieve.records import LABELS, Label
from claimsieve.settings.section import Section


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
    explained_rows: Annotated[int, Field(ge=0)] = 32  # of test; what their explanations name is tried out
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
