import inspect
import subprocess
import sys

import pytest

from claimsieve.errors import ModelError
from claimsieve.models import KINDS, Model, kind_class


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named():
    with pytest.raises(
        ModelError, match="expected a model of kind tfidf, static, encoder, two_axis, cascade, found 'os:system'"
    ):
        kind_class("os:system")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_what_the_protocol_asks(kind):
    found = kind_class(kind)
    for name, asked in inspect.getmembers(Model, inspect.isfunction):
        if name.startswith("_"):
            continue
        own = inspect.signature(getattr(found, name)).parameters
        assert list(own) == list(inspect.signature(asked).parameters), name
    assert inspect.ismethod(found.load)
    constructor = list(inspect.signature(found).parameters.values())
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in constructor)


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("claimsieve.models.tfidf", {"torch", "transformers", "accelerate", "model2vec", "tokenizers"}),
        (
            "claimsieve.models.artifacts, claimsieve.models.checkpoint, claimsieve.models.checkpoints",
            {"torch", "transformers", "sklearn", "safetensors", "huggingface_hub"},
        ),
        ("claimsieve.models.static, claimsieve.models.encoder", {"transformers", "model2vec", "accelerate", "mlflow"}),
    ],
)
def test_heavy_libraries_are_imported_where_they_are_used(modules, heavy):
    code = f"import sys, {modules}; found = {heavy!r} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=600)
