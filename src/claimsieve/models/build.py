"""The model that a config names; config objects stop here."""

from claimsieve.data.corpora import corpus_names
from claimsieve.errors import ConfigError
from claimsieve.models import Model, kind_class
from claimsieve.problems import did_you_mean
from claimsieve.settings import RunConfig, TransformerModel


def build_model(config: RunConfig, *, seed: int) -> Model:
    """Untrained. Raises MissingPackageError when its kind needs a package that is not there."""
    require_trainable(config)
    settings = config.model.model_dump(exclude={"kind"})
    training = config.training
    if config.model.kind == "tfidf":
        settings["label_weights"] = training.label_weights
    else:
        from claimsieve.models.loop import LoopSettings

        names = LoopSettings.__dataclass_fields__
        settings["loop"] = LoopSettings(**{name: getattr(training, name) for name in names})
        settings["device"] = training.device
    if isinstance(config.model, TransformerModel):
        from claimsieve.models.lora import LoraSettings

        settings["precision"] = training.precision
        settings["activation_checkpointing"] = training.activation_checkpointing
        settings["lora"] = LoraSettings(**settings["lora"]) if settings["lora"] is not None else None
    model: Model = kind_class(config.model.kind)(inputs=config.data.inputs, seed=seed, **settings)
    return model


def require_trainable(config: RunConfig) -> None:
    """Raises ConfigError for a kind that is made of trained models, and for a first corpus that is not in the data."""
    names = corpus_names(config.data.corpora)
    for name in config.training.first_corpora:
        if name not in names:
            raise ConfigError(
                f"training.first_corpora: expected names of data.corpora, found '{name}'.{did_you_mean(name, names)} "
                f"Known: {', '.join(names)}."
            )
    if config.model.kind == "cascade":
        raise ConfigError(
            "model.kind: a cascade is not trained. Train its two models, then: claimsieve cascade CHEAP ENCODER -o DIR"
        )
