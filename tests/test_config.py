import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from claimsieve import config, settings, yaml12
from claimsieve.data import recipes
from claimsieve.errors import ConfigError

SHIPPED = sorted(config.shipped_directory().rglob("*.yaml"))
MINIMAL = {"name": "a", "data": {"corpora": [{"recipe": "starter"}]}, "model": {"kind": "tfidf"}}


def problems(**changes):
    """The problems of the minimal config with some keys changed."""
    with pytest.raises(ConfigError) as refusal:
        config.validate(MINIMAL | changes, place="a.yaml")
    head, *lines = str(refusal.value).split("\n")
    assert head == f"a.yaml: {len(lines)} problem" + "s" * (len(lines) > 1)
    return [line.removeprefix("  ") for line in lines]


@pytest.fixture
def minimal(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(yaml12.dump(MINIMAL))
    return str(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(config.shipped_directory()).as_posix())
def test_every_shipped_file_is_valid(path, tmp_path):
    if path.parent.name == "corpora":
        variants = yaml12.read(path).get("variants", {})
        for name in variants:
            assert recipes.load(f"{path}:{name}").name == name
        assert variants or recipes.load(str(path)).name == path.stem
        return
    resolved = config.load(str(path))
    assert resolved.name == path.stem
    again = tmp_path / "resolved.yaml"
    again.write_text(resolved.as_yaml(), encoding="utf-8")
    assert config.load(str(again)) == resolved


def test_every_recipe_that_a_shipped_config_names_is_shipped():
    for name in config.shipped():
        for corpus in config.load(name).data.corpora:
            assert corpus.recipe in recipes.names()


def test_shipped_names_are_run_configs_and_load_by_name():
    names = config.shipped()
    assert {"starter-tfidf", "starter-static", "starter-encoder"} <= set(names)
    assert not any(name.endswith("base") or name.startswith("corpora") for name in names)
    for name in names:
        assert config.load(name).name == config.load(f"{name}.yaml").name == name


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"starter-tfid: expected a config file .* Did you mean 'starter-tfidf'\?"):
        config.load("starter-tfid")
    for name in ("", "/", "a\0b", "a" * 5_000):
        with pytest.raises(ConfigError, match="expected a config file or the name of a shipped config"):
            config.load(name)


def test_a_shipped_name_does_not_lead_out_of_the_configs(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "outside.yaml").write_text(yaml12.dump(MINIMAL))
    monkeypatch.setattr(config, "shipped_directory", lambda: tmp_path / "configs")
    with pytest.raises(ConfigError, match="expected a config file or the name of a shipped config"):
        config.locate("../outside")


