"""The analyst's page in a real browser: accessible, silent, whole without script, on paper, and with a keyboard."""

import random

import pytest

from analyst_rows import ARTICLE, article_rows, draw_pictures, labelled
from claimsieve.analysis.page import analysis_page
from claimsieve.analysis.pictures import Thumbnails

WAIT_SECONDS = 120  # two cores may be busy with something else
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 360, "height": 740}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWN = "cards => cards.filter(card => card.checkVisibility()).map(card => card.id)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("page")
    draw_pictures(made / "pictures")
    rows = [*article_rows(), labelled("A claim from elsewhere", (0.2, 0.7, 0.1), lang="en", source="Somebody")]
    (made / "page.html").write_text(
        analysis_page(rows, articles=[ARTICLE], model="runs/m", thumbnails=Thumbnails([made]))
    )
    return made


@pytest.fixture
def opened(browser):
    """Open a page file in a browser that never saw it; nothing may be asked for but the file itself."""
    contexts, asked = [], []

    def open_(path, **options):
        context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
        context.set_default_timeout(WAIT_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))  # a broken policy is told there
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [entry for entry in asked if not entry.startswith(("file:", "data:image/"))] == []


def shown(page):
    return page.locator(".card").evaluate_all(SHOWN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(opened, folder, axe, scheme, size):
    page = opened(folder / "page.html", color_scheme=scheme, viewport=size)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    told = [
        (rule["id"], node["html"][:120], node.get("failureSummary", "")[:300])
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert told == []
    assert len(found["passes"]) > 20


def test_no_page_is_wider_than_its_window(opened, folder, tmp_path):
    rows = [labelled("w" * 20_000, (0.8, 0.1, 0.1), source="s" * 190), labelled("x", (0.8, 0.1, 0.1))]
    rows[0]["evidence"] = [{"text": "y" * 3_000, "source": "z" * 150, "url": "https://a.example/" + "u" * 1_000}]
    (tmp_path / "long.html").write_text(analysis_page(rows))
    for path in (folder / "page.html", tmp_path / "long.html"):
        for size in (WIDE, NARROW, {"width": 320, "height": 640}):
            page = opened(path, viewport=size)
            page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_filters_need_no_script(opened, folder, script):
    page = opened(folder / "page.html", java_script_enabled=script)
    assert len(shown(page)) == 9
    page.get_by_text("propaganda 4").click()
    assert shown(page) == ["claim-4", "claim-5", "claim-6", "claim-7"]
    assert page.get_by_role("status").inner_text().strip() == "Only claims labelled propaganda are shown."
    page.get_by_label("said by").select_option(label="State television, Tehran (2)")
    assert shown(page) == ["claim-4", "claim-5"]
    page.get_by_text("unverified 3").click()
    assert shown(page) == []
    assert "No claim is both." in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Show everything").click()
    assert len(shown(page)) == 9
    page.get_by_text("for a person 5").click()
    assert shown(page) == ["claim-3", "claim-5", "claim-6", "claim-7", "claim-8"]


def test_everything_can_be_read_without_script(opened, folder):
    page = opened(folder / "page.html", java_script_enabled=False)
    page.locator("#claim-4 summary", has_text="1 more passage").click()
    assert page.locator("#claim-4 details[open] blockquote").is_visible()
    page.locator("#claim-4 summary", has_text="Words that mattered").click()
    assert page.locator("#claim-4 .tokens").is_visible()


def test_a_mark_leads_to_its_claim_also_when_a_filter_hides_it(opened, folder):
    page = opened(folder / "page.html")
    page.get_by_text("verified 2", exact=True).click()
    assert "claim-6" not in shown(page)
    page.locator('a.mark[href="#claim-6"]').click()
    assert "claim-6" in shown(page)
    assert page.locator("#claim-6").evaluate("card => card.getBoundingClientRect().top") < WIDE["height"] / 2
    page.locator("#claim-6 a", has_text="in the article").click()
    box = page.locator("#mark-6").bounding_box()
    assert 0 <= box["y"] < WIDE["height"]


def test_a_keyboard_reaches_everything(opened, folder):
    page = opened(folder / "page.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the claims"
    met = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.id, document.activeElement.getAttribute('href')]"
        )
        if found[0] == "BODY":
            break
        met.add(tuple(found))
    links = {("A", "", f"#claim-{number}") for number in range(1, 9)} | {
        ("A", "", f"#mark-{number}") for number in range(1, 9)
    }
    assert links <= met
    assert {("SELECT", "f-source", None), ("INPUT", "f-all", None), ("INPUT", "words", None)} <= met
    assert "SUMMARY" in {tag for tag, _, _ in met}
    page.locator("#f-all").focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == ["claim-1", "claim-2"]


def test_what_is_printed_has_everything(opened, folder):
    page = opened(folder / "page.html")
    page.emulate_media(media="print")
    closed = page.locator("#claim-4 details blockquote")
    assert closed.evaluate("one => one.checkVisibility({contentVisibilityAuto: true}) && one.offsetHeight > 0")
    assert not page.locator(".filters").is_visible()
    content = page.pdf()
    assert content.startswith(b"%PDF")
    assert len(content) > 60_000
    assert content.count(b"/Type /Page\n") >= 3


def test_a_page_of_a_thousand_claims_opens_and_filters(opened, tmp_path):
    luck = random.Random(0)
    rows = []
    for number in range(1_000):
        shares = luck.choice([(0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)])
        evidence = [{"text": f"passage {place} of {number} " + "and more words " * 30} for place in range(4)]
        rows.append(labelled(f"claim number {number}", shares, evidence=evidence, source=f"source {number % 50}"))
    (tmp_path / "many.html").write_text(analysis_page(rows))
    page = opened(tmp_path / "many.html")
    assert len(shown(page)) == 1_000
    page.locator("label", has_text="propaganda").first.click()
    assert len(shown(page)) == sum(row["label"] == "propaganda" for row in rows)
    page.goto((tmp_path / "many.html").as_uri() + "#claim-990")
    assert page.locator("#claim-990").evaluate("card => card.getBoundingClientRect().top") < WIDE["height"]


def test_hostile_text_runs_nothing(opened, tmp_path):
    hostile = (
        '<img src=x onerror="document.title=1"><script>document.title=1</script>"><svg onload=document.title=1>\u202e'
    )
    row = labelled(
        hostile, (0.8, 0.1, 0.1), source=hostile, evidence=[{"text": hostile, "url": "javascript:document.title=1"}]
    )
    article = {"name": "a", "title": hostile, "text": hostile, "url": "javascript:document.title=1"}
    (tmp_path / "page.html").write_text(
        analysis_page([row | {"article": "a", "span": [0, 5]}], articles=[article], title="safe")
    )
    page = opened(tmp_path / "page.html")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.title() == "safe"
    assert page.locator("script, img, [onerror], [onload]").count() == 0
    assert page.locator("h3").inner_text().startswith("<img src=x onerror=")
    assert page.locator("a[href^=javascript]").count() == 0


def test_colours_are_not_the_only_difference(opened, folder):
    """Each label has a shape and a line of its own, and is written out."""
    page = opened(folder / "page.html", forced_colors="active")
    styles = page.locator("a.mark").evaluate_all("all => all.map(one => getComputedStyle(one).textDecorationStyle)")
    assert {"solid", "dashed", "double"} <= set(styles)
    shapes = page.locator(".card .tray use").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert set(shapes) == {"#i-verified", "#i-unverified", "#i-propaganda"}


def test_pictures_are_drawn(opened, folder):
    page = opened(folder / "page.html")
    widths = page.locator("#claim-6 img").evaluate_all(
        "async all => { for (const one of all) await one.decode(); return all.map(one => one.naturalWidth); }"
    )
    assert len(widths) == 2
    assert min(widths) > 100
