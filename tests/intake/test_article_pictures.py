"""Which pictures the claims of an article are about; where that cannot be told, none."""

import pytest

from claimsieve.intake.claims import claims_of
from claimsieve.intake.images import name_of, picture_of
from claimsieve.intake.reading import document_of
from claimsieve.intake.sources import Source

STORY = "<p>The dam above Tarsk burst on Monday night and water covered the old town within an hour.</p>"
CAPTION = "Water covers the market square of Tarsk."
OTHER = "Soldiers clear the bridge at the mill of Tarsk."


def pictures(text: str, form: str = "html") -> dict[str, list[str]]:
    """The claims that have pictures, with the best name of each picture."""
    if form == "html":
        text = f'<html lang="en"><body><article><h1>A dam bursts</h1>{STORY}{text}{STORY}</article></body></html>'
    else:
        text = f"Police said two people drowned.\n\n{text}\n\nThe dam above Tarsk burst on Monday night."
    found = claims_of(document_of(Source(f"a.{form}", text, form)))
    return {one.claim: [names[0] for names in one.pictures] for one in found if one.pictures}


@pytest.mark.parametrize(
    "figure",
    [
        "<figure><img src='a.jpg'><figcaption>{}</figcaption></figure>",
        "<figure><figcaption>{}</figcaption><a href='big.jpg'><img src='a.jpg'></a></figure>",
        "<figure><picture><source srcset='a.jpg 8w'><img src='s.jpg'></picture><figcaption>{}</figcaption></figure>",
        "<figure><img src='data:image/gif;base64,R0' data-src='a.jpg'><figcaption>{}</figcaption></figure>",
        "<figure><img data-srcset='s.jpg 320w, a.jpg 1024w, m.jpg 640w'><figcaption>{}</figcaption></figure>",
        "<figure><img src='data:,'><noscript><img src='a.jpg'></noscript><figcaption>{}</figcaption></figure>",
        "<figure><img src='/icons/x.png'><img src='a.jpg'><figcaption><p>{}</p></figcaption></figure>",
        "<figure><img src='a.jpg'><figcaption>{}</figcaption><figcaption>Photo: AFP</figcaption></figure>",
        "<div class='wp-caption'><a><img src='a.jpg'></a><p class='wp-caption-text'>{}</p></div>",
        "<p><img src='a.jpg'></p><p class='caption'>{}</p>",
        "<p><img src='a.jpg'></p><p>{} Photo: AFP</p>",
        "<img src='b.jpg'><p></p><img src='a.jpg'><p class='caption'>{}</p>",  # of two in a row the nearer one
    ],
)
def test_a_caption_in_html_has_its_picture(figure):
    assert pictures(figure.format(CAPTION)) == {CAPTION: ["a.jpg"]}


def test_a_figure_may_have_two_pictures_and_each_figure_has_its_own():
    two = f"<figure><img src='a.jpg'><img src='b.jpg'><figcaption>{CAPTION}</figcaption></figure>"
    one = f"<figure><img src='c.jpg'><figcaption>{OTHER}</figcaption></figure>"
    assert pictures(two + one) == {CAPTION: ["a.jpg", "b.jpg"], OTHER: ["c.jpg"]}


def test_the_caption_of_a_gallery_is_of_all_and_those_within_of_theirs():
    inner = f"<figure><img src='b.jpg'><figcaption>{OTHER}</figcaption></figure>"
    found = pictures(f"<figure><figure><img src='a.jpg'></figure>{inner}<figcaption>{CAPTION}</figcaption></figure>")
    assert found == {CAPTION: ["a.jpg", "b.jpg"], OTHER: ["b.jpg"]}


@pytest.mark.parametrize(
    "text",
    [
        "<figure><img src='a.jpg'><img src='b.jpg'>"
        f"<figcaption>{CAPTION}</figcaption><figcaption>{OTHER}</figcaption></figure>",
        f"<figure><img src='a.jpg'><iframe src='film'></iframe><figcaption>{CAPTION}</figcaption></figure>",
        f"<figure><img src='data:image/png;base64,AAAA'><figcaption>{CAPTION}</figcaption></figure>",
        f"<figure><img src='a.jpg' width='1' height='1'><figcaption>{CAPTION}</figcaption></figure>",
        f"<figure><img src='a.jpg' class='avatar'><figcaption>{CAPTION}</figcaption></figure>",
        f"<figure><img src='a.jpg'><figcaption>{CAPTION} File photo</figcaption></figure>",
        f"<figure><img src='a.jpg'><figcaption>{CAPTION} Credit: Archive</figcaption></figure>",
        f"<figure><img src='a.jpg'><figcaption>FILE - {CAPTION}</figcaption></figure>",
        f"<p><img src='a.jpg'></p><video></video><p class='caption'>{CAPTION}</p>",
        f"<p><img src='a.jpg'></p><p>The mayor was there.</p><p class='caption'>{CAPTION}</p>",
        f"<p class='caption'>{CAPTION}</p><p><img src='a.jpg'></p>",
        "<p><img src='a.jpg'></p><p>The bridge at the mill of Tarsk was built in 1931.</p>",
        "<p>The bridge <img src='a.jpg'> at the mill of Tarsk was built in 1931.</p>",
    ],
)
def test_where_it_cannot_be_told_a_claim_has_none(text):
    assert pictures(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "![alt](a.jpg)\n\n*{}*",
        "![alt](a.jpg)\n{}",
        '![alt](a.jpg "{}")',
        '![alt](a.jpg "A title below which a caption stands.")\n\n*{}*',
        "<figure>\n<img src='a.jpg'>\n<figcaption>{}</figcaption>\n</figure>",
        "<figure>\n<img src='a.jpg'>\n\n<figcaption>{}</figcaption>\n</figure>",
        "<img src='a.jpg'>\n\n*{}*",
        "<a href='b.jpg'><img src='a.jpg'></a>\n{}",
    ],
)
def test_a_caption_in_markdown_has_its_picture(text):
    assert pictures(text.format(CAPTION), "markdown") == {CAPTION: ["a.jpg"]}


