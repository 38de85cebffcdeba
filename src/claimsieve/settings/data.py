"""What a run reads: corpora, how they are split, and the rows that are made of them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from claimsieve.records import InputField
from claimsieve.settings.section import Section

EACH = "each"  # data.split.hold_out: a run for every group


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


Name = Annotated[str, Field(min_length=1)]


class Split(Section):
    """Shares of train, valid, calibration and test, and what may not be cut through."""

    by: Literal["group", "source", "time", "random", "corpus"] = "group"
    train: Annotated[float, Field(gt=0, lt=1)] = 0.7
    valid: Annotated[float, Field(gt=0, lt=1)] = 0.1
    calibration: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: int | None = None  # None: the run's own seed, so that many seeds are many splits
    gap_days: Annotated[int, Field(ge=0)] = 0  # by time: days between a split and the next
    # By group, source or corpus: the one, or those, that are all of test; `each`: a run for every one.
    hold_out: Name | Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
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
    def held_out(self) -> str | None:
        """What is all of test, in words; None where nothing is held out by its name."""
        if self.hold_out is None or self.hold_out == EACH:
            return None
        return self.hold_out if isinstance(self.hold_out, str) else " + ".join(self.hold_out)

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
    # With passages of another story among their own, in another order, and the label that they had.
    distracted: Annotated[float, Field(ge=0, le=1)] = 0.0
    thinned: Annotated[float, Field(ge=0, le=1)] = 0.0  # leave out so many of the rows that the claim's words solve
    withheld: Annotated[float, Field(ge=0, le=1)] = 0.0  # with no evidence at all
    edited: Annotated[float, Field(ge=0, le=1)] = 0.0  # supported, edited to refute; as many more edited to no effect
    # Three times each: with reports written for it that confirm it, that deny it, and that leave it open.
    reported: Annotated[float, Field(ge=0, le=1)] = 0.0


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
