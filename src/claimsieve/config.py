"""Run configs: strict, frozen, complete; read from YAML with one level of `extends` and `--set key=value`."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from claimsieve import yaml12
from claimsieve.errors import ConfigError
from claimsieve.problems import did_you_mean, explain
from claimsieve.records import InputField


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

    by: Literal["group", "time", "random"] = "group"
    train: Annotated[float, Field(gt=0, lt=1)] = 0.7
    valid: Annotated[float, Field(gt=0, lt=1)] = 0.1
    calibration: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: int | None = None  # None: the run's own seed, so that many seeds are many splits
    duplicate_threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    allow_group_leak: bool = False

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Split":
        if abs(sum(self.fractions.values()) - 1) > 1e-6:
            raise ValueError(
                f"expected train + valid + calibration + test = 1, found {sum(self.fractions.values()):.4g}"
            )
        return self

    @property
    def fractions(self) -> dict[str, float]:
        return {"train": self.train, "valid": self.valid, "calibration": self.calibration, "test": self.test}


class Data(Section):
    corpora: Annotated[tuple[Corpus, ...], Field(min_length=1)]
    inputs: Annotated[tuple[InputField, ...], Field(min_length=1)] = ("claim", "evidence")
    split: Split = Split()


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


class EncoderModel(Section):
    """A transformer that reads claim and evidence as one pair. `default`: all-MiniLM-L6-v2 from a package."""

    kind: Literal["encoder"]
    checkpoint: str = "default"
    revision: str | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_tokens: Annotated[int, Field(ge=8)] = 256


class Training(Section):
    """The loop. tfidf uses only `label_weights`."""

    epochs: Annotated[int, Field(ge=1)] = 3
    max_steps: Annotated[int, Field(ge=1)] | None = None
    batch_tokens: Annotated[int, Field(ge=16)] = 4096
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.01
    max_gradient_norm: Annotated[float, Field(gt=0)] = 1.0
    label_weights: Literal["balanced", "none"] = "balanced"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    patience_evaluations: Annotated[int, Field(ge=1)] = 2
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0


class Evaluation(Section):
    resamples: Annotated[int, Field(ge=100)] = 1000
    bins: Annotated[int, Field(ge=2)] = 15
    min_slice_rows: Annotated[int, Field(ge=1)] = 20


class Tracking(Section):
    enabled: bool = True
    uri: str | None = None  # None: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db
    experiment: Annotated[str, Field(min_length=1)] = "claimsieve"


class RunConfig(Section):
    """Everything that decides a run. Saved beside all that the run makes."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: Data
    model: Annotated[TfidfModel | StaticModel | EncoderModel, Field(discriminator="kind")]
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    tracking: Tracking = Tracking()
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (0,)

    @model_validator(mode="after")
    def _seeds_differ(self) -> "RunConfig":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("expected each seed once in seeds")
        return self

    def as_yaml(self) -> str:
        return yaml12.dump(json.loads(self.model_dump_json()))


def shipped_directory() -> Path:
    """Where the configs stand: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parent / "configs"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "configs"


def shipped() -> list[str]:
    """Names of the shipped run configs, in order."""
    root = shipped_directory()
    return sorted(
        path.relative_to(root).with_suffix("").as_posix()
        for path in root.rglob("*.yaml")
        if path.relative_to(root).parts[0] != "corpora" and not path.stem.endswith("base")
    )


def locate(name: str) -> Path:
    """The file of a config given by path or by the name of a shipped one. Raises ConfigError with the nearest name."""
    with suppress(OSError):  # a name that is too long for a file
        if Path(name).is_file():
            return Path(name)
        candidate = shipped_directory() / (name if name.endswith(".yaml") else f"{name}.yaml")
        if ".." not in Path(name).parts and candidate.is_file():
            return candidate
    raise ConfigError(
        f"{name}: expected a config file or the name of a shipped config, found neither."
        f"{did_you_mean(name, shipped())} See `claimsieve configs list`."
    )


def load(name: str, overrides: Sequence[str] = ()) -> RunConfig:
    """Read, extend, override and check a config. Raises ConfigError that lists every problem by the path typed."""
    path = locate(name)
    data = yaml12.read(path)
    parent = read_extends(path)
    if parent is not None:
        base = yaml12.read(parent)
        if "extends" in base:
            raise ConfigError(f"{path}: {parent.name} extends another config itself; one level is allowed.")
        data.pop("extends")
        data = _merged(base, data)
    for override in overrides:
        _set(data, override)
    return validate(data, place=str(path))


def read_extends(path: Path) -> Path | None:
    """The file that a config extends, by its name beside it; None when it stands alone."""
    data = yaml12.read(path)
    if "extends" not in data:
        return None
    if not isinstance(data["extends"], str):
        raise ConfigError(f"{path}: expected the name of a file in 'extends', found {type(data['extends']).__name__}.")
    return path.parent / data["extends"]


def validate(data: Mapping[str, Any], *, place: str) -> RunConfig:
    """Check plain data against the schema. Raises ConfigError that lists every problem at once."""
    try:
        # Through JSON, whose strict mode takes a list where a tuple is declared.
        return RunConfig.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = explain(error, data, RunConfig)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise ConfigError(f"{place}: {count}\n" + "\n".join(f"  {problem}" for problem in problems))


def _merged(base: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; anything else, lists too, is replaced. A model of another kind starts afresh."""
    result = dict(base)
    for key, value in child.items():
        old = result.get(key)
        other_kind = (
            isinstance(value, dict) and isinstance(old, dict) and value.get("kind", old.get("kind")) != old.get("kind")
        )
        result[key] = (
            _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) and not other_kind else value
        )
    return result


def _set(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: expected KEY=VALUE, such as training.epochs=5.")
    value = yaml12.parse(text, place=f"--set {key}") if text else None
    *parents, last = key.split(".")
    target: Any = data
    for part in [*parents, None]:
        name = last if part is None else part
        if isinstance(target, list):
            if not name.isdecimal() or int(name) >= len(target):
                raise ConfigError(f"--set {key}: expected a position from 0 to {len(target) - 1}, found '{name}'.")
            position: Any = int(name)
        elif isinstance(target, dict):
            position = name
            if part is not None:
                target.setdefault(part, {})
        else:
            raise ConfigError(f"--set {key}: '{name}' cannot stand below a single value.")
        if part is None:
            target[position] = value
        else:
            target = target[position]


def corpora_directory() -> Path | None:
    """Where the public corpora lie: the environment variable CLAIMSIEVE_CORPORA, or None when it is not set."""
    value = os.environ.get("CLAIMSIEVE_CORPORA")
    return Path(value) if value else None