def test_every_problem_is_told_at_once_by_the_path_typed():
    found = problems(
        data={
            "corpora": [
                {"recip": "a"},
                {"recipe": "a", "file": "b"},
                {},
                5,
                {"file": "a.csv", "map": {"kind": 5}, "ratings": {"true": 1}},
            ],
            "inputs": ["claims"],
            "split": {"trian": 0.7, "by": "events"},
        },
        model={"kind": "encoder", "max_token": 5, "dropout": 2},
        training={"epochs": "5", "learning_rates": 1e-4},
        seeds=[0, -1],
        extra=1,
    )
    starts = [
        "data.corpora.0.recip: unknown key. Did you mean 'recipe'? Known here: file, hub,",
        "data.corpora.1: expected exactly one of recipe, file, hub, found recipe, file.",
        "data.corpora.2: expected exactly one of recipe, file, hub, found none.",
        "data.corpora.3: expected an object, found 5.",
        "data.corpora.4.map.kind: expected a valid string, found 5.",
        "data.corpora.4.ratings.true: expected a valid string, found 1.",
        "data.inputs.0: expected 'claim', 'evidence', 'source' or 'date', found \"claims\".",
        "data.split.by: expected 'group', 'source', 'time', 'random' or 'corpus', found \"events\".",
        "data.split.trian: unknown key. Did you mean 'train'? Known here: allow_group_leak,",
        "model.dropout: expected less than 1, found 2.",
        "model.max_token: unknown key. Did you mean 'max_tokens'? Known here: checkpoint, dropout,",
        'training.epochs: expected a valid integer, found "5".',
        "training.learning_rates: unknown key. Did you mean 'learning_rate'? Known here: accumulate_steps,",
        "seeds.1: expected greater than or equal to 0, found -1.",
        "extra: unknown key. Known here: calibration, card, data, evaluation, gate, model, name, seeds, sweep",
    ]
    assert len(found) == len(starts)
    for start in starts:
        assert [line for line in found if line.startswith(start)], start


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"model": {"kind": "bert"}},
            'model.kind: expected one of tfidf, static, encoder, two_axis, cascade, found "bert".',
        ),
        ({"model": {"kind": 5}}, "model.kind: expected one of tfidf, static, encoder, two_axis, cascade, found 5."),
        ({"model": 5}, "model: expected an object, found 5."),
        ({"data": None}, "data: expected an object, found null."),
        ({"seeds": []}, "seeds: expected at least 1 entry, found none."),
        ({"seeds": 5}, "seeds: expected a valid array, found 5."),
        ({"data": {"corpora": []}}, "data.corpora: expected at least 1 entry, found none."),
        ({"training": {"epochs": 2.0}}, "training.epochs: expected a valid integer, found 2.0."),
        ({"training": {"epochs": True}}, "training.epochs: expected a valid integer, found true."),
        ({"training": {"learning_rate": "1e-4"}}, 'training.learning_rate: expected a valid number, found "1e-4".'),
        ({"tracking": {"enabled": "no"}}, 'tracking.enabled: expected a valid boolean, found "no".'),
        (
            {"name": "../a"},
            "name: expected a text that should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$', found \"../a\".",
        ),
        (
            {"data": {"corpora": [{"recipe": "starter"}], "split": {"train": 0.9}}},
            "data.split: expected train + valid + calibration + test = 1, found 1.2.",
        ),
        (
            {"data": {"corpora": [{"recipe": "starter", "map": {"claim": "text"}}]}},
            "data.corpora.0: a recipe has its own field map and ratings: use them with file or hub.",
        ),
    ],
)
def test_one_problem_is_one_line(changes, problem):
    assert problems(**changes) == [problem]


def test_missing_sections_are_named():
    with pytest.raises(ConfigError, match=r"(?s)3 problems.*name: missing.*data: missing.*model: missing; a value is"):
        config.validate({}, place="a.yaml")


def test_a_resolved_config_is_frozen():
    resolved = config.validate(MINIMAL, place="a.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        resolved.name = "b"
    with pytest.raises(ValidationError, match="frozen"):
        resolved.training.epochs = 5


def test_a_resolved_config_with_odd_texts_loads_back_equal(tmp_path):
    texts = [
        "no",
        "5",
        "1e5",
        "~",
        "2020-01-08",
        "# a",
        "a: b",
        " a ",
        "a\nb",
        "\x85",
        "é",
        "'",
        '"',
        "!a",
        "*a",
        "-",
        "",
    ]
    corpus = {"file": "a.csv", "map": {"claim": "Was gesagt wurde"}, "ratings": dict.fromkeys(texts, "verified")}
    resolved = config.validate(MINIMAL | {"data": {"corpora": [corpus]}, "seeds": [0, 2**31 - 1]}, place="a.yaml")
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved.as_yaml(), encoding="utf-8")
    assert config.load(str(path)) == resolved


def test_a_child_changes_what_it_names_and_keeps_the_rest(tmp_path):
    (tmp_path / "base.yaml").write_text(
        """
        name: base
        data: {corpora: [{recipe: starter}, {recipe: demo}], split: {seed: 7}}
        model: {kind: tfidf, max_features: 99}
        training: {epochs: 9, batch_tokens: 64}
        """
    )
    child = tmp_path / "child.yaml"
    child.write_text(
        "extends: base.yaml\nname: child\ndata: {corpora: [{recipe: demo}]}\n"
        "model: {max_char_ngram: 3}\ntraining: {epochs: 2}\n"
    )
    resolved = config.load(str(child))
    assert resolved.name == "child"
    assert [corpus.recipe for corpus in resolved.data.corpora] == ["demo"]
    assert resolved.data.split.seed == 7
    assert (resolved.model.max_features, resolved.model.max_char_ngram) == (99, 3)
    assert (resolved.training.epochs, resolved.training.batch_tokens) == (2, 64)


