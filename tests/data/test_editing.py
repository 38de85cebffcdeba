"""Edits of one kind each: made where claim and evidence say the same, and not where that would refute nothing."""

import random
import re
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve.data.editing import dates, names, negation, numbers, opposites
from claimsieve.data.editing.texts import content, sentences, stem

KNOWN = names.pool(
    ["The dam was designed by Clara Voss.", "The film was directed by Ana Ruiz.", "He was born in Lisbon."]
)


def refuting(kind: ModuleType, claim: str, *passages: str, seed: int = 0) -> list[str] | None:
    more = {"names": KNOWN} if kind is names else {}
    return kind.refuting(claim, passages, random.Random(seed), **more)


def harmless(kind: ModuleType, claim: str, *passages: str, seed: int = 0) -> list[str] | None:
    more = {"names": KNOWN} if kind is names else {}
    return kind.harmless(claim, passages, random.Random(seed), **more)


@pytest.mark.parametrize(
    ("kind", "claim", "passage", "form"),
    [
        (numbers, "80 soldiers were killed.", "That night 80 soldiers died.", r"That night \d+0 soldiers died\."),
        (numbers, "Two boats sank.", "Two boats sank off Malta.", r"(?!Two)[A-Z][a-z]+ boats sank off Malta\."),
        (numbers, "It sold 1,250 tickets.", "1,250 tickets were sold.", r"(\d,)?\d{3} tickets were sold\."),
        (numbers, "Turnout in Bern was 61.5 %.", "In Bern turnout was 61.5 %.", r"In Bern turnout was \d\d\.[1-9] %\."),
        (numbers, "Dozens of houses burnt.", "Dozens of houses burnt.", "Thousands of houses burnt."),
        (numbers, "It cost 5 million euros.", "It cost 5 million euros.", r"It cost \d\d? million euros\."),
        (dates, "The bridge opened in 1931.", "The old bridge opened in 1931.", r"The old bridge opened in 19\d\d\."),
        (dates, "The port opened on 3 May.", "The port opened on 3 May.", r"The port opened on 3 [A-Z][a-z]+\."),
        (opposites, "Wheat prices rose in spring.", "In spring wheat prices rose.", "In spring wheat prices fell."),
        (opposites, "An ice rink opened in Oslo.", "In Oslo an ice rink opened.", "In Oslo an ice rink closed."),
        (opposites, "A man is asleep on an older boat.", "A man is on an older boat.", "A man is on a younger boat."),
        (negation, "The mayor has resigned.", "The mayor has resigned.", "The mayor has not resigned."),
        (negation, "The mill can burn waste.", "The mill can burn waste.", "The mill cannot burn waste."),
        (negation, "The dam did not break.", "The dam did not break that night.", "The dam did break that night."),
        (negation, "The vote isn't final.", "The vote isn't final yet.", "The vote is final yet."),
        (names, "The dam was designed by Jon Berg.", "A dam designed by Jon Berg.", "A dam designed by Clara Voss."),
    ],
)  # fmt: skip
def test_the_evidence_comes_to_say_something_else(kind: ModuleType, claim: str, passage: str, form: str) -> None:
    for seed in range(5):
        edited = refuting(kind, claim, passage, seed=seed)
        assert edited is not None
        assert edited != [passage]
        assert re.fullmatch(form, edited[0])


@pytest.mark.parametrize(
    ("kind", "claim", "passage"),
    [
        (numbers, "At least 80 soldiers were killed.", "That night 80 soldiers were killed."),  # and if 120 were?
        (numbers, "Did 80 soldiers die?", "80 soldiers died."),
        (numbers, "80 soldiers were killed.", "Were 80 soldiers killed? Nobody knows."),
        (numbers, "80 soldiers were killed.", "Some 80 lorries came."),
        (numbers, "80 soldiers were killed.", "80 soldiers were killed, and the A80 was closed: 80-90 lorries."),
        (negation, "80 soldiers were killed.", "That night 80 soldiers were killed."),
        (numbers, "Apollo 11 landed.", "Apollo 11 landed on the Moon."),
        (numbers, "COVID-19 spread.", "COVID-19 spread."),
        (
            dates,
            "In 2019 exports grew by a tenth.",
            "In 2019 exports grew by a tenth.",
        ),  # what of 2019 would 2015 tell?
        (dates, "The 2008 election was won by the left.", "The left won the 2008 election."),
        (dates, "The bridge opened in 1931.", "The bridge opened in 1931, on 1931-05-03."),
        (opposites, "First Lady opened the school.", "The First Lady opened the school; it closed at noon."),
        (opposites, "He ended up in Oslo.", "He ended up in Oslo."),
        (opposites, "Contact with the crew was lost.", "Contact with the crew was lost."),
        (opposites, "Anna Berg is a woman.", "Anna Berg is a woman."),
        (negation, "The mayor has resigned.", "The mayor has resigned. Yes, the mayor has resigned."),
        (negation, "The mayor has resigned over the flooded tunnel.", "The mayor has left."),
        (negation, "The mayor may have resigned.", "The mayor has resigned."),
        (negation, "The mayor has resigned.", "If the mayor has resigned, the deputy leads."),
        (negation, "The tunnel was flooded.", "The tunnel was only flooded once."),
        (
            names,
            "The dam was praised by Jon Berg.",
            "The dam was praised by Jon Berg.",
        ),  # others may have praised it too
        (names, "The dam was designed by Jon Berg and his son.", "It was designed by Jon Berg and his son."),
        (names, "The dam was designed by Jon Berg.", "The dam was designed by Jon Berg. Berg lived near."),
        (names, "He was born in Canada.", "He was born in Burnaby, Canada."),
        (names, "He was born in Portugal.", "He was born in Portugal in 1970."),  # Lisbon would be no denial
        (negation, "Some ministers were present.", "Some ministers were present."),  # and others were not
        (negation, "Two men were arrested.", "Two men were arrested."),
        (negation, "Many do not have access.", "Many do not have access."),
        (numbers, "It is taller than 300 metres.", "It is 300 metres tall."),
        (numbers, "It had 11 million readers.", "It had over 11 million readers."),
    ],
)
def test_what_might_refute_nothing_is_left_alone(kind: ModuleType, claim: str, passage: str) -> None:
    assert all(refuting(kind, claim, passage, seed=seed) is None for seed in range(5))


