"""A made article on the night of 8 January 2020 with labelled claims, in our words, for tests of the analyst's page."""

import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

TEXT = """\
Shortly after one in the morning, Iranian forces launched ballistic missiles at two Iraqi airbases that house \
American soldiers. Officials in Washington and in Baghdad say that the rockets struck Ain al-Asad, west of the \
capital, and open ground near Erbil.

By breakfast both governments had said that nobody was killed. Two American broadcasters, citing people they \
did not name, reported that crews had gone into bunkers hours before, when radar operators raised the alarm.

State television in Tehran told another story. Its bulletin said that eighty American soldiers lay dead and \
that helicopters had burnt on the ground. No hospital, satellite picture or official of any other country \
bears this out.

Online, pictures of a glowing skyline were passed around as the night’s own. “Tonight they felt our slap,” \
wrote an account with two hundred thousand followers, above a photograph that an agency had published years \
earlier.

A militia commander in Basra said that more attacks would follow within the week. Oil rose by four per cent \
before noon."""

ARTICLE = {
    "name": "night-of-missiles.html",
    "title": "A night of missiles, and what is known of it",
    "text": TEXT,
    "date": "2020-01-08",
    "author": "A. Writer",
    "outlet": "The Made Gazette",
    "url": "https://gazette.example/2020/01/08/missiles",
}


def words(text: str, place: int | None, *weights: tuple[str, float]) -> list[dict[str, Any]]:
    """Entries of an explanation for words of a text; place: of the passage, None for the claim."""
    where = {"in": "claim"} if place is None else {"in": "evidence", "passage": place}
    found = []
    for word, weight in weights:
        start = text.index(word)
        found.append({"text": word, **where, "start": start, "end": start + len(word), "weight": weight})
    return found


