"""docs/config.md has every key that a config may have, with its default, and no other."""

import json
import re
from pathlib import Path

import pytest

from claimsieve import settings
from claimsieve.settings import RunConfig, assessment, data, model
from claimsieve.settings.section import Section

PAGE = (Path(__file__).parent.parent / "docs" / "config.md").read_text(encoding="utf-8")
SECTIONS = {
    "The run": RunConfig,
    "data": data.Data,
    "data.corpora": data.Corpus,
    "data.split": data.Split,
    "data.augmentation": data.Augmentation,
    "data.audit": data.Audit,
    "training": model.Training,
    "calibration": assessment.Calibration,
    "evaluation": assessment.Evaluation,
    "evaluation.review": assessment.Review,
    "tracking": settings.Tracking,
    "gate": assessment.Gate,
    "card": assessment.Card,
    "sweep": settings.Sweep,
    "**tfidf**": model.TfidfModel,
    "**static**": model.StaticModel,
    "**encoder** and **two_axis**": model.TwoAxisModel,
}


def rows_under(heading: str) -> dict[str, str]:
    """Key → default, of the first table below a heading."""
    start = PAGE.index(f"\n{heading}\n" if heading.startswith("**") else f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", PAGE[start:], flags=re.MULTILINE)
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.group().splitlines()[2:]]
    assert all(len(row) == 3 and all(row) for row in cells)
    return {key.strip("`"): default for key, default, _ in cells}


def is_section(annotation: object) -> bool:
    """Whether it has a table of its own. A list of sections and an optional one are keys."""
    return isinstance(annotation, type) and issubclass(annotation, Section)


def defaults_of(section: type[Section]) -> dict[str, str]:
    found = {}
    for name, field in section.model_fields.items():
        if is_section(field.annotation) or name in ("kind", "model"):
            continue
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        found[name] = "–" if field.is_required() else json.dumps(value).replace('"', "")
    return found


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_table_has_the_keys_and_their_defaults(heading):
    expected = defaults_of(SECTIONS[heading])
    if heading == "**encoder** and **two_axis**":
        expected["pooling"] = defaults_of(model.EncoderModel)["pooling"]
        assert defaults_of(model.EncoderModel).keys() == expected.keys() - {"no_evidence"}
    assert rows_under(heading) == expected


def test_every_section_has_a_table():
    def sections(section: type[Section]) -> set[type[Section]]:
        own = {field.annotation for field in section.model_fields.values() if is_section(field.annotation)}
        return {section, *own, *(deeper for one in own for deeper in sections(one))}

    assert sections(RunConfig) <= set(SECTIONS.values())
    assert set(re.findall(r"^## (.*)$", PAGE, flags=re.MULTILINE)) == {
        *(name for name in SECTIONS if not name.startswith("**")),
        "model",
    }


def test_the_adapters_are_told_as_they_are():
    (told,) = re.findall(r"`\{(rank: .*?)\}`", PAGE)
    assert told == ", ".join(f"{key}: {value.removesuffix('.0')}" for key, value in defaults_of(model.Lora).items())
