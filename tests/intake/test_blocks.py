"""What each piece of an article is taken for."""

import pytest

from claimsieve.intake.blocks import is_boilerplate
from claimsieve.intake.reading import document_of
from claimsieve.intake.sentences import sentences
from claimsieve.intake.sources import Source


def blocks(text: str):
    document = document_of(Source("a.txt", text, "text"))
    return [(block.kind, block.speaker, [text[start:end] for start, end in block.spans]) for block in document.blocks]


STORY = "The dam above Tarsk burst on Monday night, and the water board closed the road to the mill."


def test_a_post_with_its_sign_off_in_the_same_paragraph():
    found = blocks(f"{STORY}\n\nThe bridge is gone. Stay away! — Ann Lee (@annlee) March 4, 2021\n\n{STORY}")
    assert found[1] == ("post", "Ann Lee (@annlee)", ["The bridge is gone. Stay away!"])
    assert [kind for kind, *_ in found] == ["paragraph", "post", "paragraph"]


def test_a_post_of_several_paragraphs_ends_at_its_sign_off_and_begins_after_the_story():
    text = (
        f"{STORY} The mayor said so on Twitter.\n\nThe bridge at the mill is gone.\n\nOur crews are on their way.\n\n"
    )
    found = blocks(f"{text}— Ann Lee (@annlee) March 4, 2021\n\n{STORY}")
    assert found[1] == ("post", "Ann Lee (@annlee)", ["The bridge at the mill is gone.", "Our crews are on their way."])
    assert [kind for kind, *_ in found] == ["paragraph", "post", "paragraph"]


def test_a_paragraph_that_hands_over_with_a_colon_is_no_part_of_the_post():
    found = blocks("The mayor was brief:\n\nThe bridge is gone.\n\nAnn Lee (@annlee) · 4 March 2021\n")
    assert [kind for kind, *_ in found] == ["paragraph", "post"]


@pytest.mark.parametrize(
    ("caption", "words", "credit"),
    [
        (
            "Water covers the market square of Tarsk. Credit: P. Loe",
            "Water covers the market square of Tarsk.",
            "P. Loe",
        ),
        ("Water covers the square of Tarsk (Photo: AFP)", "Water covers the square of Tarsk", "AFP"),
        ("Water covers the square of Tarsk - Anadolu", "Water covers the square of Tarsk", "Anadolu"),
        ("Water covers the square of Tarsk. Jan Holt/Reuters", "Water covers the square of Tarsk.", "Jan Holt/Reuters"),
        (
            "Water covers the square of Tarsk. [Ali Said/AP Photo]",
            "Water covers the square of Tarsk.",
            "Ali Said/AP Photo",
        ),
    ],
)
def test_a_caption_is_known_by_its_credit(caption, words, credit):
    assert blocks(f"{caption}\n\n{STORY}")[0] == ("caption", credit, [words])


@pytest.mark.parametrize("run", [". " * 50_000, " " * 100_000, ")" * 100_000])
def test_a_long_run_of_dots_takes_no_long_time(run):
    """With a search that starts over at every dot it would take hours."""
    assert blocks(f"Contents {run} 5\n\n{STORY}")[-1] == ("paragraph", None, [STORY])


def test_a_story_that_names_an_agency_is_no_caption():
    text = f"The dam at al-Sadd burst, a witness told Reuters.\n\n{STORY} It was built by the state - in 1931."
    assert [kind for kind, *_ in blocks(text)] == ["paragraph", "paragraph"]


def test_a_dateline_is_no_part_of_the_first_sentence_and_names_the_outlet():
    text = f"TARSK (Meridian Wire) — {STORY}\n\n{STORY}"
    assert blocks(text)[0] == ("paragraph", None, [STORY])
    assert document_of(Source("a.txt", text, "text")).article.outlet == "Meridian Wire"


@pytest.mark.parametrize(
    "line",
    [
        "By Ann Lee",
        "By Ann Lee, Middle East correspondent",
        "Ann Lee, science editor",
        "Sign up to our newsletter for the day's stories.",
        "Read more: how the dam was built",
        "We use cookies to count visits. Accept all",
        "Share",
        "© 2021 The Echo. All rights reserved.",
        "Published 4 March 2021, 10:15",
        "4 March 2021",
        "5 min read",
        "Additional reporting by Jan Holt",
        "Ledger staff writer Ada Bly contributed to this report.",
        "By Owen Reed · Nov. 11, 2022 · 4 min read",
        "Terms of service · Privacy policy · Contact",
        "Did you see it? Write to desk@echo.example.",
        "Advertisement",
    ],
)
def test_what_is_around_a_story_is_boilerplate(line):
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "By Monday night the dam had burst and two people were missing.",
        "Share prices fell by a third after the dam burst.",
        "Police published a video of the dam.",
        "Reporting restrictions were lifted on 4 March.",
        "Related services in the town were closed on Monday.",
        "The bank lent out what its customers had paid in, people familiar with the matter said. That is not what they "
        "had signed up for: its terms of service say that deposits are not the bank's property, nor lent to anybody.",
        "Donated blankets reached the school at noon.",
    ],
)
def test_a_sentence_of_the_story_is_not(line):
    assert not is_boilerplate(line)


@pytest.mark.parametrize("stamp", ["07:15", "7.15am", "16.10 GMT", "09:30 –"])
def test_the_time_of_an_entry_is_no_part_of_what_it_says(stamp):
    assert blocks(f"{stamp} {STORY}\n\n{STORY}")[0] == ("paragraph", None, [STORY])


def test_a_file_photo_is_by_nobody():
    assert blocks(f"{STORY}\n\nAnn Lee visits the mill on Monday. File photo\n\n{STORY}")[1] == (
        "caption",
        None,
        ["Ann Lee visits the mill on Monday."],
    )


def test_two_short_lines_are_two_headings_and_no_paragraph():
    found = blocks(f"{STORY}\n\n16.10 GMT\nSchools shut\n\n{STORY}")
    assert [kind for kind, *_ in found] == ["paragraph", "heading", "heading", "paragraph"]


def test_stories_under_a_heading_of_links_are_none():
    found = blocks(f"{STORY}\n\nRelated stories\n\nHow the dam was built\n\nThe mill that lost its river")
    assert [kind for kind, *_ in found] == ["paragraph", *["boilerplate"] * 3]


SPLIT = [
    ("The dam burst at 5 p.m. Monday. Two died.", 2),
    ("Gen. A. Smith of the U.S. Army said so. He left.", 2),
    ("'All is well!' President Jan Holt tweeted on Monday.", 1),
    ("“Is it true?” she asked. Nobody knew.", 2),
    ("The dam burst. Water came.\nThe mill is gone.", 3),
]


@pytest.mark.parametrize(("text", "count"), SPLIT)
def test_sentences_end_where_they_end(text, count):
    found = sentences(text, (0, len(text)))
    assert len(found) == count
    assert all(text[start:end] == text[start:end].strip() for start, end in found)
