"""The commands that look at data before a training: data audit | shortcuts | optimism, recipe compare-maps."""

import json
from pathlib import Path

import pytest

from claimsieve.data.audit import AuditReport
from claimsieve.evaluation.shortcuts import DESCRIPTIONS
from claimsieve.records import LABELS

COMMANDS = ("data audit", "data shortcuts", "data optimism", "recipe compare-maps")
STUDIES = ("data shortcuts", "data optimism")


@pytest.fixture(scope="module")
def planted(planted_claims, tmp_path_factory):
    """A config over the planted claims: the evidence tells the label, and no source or date stands in them."""
    path = tmp_path_factory.mktemp("configs") / "planted.yaml"
    path.write_text(
        f"name: planted\ndata: {{corpora: [{{file: {planted_claims}}}]}}\nmodel: {{kind: tfidf, max_features: 2000}}\n"
    )
    return path


@pytest.fixture(scope="module")
def flawed(planted_claims, tmp_path_factory):
    """A config over the same claims, with one speaker for all and evidence from after the claim."""
    folder = tmp_path_factory.mktemp("flawed")
    rows = [json.loads(line) for line in planted_claims.read_text().splitlines()]
    changed = [row | {"source": "the ministry", "date": "2020-01-07"} for row in rows]
    (folder / "claims.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed))
    path = folder / "flawed.yaml"
    path.write_text(f"name: flawed\ndata: {{corpora: [{{file: {folder / 'claims.jsonl'}}}]}}\nmodel: {{kind: tfidf}}\n")
    return path


@pytest.fixture
def rated(own_recipe):
    """A recipe over 60 claims in 20 events, with a map of its own and one other."""
    proofs = {"yes": "both sides saw it", "no": "the picture is from elsewhere", "open": "nobody could go there"}
    rows = [
        {"text": f"claim {story} {verdict}", "proof": proof, "story": str(story), "verdict": verdict}
        for story in range(20)
        for verdict, proof in proofs.items()
    ]
    return own_recipe(
        *rows,
        fields={"claim": "text", "evidence": "proof", "event": "story", "rating": "verdict"},
        ratings={"yes": "supported", "no": "refuted", "open": "insufficient"},
        other_maps={"no_is_open": {"no": "unverified"}},
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_help_has_an_example(claimsieve, words):
    code, out, err = claimsieve(*words.split(), "--help")
    assert (code, err) == (0, "")
    assert f"Example: claimsieve {words} " in out
    assert "--json" in out
    group = words.split()[0]
    assert f"\n  {words.split()[1]} " in claimsieve(group, "--help")[1]


# --- data audit


def test_audit_says_what_is_wrong_and_where(claimsieve, flawed):
    code, out, err = claimsieve("data", "audit", flawed)
    assert code == 0
    assert err == "120 claims (40 verified, 40 unverified, 40 propaganda)\n"
    lines = out.splitlines()
    assert "split by group" in lines
    assert ["claims", "40", "40", "40"] in [line.split() for line in lines]
    (found,) = [line for line in lines if line.startswith("source_overlap: ")]
    assert found.startswith("source_overlap: 1 sources in two splits. ")
    assert lines[lines.index(found) + 1].startswith("    ")
    (found,) = [line for line in lines if line.startswith("time_travel: ")]
    assert "120 evidence passages dated after their claim" in found


def test_audit_speaks_json(claimsieve, flawed):
    code, out, err = claimsieve("data", "audit", flawed, "--json", "-q")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document.keys() == {"held_out", "seed", "failures", *AuditReport.__dataclass_fields__}
    assert (document["claims"], document["seed"], document["held_out"]) == (120, 0, None)
    assert document["corpora"] == {"claims": dict.fromkeys(LABELS, 40)}
    assert sum(sum(counts.values()) for counts in document["splits"].values()) == 120
    assert {finding["check"] for finding in document["findings"]} >= {"source_overlap", "time_travel"}
    assert document["failures"] == len(document["findings"])


def test_strict_fails_and_names_the_findings_until_the_config_knows_of_them(claimsieve, flawed):
    checks = [finding["check"] for finding in json.loads(claimsieve("data", "audit", flawed, "--json")[1])["findings"]]
    code, out, err = claimsieve("data", "audit", flawed, "--strict", "-q")
    assert code == 1
    assert out.count("\n") > 10  # the report all the same
    assert f"claimsieve: expected no findings, found {', '.join(sorted(checks))}." in err
    assert f"data.audit.accept: [{', '.join(sorted(checks))}]" in err

    code, out, err = claimsieve("data", "audit", flawed, "--strict", "--set", "data.audit.accept=[time_travel]")
    assert code == 1
    assert "time_travel (accepted by the config): 120 evidence passages" in out
    assert "time_travel" not in err
    everything = f"data.audit.accept=[{', '.join(checks)}]"
    code, out, err = claimsieve("data", "audit", flawed, "--strict", "-q", "--set", everything)
    assert (code, err) == (0, "")
    assert out.count("(accepted by the config)") == len(checks)


def test_data_without_a_finding_pass(claimsieve, planted):
    apart = "data.inputs=[claim]"  # every passage stands in several events
    code, out, err = claimsieve("data", "audit", planted, "--strict", "-q", "--set", apart)
    assert (code, err) == (0, "")
    assert out.endswith("\nno findings\n")
    code, out, _ = claimsieve("data", "audit", planted, "--json", "--strict", "-q", "--set", apart)
    assert (code, json.loads(out)["failures"]) == (0, 0)


def test_audit_shows_a_split_that_training_would_refuse(claimsieve, planted):
    code, out, _ = claimsieve("data", "audit", planted, "--set", "data.split.by=random")
    assert code == 0
    assert "event_overlap: " in out
    assert claimsieve("train", planted, "-q", "--set", "data.split.by=random")[0] == 1


def test_audit_looks_at_every_event_held_out_in_turn(claimsieve, planted):
    each = "data.split.hold_out=each"
    code, out, _ = claimsieve("data", "audit", planted, "--json", "-q", "--set", each)
    assert code == 0
    assert [row["held_out"] for row in json.loads(out)] == sorted(f"event-{number}" for number in range(40))
    code, out, _ = claimsieve("data", "audit", planted, "-q", "--set", each)
    assert out.count("held out: event-") == 40


# --- data shortcuts, data optimism


def test_shortcuts_are_told_by_how_far_they_get(claimsieve, planted):
    code, out, err = claimsieve("data", "shortcuts", planted, "--seeds", "2")
    assert code == 0
    assert [line.partition(":")[0] for line in err.splitlines()[1:]] == ["seed 0", "seed 1"]
    title, header, _, *rows = [line for line in out.splitlines() if line]
    assert title.startswith("macro-F1 over 2 splits, ")
    assert title.endswith(" test claims each")
    assert header.split()[:2] == ["shortcut", "mean"]
    names = [row.split()[0] for row in rows]
    assert names[0] == "evidence_only"
    assert set(names) == DESCRIPTIONS.keys() - {"source_only"}
    assert all(row.endswith(DESCRIPTIONS[name]) for name, row in zip(names, rows, strict=True))
    values = [float(row.split()[1]) for row in rows]
    assert values == sorted(values, reverse=True)

    code, out, err = claimsieve("data", "shortcuts", planted, "--seeds", "2", "--json", "-q")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["seeds"] == [0, 1]
    assert {name: round(score["value"], 3) for name, score in document["scores"].items()} == dict(
        zip(names, values, strict=True)
    )


def test_optimism_is_told_and_written(claimsieve, planted, tmp_path):
    folder = tmp_path / "new" / "optimism"
    code, out, err = claimsieve("data", "optimism", planted, "--seeds", "2", "-o", folder)
    assert code == 0
    rows = {line.split("  ")[0]: line for line in out.splitlines() if line}
    assert "macro-F1 of planted over 2 seeds" in rows
    assert [name in rows for name in ("group", "random rows", "gap")] == [True] * 3
    assert rows["gap"].split()[1][0] in "+-"
    assert err.splitlines()[-1] == f"wrote {folder / 'optimism.json'} and {folder / 'optimism.png'}"
    assert (folder / "optimism.png").read_bytes().startswith(b"\x89PNG\r\n")
    written = json.loads((folder / "optimism.json").read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["optimism.json", "optimism.png"]

    code, out, err = claimsieve("data", "optimism", planted, "--seeds", "2", "--json", "-q", "-o", folder)
    assert (code, json.loads(out), err) == (0, written, "")
    assert written["split"] == "group"
    assert len(written["honest_by_seed"]) == len(written["random_by_seed"]) == len(written["seeds"]) == 2
    assert written["honest"]["value"] > 0.9


@pytest.mark.parametrize("words", [*STUDIES, "data audit"])
def test_a_wrong_config_is_exit_code_2(claimsieve, words, planted):
    for arguments, problem in (
        (["starter-tfdif"], "Did you mean 'starter-tfidf'?"),
        ([planted, "--set", "data.splt.by=group"], "data.splt: unknown key. Did you mean 'split'?"),
        ([planted, "--set", "data.split.hold_out=event-77"], "found 'event-77'. Did you mean 'event-7'?"),
        ([planted, "--set", "data.maps.plantde.x=verified"], "Did you mean 'planted'?"),
        ([], "Missing argument"),
    ):
        code, out, err = claimsieve(*words.split(), *arguments)
        assert (code, out) == (2, "")
        assert problem in err
        assert "Traceback" not in err


@pytest.mark.parametrize("words", [*STUDIES, "recipe compare-maps"])
def test_one_seed_is_refused(claimsieve, words):
    code, out, err = claimsieve(*words.split(), "starter", "--seeds", "1")
    assert (code, out) == (2, "")
    assert "'--seeds'" in err


def test_a_random_split_has_no_optimism(claimsieve, planted):
    options = ["--set", "data.split.by=random", "--set", "data.split.allow_group_leak=true"]
    code, out, err = claimsieve("data", "optimism", planted, *options)
    assert (code, out) == (2, "")
    assert err == "claimsieve: data.split.by: expected group, source or time to compare with random, found random.\n"


# --- recipe compare-maps


def test_maps_are_compared_in_a_table(claimsieve, rated):
    code, out, err = claimsieve("recipe", "compare-maps", rated, "--seeds", "2", "--rating", "open=null")
    assert code == 0
    assert "as the recipe says: macro-F1 " in err
    lines = out.splitlines()
    assert "own: n-grams over 2 splits by group" in lines
    rows = {line.split("  ")[0]: line.removeprefix(line.split("  ")[0]).split() for line in lines if line}
    assert rows["as the recipe says"][:4] == ["20", "20", "20", "0%"]
    assert rows["no_is_open"][:4] == ["20", "40", "0", "33%"]
    assert rows["as asked"][:4] == ["20", "0", "20", "33%"]
    assert rows["as the recipe says"][-1] == "–"
    assert lines[-2:] == ["no_is_open: no → unverified", "as asked: open → left out"]


def test_maps_are_compared_in_json(claimsieve, rated):
    code, out, err = claimsieve("recipe", "compare-maps", rated, "--seeds", "2", "--json", "-q")
    own, other = json.loads(out)
    assert (code, err) == (0, "")
    assert (own["name"], own["changes"], own["changed"], own["difference"]) == ("as the recipe says", {}, 0.0, None)
    assert (other["name"], other["changes"]) == ("no_is_open", {"no": "unverified"})
    assert other["changed"] == pytest.approx(1 / 3)
    assert other["labels"] == {"verified": 20, "unverified": 40, "propaganda": 0}
    assert other["macro_f1"]["low"] <= other["macro_f1"]["value"] <= other["macro_f1"]["high"]
    assert other["majority"]["value"] < other["macro_f1"]["value"]


@pytest.mark.parametrize(
    ("recipe", "rating", "problem"),
    [
        ("averitek", "a=verified", "averitek: expected the name of a recipe or a recipe file, found neither."),
        (None, "opne=verified", "found 'opne'. Did you mean 'open'?"),
        (None, "open=verifeid", "Did you mean 'verified'?"),
        (None, "open", "--rating open: expected VERDICT=LABEL"),
    ],
)
def test_a_wrong_recipe_or_rating_is_exit_code_2(claimsieve, rated, recipe, rating, problem):
    code, out, err = claimsieve("recipe", "compare-maps", recipe or rated, "--seeds", "2", "-q", "--rating", rating)
    assert (code, out) == (2, "")
    assert problem in err
    assert "Traceback" not in err


def test_maps_of_a_recipe_are_compared_whatever_its_file_is_called(claimsieve, rated, tmp_path):
    (tmp_path / "mine.yaml").write_bytes(Path(rated).read_bytes())
    code, _, err = claimsieve("recipe", "compare-maps", tmp_path / "mine.yaml", "--seeds", "2", "-q")
    assert (code, err) == (0, "")
