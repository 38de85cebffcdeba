"""claimsieve article --media-index: a caption that passes an old picture off as last night's is found and shown."""

import base64
import io
import json
import os
import shlex
import shutil

import numpy as np
import pytest
from made_scenes import jpeg, png, scene
from PIL import Image

from claimsieve.data.corpora import load_labelled
from claimsieve.intake.articles import Article
from claimsieve.intake.media import Album
from claimsieve.media.archive import known_files
from claimsieve.media.building import build_index
from claimsieve.media.index import load_index
from claimsieve.models.artifacts import write_model
from claimsieve.models.tfidf import TfidfModel

CAPTION = "The base at Tarsk burns after the strikes of last night."
PAGE = """<!DOCTYPE html><html lang="en"><head><title>Missiles hit two bases near Tarsk</title>
<meta property="article:published_time" content="2020-01-08T08:00:00Z"></head><body><article>
<h1>Missiles hit two bases near Tarsk</h1>
<p>Missiles hit two bases near Tarsk before dawn on Wednesday, and the road to the town was closed.</p>
{figures}
<p>The government counted 22 missiles, of which five came down in the fields in the north of the country.</p>
</article></body></html>"""
FIGURE = "<figure><img src='{}'><figcaption>{}</figcaption></figure>"


@pytest.fixture(scope="module")
def model(tmp_path_factory, planted_claims):
    claims, _ = load_labelled(str(planted_claims))
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    directory = tmp_path_factory.mktemp("models") / "model"
    write_model(trained, directory, kind="tfidf", config_yaml="{}\n", data_fingerprint="0" * 64, seed=0)
    return directory


@pytest.fixture
def site(tmp_path):
    """A saved page with its folder of pictures: an old one under another name, and a new one."""
    files = tmp_path / "site" / "story_files"
    files.mkdir(parents=True)
    (files / "last night.jpg").write_bytes(jpeg(scene(1), 60))
    (files / "new.jpg").write_bytes(jpeg(scene(50)))
    return tmp_path / "site"


def story(site, *figures):
    path = site / "story.html"
    path.write_text(PAGE.format(figures="\n".join(FIGURE.format(*figure) for figure in figures)))
    return path