def test_what_holds_other_places_is_put_in_for_none() -> None:
    wide = ["She was born in France.", "He was born in Alabama.", "He was born in South Korea."]
    assert names.pool(wide) == {}
    assert names.pool(["She was born in Lyon.", *wide]) == {("born in", 1): ["Lyon"]}


@pytest.mark.parametrize(
    ("kind", "claim", "passage"),
    [
        (numbers, "Soldiers guarded the bridge.", "Soldiers guarded the bridge, 300 metres away from here."),
        (numbers, "Dogs run.", "Three dogs run in the snow."),
        (dates, "The dam broke.", "The dam broke, says a letter of 1931."),
        (opposites, "A dog runs.", "A black dog runs in the snow."),
        (opposites, "Somebody rides a bicycle.", "A girl rides a bicycle."),
        (negation, "The dam broke.", "The dam broke. Nearby roads were closed at night."),
        (names, "The dam broke.", "The dam broke, and a chapel designed by Jon Berg fell."),
    ],
)
def test_evidence_is_edited_where_the_claim_does_not_look(kind: ModuleType, claim: str, passage: str) -> None:
    edited = harmless(kind, claim, passage)
    assert edited is not None
    assert edited != [passage]
    assert content(claim) & content(edited[0]) == content(claim) & content(passage)


@pytest.mark.parametrize(
    ("kind", "claim", "passage"),
    [
        (numbers, "Many soldiers came.", "300 soldiers came."),
        (numbers, "A couple runs.", "Two people run."),
        (dates, "The dam broke before the war.", "The dam broke, says a letter of 1931."),
        (dates, "The dam broke.", "The dam broke in 1931."),
        (opposites, "A dark dog runs.", "A black dog runs."),
        (opposites, "She runs.", "A girl runs."),
        (opposites, "It sells men's shirts.", "It sells shirts for men only."),
        (negation, "The dam broke.", "The dam was broken."),
        (names, "Berg built a dam.", "Berg built a dam designed by Jon Berg."),
    ],
)
def test_what_the_claim_may_rest_on_is_left_alone(kind: ModuleType, claim: str, passage: str) -> None:
    assert all(harmless(kind, claim, passage, seed=seed) is None for seed in range(5))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 10**9),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["soldiers", "%", "million euros"]),
    st.integers(0, 9),
)
def test_another_number_is_of_the_same_form_and_clearly_another(
    whole: int, decimals: int, commas: bool, counted: str, seed: int
) -> None:
    form = f"{whole / 10**decimals:{',' if commas else ''}.{decimals}f}"
    edited = refuting(numbers, f"They lost {form} {counted}.", f"In all they lost {form} {counted}.", seed=seed)
    if edited is None:
        return
    new = edited[0].removeprefix("In all they lost ").removesuffix(f" {counted}.")
    old_value, new_value = float(form.replace(",", "")), float(new.replace(",", ""))
    assert max(old_value, new_value) / min(old_value, new_value) >= 1.5
    assert 0.35 <= new_value / old_value <= 2.6
    assert len(new.partition(".")[2]) == len(form.partition(".")[2])
    assert ("," in new) == ("," in form and new_value >= 1000)
    assert counted != "%" or old_value > 100 or new_value <= 100
    if not decimals:
        zeros = len(form.replace(",", "")) - len(form.replace(",", "").rstrip("0"))
        assert int(new_value) % 10**zeros == 0


def test_every_passage_gets_the_same_new_number() -> None:
    edited = refuting(
        numbers, "80 soldiers were killed.", "80 soldiers were killed.", "No lorries.", "All 80 soldiers died."
    )
    assert edited is not None
    first, second, third = (re.findall(r"\d+", text) for text in edited)
    assert first == third != ["80"]
    assert second == []


def test_a_sentence_does_not_end_at_an_abbreviation() -> None:
    text = "Mr. John F. Berg left Jan. 3. Was he ill? yes. He came back"
    assert [text[start:end] for start, end in sentences(text)] == [
        "Mr. John F. Berg left Jan. 3.",
        "Was he ill?",
        "yes.",
        "He came back",
    ]


@pytest.mark.parametrize("forms", ["run runs running", "kill kills killed killing", "study studies", "house houses"])
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1
