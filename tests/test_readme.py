"""What the README says to type is typed, and its facts are checked against the code."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from claimsieve.records import label_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


STORY = """# Bridge hit

8 January 2020

Two missiles hit the bridge at Erbil, the governor said. Officials of both countries say that nobody was hurt.
"""


def _commands() -> list[str]:
    """Commands of the README's shell blocks that call claimsieve, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("claimsieve ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder as the README's reader has it: a trained model in runs/mine and a file of tweets."""
    folder = tmp_path_factory.mktemp("reader")
    quick = ["--set", "tracking.enabled=false", "-q", "-o", "runs/mine"]
    _run(["train", "starter-tfidf", *quick], folder)
    (folder / "story.md").write_text(STORY, encoding="utf-8")
    (folder / "tweets.csv").write_text("text,likes\nThe bridge was hit.,3\nNobody was hurt.,5\n", encoding="utf-8")
    return folder


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "claimsieve", *arguments], cwd=folder, capture_output=True, text=True, timeout=600
    )


def test_the_readme_has_commands():
    assert len(_commands()) >= 6


@pytest.mark.parametrize("command", _commands())
def test_a_command_of_the_readme_works(command, workplace):
    _, name, *rest = shlex.split(command)
    if name == "ui":
        pytest.skip("a server: started in test_tracking.py")
    if name == "train":
        # The encoder's own training takes a minute; the command is the same for the quick kind.
        rest = ["starter-tfidf" if word == "starter-encoder" else word for word in rest]
        rest = ["runs/again" if word == "runs/mine" else word for word in rest]
        rest += ["--set", "tracking.enabled=false"]
    result = _run([name, *rest], workplace)
    assert result.returncode == 0, result.stderr


def test_the_readmes_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_readmes_table_of_labels_is_the_codes():
    rows = re.findall(r"^\| (supports|does not settle|refutes).*?\| (\w+) \| (\w+) \|$", README, flags=re.MULTILINE)
    stances = {"supports": "supported", "does not settle": "insufficient", "refutes": "refuted"}
    assert len(rows) == 3
    for words, plain, manipulated in rows:
        assert (plain, manipulated) == (label_of(stances[words], False), label_of(stances[words], True))


def test_the_readmes_tree_is_the_tree():
    tree = README.split("## The house")[1].split("```")[1]
    root = ROOT
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if name == "src/claimsieve/":
            root = ROOT / name
            continue
        base = root if line.startswith("  ") else ROOT
        assert (base / name).exists(), name