def rows_of(path):
    return {row["claim"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


def shown_pictures(page):
    """The pictures inside a page, decoded."""
    found = page.split('src="data:image/jpeg;base64,')[1:]
    return [Image.open(io.BytesIO(base64.b64decode(part.partition('"')[0]))).convert("RGB") for part in found]


def resembles(picture, number):
    """Whether a small picture is of the scene of that number."""
    other = np.asarray(scene(number).convert("RGB").resize(picture.size), dtype=float)
    return float(np.abs(np.asarray(picture, dtype=float) - other).mean()) < 12


def test_a_recycled_picture_is_in_the_row_and_both_are_on_the_page(claimsieve, site, model, index_folder, tmp_path):
    path = story(
        site,
        ("story_files/last%20night.jpg", CAPTION),
        ("story_files/new.jpg", "Soldiers clear the runway of the base at Tarsk."),
    )
    out = tmp_path / "out"
    code, _, err = claimsieve(
        *("article", path, "-o", out, "--model", model, "--media-index", index_folder, "--no-similarity")
    )
    assert code == 0, err
    assert "2 claims have pictures; 1 with one that was seen before, 1 with one from before the claim's date" in err
    row = rows_of(out / "labelled.jsonl")[CAPTION]
    assert row["media"] == ["../site/story_files/last night.jpg"]
    assert (row["date"], row["techniques"], row["manipulation"]) == ("2020-01-08", ["recycled"], True)
    assert "picture_recycled" in row["reasons"]
    assert row["abstained"]
    assert f"(recycled): {row['id']}\n" in err
    (hit,) = row["pictures"]
    assert (hit["date"], hit["relation"]) == ("2017-06-18", "before")
    told = [passage for passage in row["evidence"] if passage.get("source") == "picture index"]
    assert [passage["text"] for passage in told] == [hit["words"]]  # once, though it came with the claim
    others = [one for claim, one in rows_of(out / "labelled.jsonl").items() if claim != CAPTION]
    assert all(one["pictures"] == [] and one["techniques"] == [] for one in others)
    page = (out / "page.html").read_text(encoding="utf-8")
    pair, new = shown_pictures(page)[:2], shown_pictures(page)[2:]
    assert [resembles(picture, 1) for picture in pair] == [True, True]
    assert [resembles(picture, 50) for picture in new] == [True]
    assert "Missiles at night" in page


def test_without_a_model_the_hit_is_evidence_and_predict_finds_the_same_files(
    claimsieve, site, model, index_folder, tmp_path
):
    path = story(site, ("story_files/last%20night.jpg", CAPTION))
    out = tmp_path / "elsewhere" / "out"
    code, printed, err = claimsieve(
        *("article", path, "-o", out, "--media-index", index_folder, "--json", "--no-similarity")
    )
    assert (code, err) == (0, "")
    assert json.loads(printed)["pictures"] == {"claims": 1, "seen": 1, "recycled": 1, "unmatched": {}}
    row = rows_of(out / "claims.jsonl")[CAPTION]
    assert row["media"] == ["../../site/story_files/last night.jpg"]
    assert row["evidence"][-1]["source"] == "picture index"
    assert "934 days before the claimed date, 2020-01-08" in row["evidence"][-1]["text"]
    assert not row.keys() & {"manipulation", "pictures", "techniques"}
    target = tmp_path / "labelled.jsonl"
    predict = ("predict", model, out / "claims.jsonl", "-o", target, "--media-index", index_folder, "-q")
    assert claimsieve(*predict) == (0, "", "")
    assert rows_of(target)[CAPTION]["reasons"] == ["picture_outside"]
    assert claimsieve(*predict, "--media-root", site, "--restart") == (0, "", "")
    labelled = rows_of(target)[CAPTION]
    assert labelled["techniques"] == ["recycled"]
    assert labelled["evidence"] == row["evidence"]


def test_without_an_index_claims_carry_their_pictures_and_the_page_shows_them(claimsieve, site, model, tmp_path):
    path = story(
        site, ("story_files/new.jpg", CAPTION), ("story_files/none.jpg", "The road to the town of Tarsk is closed.")
    )
    code, _, err = claimsieve("article", path, "-o", tmp_path / "out", "--model", model, "--no-similarity")
    assert code == 0, err
    rows = rows_of(tmp_path / "out" / "labelled.jsonl")
    assert rows[CAPTION]["media"] == ["../site/story_files/new.jpg"]
    assert "pictures" not in rows[CAPTION]
    (shown,) = shown_pictures((tmp_path / "out" / "page.html").read_text(encoding="utf-8"))
    assert resembles(shown, 50)
    assert not resembles(shown, 1)


def test_what_cannot_be_looked_up_is_a_reason_and_no_row_fails(claimsieve, site, model, index_folder, tmp_path):
    (site / "text.jpg").write_text("no picture")
    (tmp_path / "private.jpg").write_bytes(jpeg(scene(1), 60))
    names = {
        "The gate of the base at Tarsk is closed.": ("none.jpg", "picture_missing"),
        "The tower of the base at Tarsk is gone.": ("text.jpg", "picture_unreadable"),
        "The hangar of the base at Tarsk is burnt.": ("../private.jpg", "picture_outside"),
        "The fence of the base at Tarsk is down.": (str(tmp_path / "private.jpg"), "picture_outside"),
        "The road to the base at Tarsk is closed.": ("https://example.org/a.jpg", "picture_address"),
        "The clinic of the base at Tarsk was hit.": ("file:///etc/passwd", "picture_address"),
    }
    path = story(site, *((name, claim) for claim, (name, _) in names.items()))
    out = tmp_path / "out"
    code, _, err = claimsieve(
        *("article", path, "-o", out, "--model", model, "--media-index", index_folder, "--no-similarity")
    )
    assert code == 0, err
    rows = rows_of(out / "labelled.jsonl")
    assert {claim: [reason] for claim, (_, reason) in names.items()} == {
        claim: rows[claim]["reasons"] for claim in names
    }
    assert rows["The road to the base at Tarsk is closed."]["media"] == ["https://example.org/a.jpg"]
    assert "2 claims have a picture that was not matched (picture_outside)" in err
    assert shown_pictures((out / "page.html").read_text(encoding="utf-8")) == []
    wide = ("--media-root", tmp_path)
    code, _, err = claimsieve("article", path, "-o", out, "--media-index", index_folder, *wide, "--no-similarity")
    assert (code, "2 with one from before the claim's date" in err) == (0, True)


def test_leeway_and_the_date_of_what_may_be_known(claimsieve, site, model, index_folder, tmp_path):
    (site / "same.jpg").write_bytes(jpeg(scene(3), 60))
    (site / "undated.jpg").write_bytes(jpeg(scene(5), 60))
    road = "The road to the base at Tarsk is closed."
    gate = "The gate of the base at Tarsk is closed."
    path = story(site, ("story_files/last%20night.jpg", CAPTION), ("same.jpg", road), ("undated.jpg", gate))

    def hits(*options):
        given = ("--model", model, "--media-index", index_folder, "--no-similarity", "-q", *options)
        assert claimsieve("article", path, "-o", tmp_path / "out", *given) == (0, "", "")
        rows = rows_of(tmp_path / "out" / "labelled.jsonl")
        for one in (CAPTION, road, gate):
            told = [
                passage["text"] for passage in rows[one].get("evidence", ()) if passage.get("source") == "picture index"
            ]
            assert told == [hit["words"] for hit in rows[one]["pictures"]]
        return [len(rows[one]["pictures"]) for one in (CAPTION, road, gate)], rows[CAPTION]["techniques"]

    assert hits() == ([1, 1, 1], ["recycled"])
    assert hits("--media-leeway", "1000") == ([1, 1, 1], [])
    assert hits("--as-of", "2019") == ([1, 0, 1], ["recycled"])
    assert hits("--dated-only") == ([1, 1, 0], ["recycled"])


def test_a_known_picture_under_a_claim_without_a_date_is_told(claimsieve, site, model, index_folder, tmp_path):
    path = story(site, ("story_files/last%20night.jpg", CAPTION))
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "published_time" not in line))
    given = ("--model", model, "--media-index", index_folder, "--no-similarity")
    code, _, err = claimsieve("article", path, "-o", tmp_path / "out", *given)
    row = rows_of(tmp_path / "out" / "labelled.jsonl")[CAPTION]
    assert (code, row["techniques"], row["reasons"]) == (0, [], ["picture_undated_claim"])
    assert f"1 claim has a known picture and no date, so recycled was not judged: {row['id']}\n" in err
    page = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert "the claim has no date: whether the picture is older was not judged." in page
    assert "Recycled picture" not in page


