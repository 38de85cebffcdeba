"""Masked names: no state, party or outlet can be read any more, one thing keeps one placeholder, all else stays."""

import re
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.masking import masked_names
from claimsieve.records import Claim, Evidence

FILES = {"states.txt": 195, "parties.txt": 60, "outlets.txt": 150}
PLACEHOLDER = re.compile(r"\b(?:people of )?(?:Country|Party|Outlet) [A-Z]+\b(?:'s)?")


def listed(file: str) -> list[str]:
    text = resources.files("claimsieve.data").joinpath("names", file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [name.strip() for line in lines for name in re.split("[;,]", line) if name.strip()]


NAMES = [name for file in FILES for name in listed(file)]
FILLER = [
    "troops",
    "said",
    "the",
    "a",
    "and",
    "of",
    ",",
    ".",
    "-",
    "in 2020",
    "Party",
    "New",
    "Green",
    "usable",
    "USAID",
    "'s",
]
SEARCHES = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in NAMES]
texts = st.lists(st.sampled_from(NAMES) | st.sampled_from(FILLER), max_size=12).map(" ".join)


def masked(text: str) -> str:
    return masked_names(Claim(claim=text)).claim


@pytest.mark.parametrize(("file", "least"), FILES.items())
def test_the_lists_are_long_and_hold_each_name_once(file: str, least: int) -> None:
    assert len({name.split(";")[0] for name in listed(file)}) >= least
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Russia denies it.", "Country A denies it."),
        ("An Iranian ship met a US ship.", "A Country A's ship met a Country B ship."),
        ("The Danes and Denmark's king", "The people of Country A and Country A's king"),
        ("An American's view of the U.S. and of AMERICA", "A Country A's view of the Country A and of Country A"),
        ("Democrats blame the Republican Party", "people of Party A blame the Party B"),
        ("A BBC report on China Daily and China", "An Outlet A report on Outlet B and Country A"),
        ("The Times of Israel and the Times", "Outlet A and Outlet B"),
        ("Papua New Guinea, Guinea, Guinea-Bissau", "Country A, Country B, Country C"),
        ("Côte d’Ivoire is the Ivory\nCoast", "Country A is the Country A"),
        ("US-led, but not USAID, us, Indiana or polish", "Country A-led, but not USAID, us, Indiana or polish"),
        ("RT @somebody: RT says so", "RT @somebody: Outlet A says so"),
        ("Country A fears Iran", "Country A fears Country B"),
    ],
)
def test_names_give_way_to_placeholders(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_one_thing_has_one_placeholder_throughout_the_record_and_the_rest_stays() -> None:
    claim = Claim(
        claim="Iranian missiles hit a base in Iraq.",
        id="Iran-1",
        source="Press TV",
        date="2020-01-08",
        evidence=(
            Evidence("Iraq was warned by Iran, said CNN.", "Press TV", "2020-01-09", "https://example.org/Iran"),
            Evidence("Nothing more is known."),
        ),
        event="Iran",
        label="verified",
        stance="supported",
        rating="true",
        corpus="wire",
    )
    expected = replace(
        claim,
        claim="Country A's missiles hit a base in Country B.",
        source="Outlet A",
        evidence=(
            replace(claim.evidence[0], text="Country B was warned by Country A, said Outlet B.", source="Outlet A"),
            claim.evidence[1],
        ),
    )
    assert masked_names(claim) == expected


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_no_listed_name_is_left_and_masking_again_changes_nothing(claim: str, passage: str) -> None:
    once = masked_names(Claim(claim=claim, source=passage[:20], evidence=(Evidence(passage, claim),)))
    assert masked_names(once) == once
    left = PLACEHOLDER.sub("", once.claim)
    assert not any(name.search(left) for name in SEARCHES)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Lu", "Lt", "Cs"])))
def test_text_without_a_capital_stays(text: str) -> None:
    assert masked(text) == text


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
def test_what_stands_between_names_stays(names: list[str]) -> None:
    text = " | ".join(names)
    parts = masked(text).split(" | ")
    assert len(parts) == len(names)
    assert all(PLACEHOLDER.fullmatch(part) for part in parts)
    same = {(a, b) for a in range(len(names)) for b in range(len(names)) if names[a] == names[b]}
    assert all(parts[a] == parts[b] for a, b in same)
