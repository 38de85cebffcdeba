"""What docs/data.md says to type is typed, with the table and the config that it shows."""

import csv
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from claimsieve.evaluation.shortcuts import DESCRIPTIONS
from claimsieve.settings import AuditCheck

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("claimsieve ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder as the page's reader has it: the config of the page, and its table with more rows of the same form."""
    folder = tmp_path_factory.mktemp("reader")
    (config,) = blocks("yaml")
    (folder / "mine.yaml").write_text(config, encoding="utf-8")
    (table,) = blocks("csv")
    first = list(csv.DictReader(io.StringIO(table)))
    verdicts = ("right", "wrong", "open", "old")
    rows = [
        {
            **first[story % 2],
            "statement": f"Claim {number} on story {story}: bridge {story * 7 + number} was hit that night.",
            "verdict": verdicts[number],
            "notes": f"Report {story}-{number}: the bridge was found {('whole', 'broken', 'closed', 'open')[number]}.",
            "story": f"story {story}",
        }
        for story in range(15)
        for number in range(4)
    ]
    with (folder / "our-checks.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(first[0]))
        writer.writeheader()
        writer.writerows(first + rows)
    return folder


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_page_works(command, workplace):
    _, *rest = shlex.split(command)
    if rest[0] == "train":
        rest += ["--set", "tracking.enabled=false"]
    if rest[1] == "optimism":
        rest += ["--seeds", "2"]
    result = subprocess.run(
        [sys.executable, "-m", "claimsieve", *rest], cwd=workplace, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    if rest[0] == "train":
        assert "margin over the best shortcut: " in result.stdout


def test_the_page_has_commands():
    assert len(commands()) >= 6


def test_the_pages_table_of_checks_is_the_codes():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.split("## The audit")[1].split("## Shortcuts")[0], flags=re.MULTILINE)
    assert tuple(rows) == get_args(AuditCheck)


def test_the_pages_table_of_shortcuts_is_the_codes():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.split("## Shortcuts")[1], flags=re.MULTILINE)
    assert dict(rows) == DESCRIPTIONS