def test_a_model_of_another_kind_starts_afresh(tmp_path):
    (tmp_path / "base.yaml").write_text(yaml12.dump(MINIMAL | {"model": {"kind": "tfidf", "max_features": 99}}))
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\nmodel: {kind: static}\n")
    assert config.load(str(child)).model == settings.StaticModel(kind="static")


def test_only_one_level_is_extended(tmp_path, minimal):
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    (tmp_path / "c.yaml").write_text("extends: b.yaml\n")
    assert config.load(str(tmp_path / "b.yaml")) == config.load(minimal)
    with pytest.raises(ConfigError, match=r"b\.yaml extends another config itself; one level is allowed"):
        config.load(str(tmp_path / "c.yaml"))
    Path(minimal).write_text("extends: a.yaml\n")
    with pytest.raises(ConfigError, match="one level is allowed"):
        config.load(minimal)


def test_what_is_extended_has_to_be_there(minimal):
    Path(minimal).write_text("extends: none.yaml\n")
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        config.load(minimal)
    Path(minimal).write_text("extends: [a, b]\n")
    with pytest.raises(ConfigError, match="expected the name of a file in 'extends', found list"):
        config.load(minimal)


def test_overrides_go_through_the_same_schema(minimal):
    resolved = config.load(
        minimal,
        [
            "name=no",
            "training.learning_rate=2e-5",
            "seeds=[1, 2]",
            "seeds.1=3",
            "data.corpora.0.recipe=demo",
            "tracking.uri=sqlite:///a=b.db",
            "training.max_steps=5",
            "training.max_steps=",
        ],
    )
    assert resolved.name == "no"
    assert resolved.training.learning_rate == 2e-5
    assert resolved.seeds == (1, 3)
    assert resolved.data.corpora[0].recipe == "demo"
    assert resolved.tracking.uri == "sqlite:///a=b.db"
    assert resolved.training.max_steps is None


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (["training.epochs"], "--set training.epochs: expected KEY=VALUE, such as training.epochs=5"),
        (["=5"], "--set =5: expected KEY=VALUE"),
        (["training.epochs='5'"], 'training.epochs: expected a valid integer, found "5"'),
        (["training.epoch=5"], "training.epoch: unknown key. Did you mean 'epochs'?"),
        (["training..epochs=5"], "training.: unknown key"),
        (["extends=base.yaml"], "extends: unknown key"),
        (["data.corpora.1.recipe=demo"], "expected a position from 0 to 0, found '1'"),
        (["data.corpora.-1.recipe=demo"], "expected a position from 0 to 0, found '-1'"),
        (["data.corpora.².recipe=demo"], "expected a position from 0 to 0, found '²'"),
        (["data.corpora.first=demo"], "expected a position from 0 to 0, found 'first'"),
        ([f"data.corpora.{'9' * 5_000}=demo"], "expected a position from 0 to 0, found '999"),
        (["data.corpora.0.recipe.a=b"], "'a' cannot stand below a single value"),
        (["training=5", "training.epochs=5"], "'epochs' cannot stand below a single value"),
        (["seeds=[1"], "--set seeds, line 1: not valid YAML"),
        (["name=!!python/object:os.system {}"], "--set name, line 1: tags"),
        (["name=a: b: c"], "--set name, line 1: not valid YAML"),
        (["seeds=[0x" + "f" * 5_000 + "]"], "--set seeds: expected a whole number below 2**63"),
    ],
)
def test_overrides_that_cannot_be_are_refused(minimal, overrides, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        config.load(minimal, overrides)


def test_a_config_is_read_without_the_heavy_packages():
    code = (
        "import sys, claimsieve.config; "
        "print(sorted({'torch', 'transformers', 'mlflow', 'sklearn', 'datasets', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_corpora_folder_is_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(tmp_path))
    assert config.corpora_directory() == tmp_path
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", "")
    assert config.corpora_directory() is None
    monkeypatch.delenv("CLAIMSIEVE_CORPORA")
    assert config.corpora_directory() is None