def labelled(claim: str, shares: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    """A row as `predict --explain` writes it. shares: of verified, unverified, propaganda."""
    names = ("verified", "unverified", "propaganda")
    row = {"claim": claim, "label": names[shares.index(max(shares))]}
    row |= {f"p_{name}": share for name, share in zip(names, shares, strict=True)}
    return row | {"prediction_set": [row["label"]], "abstained": False, "reasons": []} | more


def marked(text: str, **more: Any) -> dict[str, Any]:
    """Where a claim stands in the article."""
    start = TEXT.index(text)
    return {"article": ARTICLE["name"], "span": [start, start + len(text)], **more}


def _passages() -> dict[str, dict[str, Any]]:
    return {
        "defence": {
            "text": "The defence ministry in Baghdad counted missiles at Ain al-Asad and near Erbil, and no dead.",
            "source": "Ministry of Defence, Baghdad",
            "date": "2020-01-08",
            "url": "https://mod.example/statement",
        },
        "pentagon": {
            "text": "A spokesman in Washington confirmed that missiles from Iran hit two bases; no soldier was killed.",
            "source": "Pentagon",
            "date": "2020-01-08",
            "url": "https://pentagon.example/briefing",
        },
        "tehran": {
            "text": "The bulletin put the number of dead at eighty, naming no place, no hospital and no witness.",
            "source": "State television, Tehran",
            "date": "2020-01-08",
        },
        "agency": {
            "text": "The same photograph was published on 12 June 2017 with a report from another country; it is older "
            "than the night it is said to show.",
            "source": "An agency’s archive",
            "date": "2017-06-12",
            "url": "https://archive.example/2017/06/12/skyline",
        },
    }


def article_rows() -> list[dict[str, Any]]:
    """Eight rows of the article: all labels, a claim within another, a recycled picture, an earlier verdict."""
    of = _passages()
    dead = "eighty American soldiers lay dead"
    both = "Its bulletin said that eighty American soldiers lay dead and that helicopters had burnt on the ground"
    recycled = "pictures of a glowing skyline were passed around as the night’s own"
    return [
        labelled(
            "Iranian forces launched ballistic missiles at two Iraqi airbases that house American soldiers",
            (0.932, 0.051, 0.017),
            id="a-1",
            source="The Made Gazette",
            date="2020-01-08",
            evidence=[of["defence"], of["pentagon"]],
            **marked("Iranian forces launched ballistic missiles at two Iraqi airbases that house American soldiers"),
            context="statement",
            stance="supported",
            stance_basis="evidence",
            manipulation=False,
            p_supported=0.91,
            p_open=0.07,
            p_refuted=0.02,
            p_manipulated=0.06,
            explanation={
                "words": words(
                    of["pentagon"]["text"], 1, ("confirmed", 1.42), ("hit two bases", 0.88), ("killed", -0.31)
                )
                + words(of["defence"]["text"], 0, ("counted missiles", 0.61)),
                "passages": [{"passage": 0, "weight": 0.74}, {"passage": 1, "weight": 1.99}],
            },
        ),
        labelled(
            "Nobody was killed in the strikes",
            (0.871, 0.098, 0.031),
            id="a-2",
            source="Officials in Washington and Baghdad",
            date="2020-01-08",
            evidence=[of["pentagon"], of["defence"], of["tehran"]],
            **marked("both governments had said that nobody was killed"),
            context="report",
            reasons=["evidence_conflicts"],
            explanation={
                "words": words(of["pentagon"]["text"], 0, ("no soldier was killed", 1.7))
                + words(of["defence"]["text"], 1, ("no dead", 1.2))
                + words(of["tehran"]["text"], 2, ("dead at eighty", -1.35)),
                "passages": [
                    {"passage": 0, "weight": 1.7},
                    {"passage": 1, "weight": 1.2},
                    {"passage": 2, "weight": -1.35},
                ],
            },
        ),
        labelled(
            "Crews had gone into bunkers hours before, when radar operators raised the alarm",
            (0.271, 0.624, 0.105),
            id="a-3",
            source="Two American broadcasters",
            date="2020-01-08",
            evidence=[
                {
                    "text": "People familiar with the matter said that a warning had come in time.",
                    "source": "unnamed officials",
                }
            ],
            **marked("crews had gone into bunkers hours before, when radar operators raised the alarm"),
            context="report",
            prediction_set=["verified", "unverified"],
            abstained=True,
            reasons=["model_unsure"],
            explanation={
                "words": words("Crews had gone into bunkers hours before", None, ("bunkers", -0.2)),
                "passages": [{"passage": 0, "weight": -0.4}],
            },
        ),
        labelled(
            "Eighty American soldiers lay dead",
            (0.034, 0.152, 0.814),
            id="a-4",
            source="State television, Tehran",
            date="2020-01-08",
            evidence=[of["tehran"], of["pentagon"], of["defence"]],
            **marked(dead),
            context="report",
            stance="refuted",
            stance_basis="evidence",
            manipulation=True,
            p_supported=0.05,
            p_open=0.18,
            p_refuted=0.77,
            p_manipulated=0.64,
            explanation={
                "words": words(of["pentagon"]["text"], 1, ("no soldier was killed", 2.31), ("confirmed", 0.42))
                + words(of["tehran"]["text"], 0, ("dead at eighty", -0.58), ("no witness", 0.73))
                + words("Eighty American soldiers lay dead", None, ("Eighty", 0.66)),
                "passages": [
                    {"passage": 0, "weight": 0.15},
                    {"passage": 1, "weight": 2.73},
                    {"passage": 2, "weight": 0.94},
                ],
            },
            matches=[
                {
                    "claim": "80 US troops died in the missile strikes",
                    "label": "propaganda",
                    "date": "2020-01-09",
                    "source": "Desk archive",
                    "url": "https://desk.example/checks/80",
                    "similarity": 0.91,
                    "kind": "duplicate",
                },
                {
                    "claim": "Dozens of soldiers were flown to Germany",
                    "label": "unverified",
                    "date": "2020-01-10",
                    "source": "Desk archive",
                    "url": None,
                    "similarity": 0.62,
                    "kind": "suggested",
                    "why": ["other numbers"],
                },
            ],
        ),
        labelled(
            "Eighty American soldiers lay dead and helicopters had burnt on the ground",
            (0.05, 0.32, 0.63),
            id="a-5",
            source="State television, Tehran",
            date="2020-01-08",
            evidence=[of["tehran"]],
            **marked(both),
            context="report",
            prediction_set=["unverified", "propaganda"],
            abstained=True,
            reasons=["model_unsure"],
        ),
        labelled(
            "Pictures of a glowing skyline show the night’s explosions",
            (0.012, 0.076, 0.912),
            id="a-6",
            source="An account on Telegram",
            date="2020-01-08",
            evidence=[of["agency"]],
            media=["pictures/post.jpg"],
            **marked(recycled),
            context="post",
            explanation={
                "words": words(of["agency"]["text"], 0, ("older", 1.93), ("2017", 1.1), ("another country", 0.6)),
                "passages": [{"passage": 0, "weight": 2.41}],
            },
            pictures=[
                {
                    "picture": "pictures/post.jpg",
                    "known": "pictures/known.jpg",
                    "distance": 6,
                    "quality": 100,
                    "date": "2017-06-12",
                    "place": "another country",
                    "page": "https://archive.example/2017/06/12/skyline",
                    "title": "Skyline after shelling",
                    "words": "The picture matches one published on 2017-06-12, long before the claimed date.",
                }
            ],
            techniques=["recycled"],
            abstained=True,
            reasons=["picture_recycled"],
        ),
        labelled(
            "“Tonight they felt our slap”",
            (0.08, 0.41, 0.51),
            id="a-7",
            source="An account on Telegram",
            date="2020-01-08",
            **marked("“Tonight they felt our slap,”"),
            context="quote",
            prediction_set=["unverified", "propaganda"],
            abstained=True,
            reasons=["evidence_insufficient"],
        ),
        labelled(
            "More attacks would follow within the week",
            (0.14, 0.79, 0.07),
            id="a-8",
            source="A militia commander in Basra",
            date="2020-01-08",
            **marked("more attacks would follow within the week"),
            context="report",
            abstained=True,
            reasons=["evidence_insufficient"],
        ),
    ]


def draw_pictures(folder: Path) -> None:
    """A made skyline by night as an older picture, and the same cut and darkened as the post has it."""
    folder.mkdir(parents=True, exist_ok=True)
    luck = random.Random(7)
    image = Image.new("RGB", (1200, 800), "#0d1224")
    draw = ImageDraw.Draw(image)
    for y in range(800):
        glow = max(0, 255 - abs(y - 560) // 2)
        draw.line([(0, y), (1200, y)], fill=(20 + glow * 2 // 3, 18 + glow // 4, 40))
    for centre, size in ((320, 150), (760, 210), (980, 90)):
        draw.ellipse([centre - size, 520 - size, centre + size, 520 + size], fill="#ffb347")
        draw.ellipse([centre - size // 2, 520 - size // 2, centre + size // 2, 520 + size // 2], fill="#fff1c9")
    image = image.filter(ImageFilter.GaussianBlur(28))
    draw = ImageDraw.Draw(image)
    left = 0
    while left < 1200:
        width, height = luck.randrange(40, 120), luck.randrange(90, 330)
        draw.rectangle([left, 800 - height, left + width, 800], fill="#07080f")
        left += width
    image.save(folder / "known.jpg", quality=88)
    image.crop((40, 30, 1160, 780)).point(lambda value: value * 0.85).save(folder / "post.jpg", quality=70)