def test_pictures_with_titles_in_one_paragraph_have_each_its_own():
    found = pictures(f'![](a.jpg "{CAPTION}") ![](b.jpg "{OTHER}")', "markdown")
    assert found == {CAPTION: ["a.jpg"], OTHER: ["b.jpg"]}


def test_alternative_texts_are_no_captions():
    assert pictures(f"![{CAPTION}](a.jpg)", "markdown") == {}
    assert pictures(f"<figure><img src='a.jpg' alt='{CAPTION}'></figure>") == {}


POST = "The bridge at the mill was hit by 20 rockets."


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f"<blockquote><p>{POST}</p><img src='a.jpg'>&mdash; Ann Lee (@annlee) March 4, 2021</blockquote>", "html"),
        (f"<blockquote><p><img src='a.jpg'></p><p>{POST}</p>&mdash; Ann Lee (@annlee)</blockquote>", "html"),
        (f"<blockquote><p>{POST}</p>&mdash; Ann Lee (@annlee)<br><img src='a.jpg'></blockquote>", "html"),
        (f"> {POST}\n>\n> ![](a.jpg)\n>\n> — Ann Lee (@annlee) March 4, 2021", "markdown"),
        (f"{POST}\n\n![](a.jpg)\n\n— Ann Lee (@annlee) March 4, 2021", "markdown"),
    ],
)
def test_a_post_has_the_pictures_within(text, form):
    assert pictures(text, form) == {POST: ["a.jpg"]}


def test_a_picture_after_a_post_or_above_it_is_not_the_posts():
    post = f"<blockquote><p>{POST}</p>&mdash; Ann Lee (@annlee)</blockquote>"
    assert pictures(f"<p><img src='a.jpg'></p>{post}<p><img src='b.jpg'></p>") == {}


@pytest.mark.parametrize(
    "text",
    [
        "![](a.jpg)\n\nThese pictures show the explosions of last night in Tarsk.",
        "These pictures show the explosions of last night in Tarsk.\n\n![](a.jpg)",
        "![](a.jpg)\n\nState television claimed that these pictures show the explosions of last night in Tarsk.",
    ],
)
def test_a_sentence_that_points_at_the_picture_beside_it_has_it(text):
    assert pictures(text, "markdown") == {"These pictures show the explosions of last night in Tarsk.": ["a.jpg"]}


def test_between_two_pictures_nobody_knows_which_is_meant_and_one_with_a_caption_is_not():
    points = "These pictures show the explosions of last night in Tarsk."
    assert pictures(f"![](a.jpg)\n\n{points}\n\n![](b.jpg)", "markdown") == {}
    assert pictures(f"{points}\n\n![](a.jpg)\n\n*{CAPTION}*", "markdown") == {CAPTION: ["a.jpg"]}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("a%20b.jpg", "a b.jpg"),
        ("story_files/a.jpg?w=300#top", "story_files/a.jpg"),
        ("pic.jpg%3Fw=300", "pic.jpg?w=300"),
        ("caf%C3%A9.jpg", "café.jpg"),
        ("Datei%3ATarsk.jpg", "./Datei:Tarsk.jpg"),
        ("%2e%2e/x.jpg", "../x.jpg"),
        ("//cdn.example/a%20b.jpg", "https://cdn.example/a%20b.jpg"),
        ("https://cdn.example/a.jpg?w=3", "https://cdn.example/a.jpg?w=3"),
        ("FILE:///etc/passwd", "FILE:///etc/passwd"),
        ("data:image/png;base64,AAAA", None),
        ("javascript:alert(1)", None),
        ("a%00.jpg", None),
        ("a\ud800.jpg", None),
        ("x" * 3_000, None),
        ("#top", None),
        ("  ", None),
    ],
)
def test_references_become_names(reference, name):
    assert name_of(reference) == name


def test_a_picture_has_all_its_names_the_best_first():
    found = picture_of({"src": "small.jpg", "data-src": "big.jpg", "srcset": "m,1.jpg 2x, l.jpg 3x,small.jpg"})
    assert found == ("big.jpg", "l.jpg", "m,1.jpg", "small.jpg")


@pytest.mark.parametrize(
    "text",
    [
        "<figure>" + "<img src='a.jpg'>" * 20_000 + f"<figcaption>{CAPTION}</figcaption></figure>",
        f"<figure><img src='a.jpg'>{'<figcaption>Water!</figcaption>' * 10_000}</figure>",
        "<figure><figcaption>Water</figcaption>" * 150 + "<img src='a.jpg'>" * 9_000 + "</figure>" * 150,
        f"<img srcset='{'a ' * 50_000}'><img srcset='{',' * 90_000}'><p class='caption'>{CAPTION}</p>",
        f"<img srcset='{'x' * 9_990} y z'>" * 400 + f"<p class='caption'>{CAPTION}</p>",
        "<div>" + "<img src='data:,'><noscript><img src='b.jpg'></noscript>" * 8_000 + "</div>",
    ],
    ids=["pictures", "captions", "nested", "srcset", "long name", "noscript"],
)
def test_pages_of_thousands_of_pictures_are_read(text):
    assert set(pictures(text)) <= {CAPTION}


def test_a_caption_names_only_so_many_pictures():
    many = "".join(f"<img src='{number}.jpg'>" for number in range(1_000))
    (names,) = pictures(f"<figure>{many}<figcaption>{CAPTION}</figcaption></figure>").values()
    assert names == [f"{number}.jpg" for number in range(100)]