def test_several_articles_have_their_pictures_beside_each(claimsieve, index_folder, tmp_path):
    for name, number in (("a", 1), ("b", 50)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.jpg").write_bytes(jpeg(scene(number), 60))
        caption = f"*The base {name.upper()} at Tarsk burns after the strikes.*"
        (tmp_path / name / f"{name}.md").write_text(
            f"---\ndate: 2020-01-08\n---\nMissiles hit two bases near Tarsk.\n\n![](p.jpg)\n{caption}\n"
        )
    out = tmp_path / "a" / "out"
    given = ("--media-index", index_folder, "--no-similarity", "-q")
    code, _, err = claimsieve("article", tmp_path / "a" / "a.md", tmp_path / "b" / "b.md", "-o", out, *given)
    assert (code, err) == (0, "")
    rows = rows_of(out / "claims.jsonl")
    seen = {row["media"][0]: "picture index" in json.dumps(row) for row in rows.values() if "media" in row}
    assert seen == {"../p.jpg": True, "../../b/p.jpg": False}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--media-root", "."], "expected --media-index with them"),
        (["--media-leeway", "3"], "expected --media-index with them"),
        (["--media-index", "none", "--media-root", "nowhere"], "--media-root nowhere: expected a folder"),
        (["--media-index", "none"], "none: expected a picture index"),
    ],
)
def test_wrong_options_are_refused_before_an_article_is_read(claimsieve, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = claimsieve("article", "none.html", "-o", "out", *options)
    assert (code, out) == (2 if "--media-root" in options or "--media-leeway" in options else 1, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_the_same_page_can_be_made_again_from_the_folder(claimsieve, site, model, index_folder, archive, tmp_path):
    path = story(site, ("story_files/last%20night.jpg", CAPTION))
    out = tmp_path / "out"
    given = ("--model", model, "--media-index", index_folder, "--no-similarity", "-q")
    assert claimsieve("article", path, "-o", out, *given) == (0, "", "")
    again = ("report", out, "-o", tmp_path / "again.html", "--pictures", site, "--pictures", archive, "-q")
    assert claimsieve(*again) == (0, "", "")
    found = shown_pictures((tmp_path / "again.html").read_text(encoding="utf-8"))
    assert [resembles(picture, 1) for picture in found] == [True, True]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("https://cdn.example/big.jpg", "p.jpg"), "p.jpg"),  # a saved page has loaded one of them
        (("/img/big.jpg", "none.jpg"), "none.jpg"),
        (("none.jpg", "other.jpg"), "none.jpg"),
        (("./a:b.jpg",), "./a:b.jpg"),
        (("link.jpg",), "p.jpg"),
        (("https://cdn.example/big.jpg",), "https://cdn.example/big.jpg"),
    ],
)
def test_of_the_names_of_a_picture_the_one_that_is_there_counts(tmp_path, names, expected):
    for name in ("p.jpg", "a:b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "p.jpg")
    album = Album(tmp_path)
    assert album.names([names], Article("a", "", folder=tmp_path)) == (expected,)


def test_pictures_of_a_fetched_page_are_addresses_and_stay_unread(tmp_path):
    (tmp_path / "p.jpg").write_bytes(jpeg(scene(1)))
    album = Album(tmp_path)
    article = Article("https://example.org/a/story", "", url="https://example.org/a/story")
    names = album.names([("p.jpg",), ("/i/x y.jpg",), ("https://cdn.example/z.jpg",), ("file:///p.jpg",)], article)
    assert names == (
        *("https://example.org/a/p.jpg", "https://example.org/i/x%20y.jpg", "https://cdn.example/z.jpg"),
        "file:///p.jpg",
    )
    assert {getattr(where, "reason", None) for where in album.places.values()} == {"picture_address"}


def test_a_folder_whose_name_is_no_text_costs_no_row(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "p.jpg").write_bytes(b"x")
    (name,) = Album(tmp_path / "out").names([("p.jpg",)], Article("a", "", folder=folder))
    assert name.encode().endswith(b"p.jpg")


def test_a_known_picture_is_shown_only_with_the_bytes_that_the_index_knows(tmp_path):
    (tmp_path / "old").mkdir()
    for number in (1, 2):
        (tmp_path / "old" / f"{number}.png").write_bytes(png(scene(number)))
    build_index([tmp_path / "old" / "1.png", tmp_path / "old" / "2.png"], tmp_path / "index")
    index = load_index(tmp_path / "index")
    one, two = (str(tmp_path / "old" / f"{number}.png") for number in (1, 2))
    shutil.copy(tmp_path / "old" / "1.png", two)  # something else lies there now
    assert known_files(index, [one, two, "none.png", "\0"], folders=[tmp_path]) == {
        one: (tmp_path / "old" / "1.png").resolve()
    }
    assert known_files(index, [], folders=[tmp_path]) == {}


def test_the_next_line_finds_the_same_pictures(claimsieve, site, model, index_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = story(site, ("story_files/last%20night.jpg", CAPTION))
    out = tmp_path / "an out"
    code, _, err = claimsieve("article", page, "-o", out, "--media-index", index_folder, "--no-similarity")
    assert code == 0, err
    assert "claim has pictures" in err
    (line,) = [line for line in err.splitlines() if line.startswith("next: claimsieve ")]
    command = shlex.split(line.removeprefix("next: claimsieve ").replace("MODEL", str(model)))
    code, _, err = claimsieve(*command)
    assert code == 0, err
    rows = rows_of(tmp_path / "labelled.jsonl")
    assert rows[CAPTION]["techniques"] == ["recycled"]
    assert not any(row["pictures_unmatched"] for row in rows.values())
    code, _, err = claimsieve("report", out, "-o", tmp_path / "page.html")
    assert (code, "1 picture is not shown" in err, "--pictures FOLDER" in err) == (0, True, True)
    code, _, err = claimsieve("report", out, "-o", tmp_path / "page.html", "--pictures", site)
    assert (code, "--pictures" in err) == (0, False)


def test_without_claims_there_is_no_next_line(claimsieve, tmp_path):
    (tmp_path / "a.txt").write_text("Who knows?\n")
    code, _, err = claimsieve("article", tmp_path / "a.txt", "-o", tmp_path / "out", "--no-similarity")
    assert (code, "0 claims in 1 article →" in err, "next:" in err) == (0, True, False)
