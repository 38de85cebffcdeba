"""Of a page the article is kept, with the captions above its first words and below its last."""

import pytest

from claimsieve.intake.claims import claims_of
from claimsieve.intake.reading import document_of
from claimsieve.intake.sources import Source

CAPTION = "The strike destroyed 20 buildings in the town of Tarsk."
FIGURE = f'<figure><img src="p0.jpg"><figcaption>{CAPTION}</figcaption></figure>'
PARAGRAPHS = "".join(
    f"<p>{text}</p>"
    for text in (
        "Missiles hit two bases near Tarsk before dawn on Wednesday, and the road to the town was closed.",
        "The government counted 22 missiles, of which five came down in the fields in the north of the country.",
        "The mayor of Tarsk told reporters that nobody was hurt in the town, and that schools stay closed.",
    )
)


@pytest.mark.parametrize("body", [PARAGRAPHS + FIGURE, FIGURE + PARAGRAPHS, f"{PARAGRAPHS}<div></div>{FIGURE}"])
def test_a_caption_at_an_end_of_the_article_keeps_its_picture(body):
    page = f'<html lang="en"><body><article><h1>Missiles hit two bases near Tarsk</h1>{body}</article></body></html>'
    found = claims_of(document_of(Source("a.html", page, "html")))
    assert {one.claim: [names[0] for names in one.pictures] for one in found if one.pictures} == {CAPTION: ["p0.jpg"]}
