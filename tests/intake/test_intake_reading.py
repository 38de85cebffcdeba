"""What is read of an article, in whatever form it comes, and what is refused."""

import io
import sys
import textwrap

import pytest

from claimsieve.errors import DataError
from claimsieve.intake.reading import document_of, read_document
from claimsieve.intake.sources import Source, decoded

BODY = "The dam above Tarsk burst on Monday night.\n\nPolice said two people were missing."

PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Dam bursts above Tarsk</title>
<meta property="og:site_name" content="The Tarsk Echo">
<meta property="article:published_time" content="2021-03-04T08:00:00Z">
<meta name="author" content="Jane Roe"></head>
<body><nav><a href="/">Start page of the paper</a></nav>
<article><h1>Dam bursts above Tarsk</h1>
<figure><img src="a.jpg"><figcaption>Water covers the market square of Tarsk. Credit: P. Loe/Echo</figcaption></figure>
<p>The dam above Tarsk burst on Monday night and water covered the old town within an hour.</p>
<p>Police said two people were missing, and the fire brigade took forty others from their roofs.</p>
<blockquote class="twitter-tweet"><p lang="en">The bridge at the mill is gone.</p>&mdash; Tarsk Police (@tarskpolice)
<a href="https://example.org/1">March 4, 2021</a></blockquote>
<p>The dam was built in 1931 and was last inspected in 2018, according to the water board of the district.</p>
</article><footer>All rights reserved</footer></body></html>"""


def kinds(document):
    text = document.article.text
    return [(block.kind, *(text[start:end] for start, end in block.spans)) for block in document.blocks]


def test_plain_text_is_kept_as_it_stands_and_cut_at_blank_lines(tmp_path):
    (tmp_path / "dam.txt").write_text(f"Title: A dam\nDate: 4 March 2021\nSource: The Echo\n\n{BODY}\n")
    document = read_document(str(tmp_path / "dam.txt"))
    article = document.article
    assert (article.name, article.title, article.date, article.outlet) == ("dam.txt", "A dam", "2021-03-04", "The Echo")
    assert (tmp_path / "dam.txt").read_text() == article.text
    assert kinds(document) == [("paragraph", part) for part in BODY.split("\n\n")]


def test_wrapped_lines_are_one_paragraph_and_single_lines_are_each_one():
    story = "The dam above the old town of Tarsk burst late on Monday night. " * 3
    assert len(document_of(Source("a", textwrap.fill(story, 72), "text")).blocks) == 1
    assert len(document_of(Source("a", f"{story}\nPolice are there.", "text")).blocks) == 2


def test_a_date_before_the_text_on_one_line_is_the_articles():
    document = document_of(
        Source("a", " date 2020-01-08 ieces of a dam are seen near Tarsk - Reuters\n\n" + BODY, "text")
    )
    assert document.article.date == "2020-01-08"
    assert kinds(document)[0] == ("caption", "ieces of a dam are seen near Tarsk")


def test_markdown_loses_its_marks_and_keeps_its_blocks():
    text = "---\ntitle: A dam\ndate: 2021-03-04\nsite: The Echo\n---\n# A dam\n\n"
    text += "The *dam* above [Tarsk](http://a.example) burst.\n\n"
    text += "![](a.jpg)\n\n*Water covers the market square.*\n\n> The bridge is gone.\n"
    text += ">\n> — Tarsk Police (@tarsk) March 4, 2021\n"
    document = document_of(Source("a.md", text, "markdown"))
    assert (document.article.title, document.article.date, document.article.outlet) == (
        "A dam",
        "2021-03-04",
        "The Echo",
    )
    assert kinds(document) == [
        ("heading", "A dam"),
        ("paragraph", "The dam above Tarsk burst."),
        ("caption", "Water covers the market square."),
        ("post", "The bridge is gone."),
    ]
    assert (document.blocks[-1].speaker, document.blocks[-1].date) == ("Tarsk Police (@tarsk)", "2021-03-04")


def test_html_gives_the_story_with_its_captions_and_posts_and_not_the_page_around():
    document = document_of(Source("a.html", PAGE, "html"))
    article = document.article
    assert (article.title, article.date) == ("Dam bursts above Tarsk", "2021-03-04")
    assert (article.author, article.outlet, article.lang) == ("Jane Roe", "The Tarsk Echo", "en")
    found = kinds(document)
    assert ("caption", "Water covers the market square of Tarsk.") in found
    assert ("post", "The bridge at the mill is gone.") in found
    assert sum(kind == "paragraph" for kind, *_ in found) == 3
    assert "Start page" not in article.text
    assert "rights reserved" not in article.text


def test_html_in_another_encoding_is_read_as_it_says():
    page = PAGE.replace("Jane Roe", "José").replace("<head>", '<head><meta charset="iso-8859-1">')
    assert "José" in decoded("a.html", page.encode("latin-1"), html=True)


def test_standard_input_is_an_article_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PAGE.encode())))
    assert read_document("-").article.outlet == "The Tarsk Echo"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BODY.encode())))
    assert read_document("-").article.text == BODY


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "expected an article, found no words"),
        ("a.txt", b"  \n\t\n 12 - 14 \n", "expected an article, found no words"),
        ("a.txt", b"The dam\0burst.", "found a null character at 8"),
        ("a.txt", b"caf\xe9", "expected text in UTF-8, found byte 0xe9 at 4"),
        ("a.html", b"<meta charset=utf-7x>caf\xe9", "expected text in 'utf-7x', as it says"),
        ("a.txt", "The dam".encode("utf-16"), "found text in UTF-16"),
        ("a.txt", b"\x1f\x8b\x08", "found a gzip file"),
        ("a.txt", b"%PDF-1.7", "found a PDF file"),
        ("a.pdf", b"The dam burst.", "expected an article as .txt"),
        ("a.txt", b"a " * 5_000_001, "expected at most 10,000,000 bytes"),
        ("a.txt", b"dam " * 300_000, "at most 1,000,000 characters"),
        ("a.html", b"<div>" * 1_000 + b"The dam burst.", "expected a page of at most 50,000 elements, 200 deep"),
        ("a.html", b"<p>The dam burst.</p>" * 60_000, "expected a page of at most 50,000 elements"),
        ("a.html", b"<html><body><script>var a = 1;</script></body></html>", "found a page without text"),
        ("a.txt", b"a\n\n" * 20_001, "at most 20,000 paragraphs"),
    ],
)
def test_what_cannot_be_an_article_is_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        read_document(str(path))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt: cannot be read: No such file"):
        read_document(str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    "text",
    [
        "said " * 40_000 + ".",
        "“" * 60_000 + "a b",
        "« " * 40_000 + "a b",
        "'a " * 60_000,
        '"x. ' * 40_000,
        "Mr. " * 60_000,
        "— A (@b) " * 30_000,
        "that, said the " * 15_000,
        "a" * 900_000,
        "[" * 30_000 + "a",
        "> " * 5_000 + "a",
        "*a **b " * 10_000,
        "> " + "the, and " * 30_000 + "12 died of it, Ann Lee said.",
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_text_made_to_be_slow_is_read_all_the_same(text, form):
    from claimsieve.intake.claims import claims_of

    assert len(claims_of(document_of(Source("a", f"The dam burst. {text}", form)))) < 100_000


def test_a_date_is_looked_for_in_time():
    assert document_of(Source("a", f"date{' ' * 100_000}The dam burst.", "text")).article.date is None


def test_what_a_page_says_of_its_whole_article_in_a_class_takes_nothing_away():
    bare = PAGE.replace("<article>", "<div>").replace("</article>", "</div>")
    for marks in ("post-55 type-post hentry category-news tag-fire", "single-author", "wrap author"):
        page = bare.replace("<div>", f'<div class="{marks}">')
        assert kinds(document_of(Source("a", page, "html"))) == kinds(document_of(Source("a", bare, "html")))
    assert "paragraph" in dict(kinds(document_of(Source("a", bare, "html"))))


@pytest.mark.parametrize(
    "text",
    [
        "国防部长星期一说，十二名士兵在袭击中丧生。他说袭击发生在巴格达。警方星期二逮捕了两名男子。",
        "国防相は月曜日に十二人の兵士が死亡したと述べた。警察は火曜日に二人の男を逮捕した。",
    ],
)
def test_without_spaces_between_words_every_sentence_is_a_statement(text):
    from claimsieve.intake.claims import claims_of
    from claimsieve.intake.passages import passages_of

    document = document_of(Source("a", text, "text"))
    sentences = [f"{sentence}。" for sentence in text.split("。") if sentence]
    assert [one.claim for one in claims_of(document)] == sentences
    assert [one.evidence.text for one in passages_of(document)] == sentences


def test_a_rule_at_the_top_is_no_list_of_facts():
    text = (
        "---\n\nA fire at the mill killed 12 on Tuesday.\n\nThe mayor resigned.\n\n---\n\nThe council met on Monday.\n"
    )
    assert "killed 12" in document_of(Source("a", text, "markdown")).article.text
    facts = "---\ntitle: A fire\ntags:\n  - mill\n- fire\n# a remark\ndate: 2021-03-04\n---\nThe mill burnt.\n"
    article = document_of(Source("a", facts, "markdown")).article
    assert (article.title, article.date, article.text) == ("A fire", "2021-03-04", "The mill burnt.")


@pytest.mark.parametrize(
    ("given", "found"), [("٢٠٢٠", "2020"), ("2020-05", "2020-05"), ("0000", None), ("0000-05", None), ("2020-13", None)]
)
def test_a_year_is_one_of_the_calendar(given, found):
    assert document_of(Source("a", f"Date: {given}\n\n{BODY}", "text")).article.date == found


def test_a_page_that_calls_every_text_english_is_not_believed():
    german = "Bei dem Brand in der Mühle kamen am Dienstag zwölf Arbeiter ums Leben, sagte die Feuerwehr. " * 4
    page = '<html lang="{}"><body><article><h1>Brand</h1><p>{}</p></article></body></html>'
    assert document_of(Source("a", page.format("en-US", german), "html")).article.lang is None
    assert document_of(Source("a", page.format("de", german), "html")).article.lang == "de"
