"""A hit becomes a sentence, dates decide whether a picture is recycled, and a flag never counts as a match."""

import shutil

import pytest
from made_scenes import framed, jpeg, mirrored, png, scene
from PIL import Image

from claimsieve.media import evidence as evidence_module
from claimsieve.media.building import build_index, picture_files
from claimsieve.media.evidence import PictureChecker, pictured, with_pictures
from claimsieve.media.index import Known, load_index
from claimsieve.media.search import Hit
from claimsieve.media.wording import quoted, words_of
from claimsieve.records import Claim, Evidence


@pytest.fixture(scope="module")
def index(index_folder):
    return load_index(index_folder)


def answered(index, folder, *media, date="2020-01-08", **options):
    claim = Claim("these pictures show last night", date=date, media=media)
    return pictured(claim, PictureChecker(index).check(media, base=folder), **options)


def reasons(found) -> list[str]:
    return [one.reason for one in found.unmatched]


def test_a_picture_known_before_the_claim_is_recycled(index, claims_folder):
    own = Evidence("an own passage")
    claim = Claim("this is last night", date="2020-01-08", media=("old.jpg",), evidence=(own,))
    changed, hits = with_pictures(claim, index, base=claims_folder)
    assert changed.manipulation == ("recycled",)
    assert changed.evidence[0] == own
    (passage,) = changed.evidence[1:]
    assert (passage.source, passage.date, passage.url) == ("picture index", "2017-06-18", "https://example.org/2017")
    (hit,) = hits
    assert passage.text == hit["words"]
    assert passage.text == (
        f'The picture matches one published on 2017-06-18 as "Missiles at night" (distance {hit["distance"]}). '
        "That is 934 days before the claimed date, 2020-01-08."
    )
    assert hit["distance"] <= 10
    assert {key: hit[key] for key in ("picture", "date", "place", "page", "title", "relation")} == {
        "picture": "old.jpg",
        "date": "2017-06-18",
        "place": None,
        "page": "https://example.org/2017",
        "title": "Missiles at night",
        "relation": "before",
    }
    assert hit["known"].endswith("1.png")
    assert hit["quality"] > 50


def test_a_picture_known_from_the_same_day_or_later_is_not(index, claims_folder):
    found = answered(index, claims_folder, "same-day.jpg")
    assert (found.recycled, found.claim.manipulation) == (False, None)
    assert found.hits[0]["relation"] == "same_or_later"
    assert found.passages[0].text.endswith("That is not before the claimed date, 2020-01-08.")
    assert not answered(index, claims_folder, "same-day.jpg", date="2019-12-31").recycled
    assert answered(index, claims_folder, "same-day.jpg", date="2020-01-09").recycled
    assert not answered(index, claims_folder, "same-day.jpg", date="2020-01-09", leeway_days=1).recycled


@pytest.mark.parametrize("date", [None, "2017", "2017-06"])
def test_dates_that_do_not_settle_it_settle_nothing(index, claims_folder, date):
    found = answered(index, claims_folder, "old.jpg", date=date)
    assert not found.recycled
    assert found.hits[0]["relation"] == "unknown"
    assert ("cannot be told" in found.passages[0].text) == (date is not None)


def test_a_known_picture_without_a_date_is_told_and_settles_nothing(index, claims_folder):
    found = answered(index, claims_folder, "undated.jpg")
    assert not found.recycled
    assert found.passages[0].text.startswith("The picture matches a known one, of which the date is not known (")


def test_a_new_picture_leaves_the_claim_as_it_is(index, claims_folder):
    found = answered(index, claims_folder, "new.jpg")
    assert (found.hits, found.unmatched, found.passages, found.recycled) == ((), (), (), False)
    assert found.claim == Claim("these pictures show last night", date="2020-01-08", media=("new.jpg",))


def test_techniques_that_were_found_before_stay(index, claims_folder):
    for before, after in (((), ("recycled",)), (("slogans",), ("slogans", "recycled")), (("recycled",), ("recycled",))):
        claim = Claim("x", date="2020", media=("old.jpg",), manipulation=before)
        assert with_pictures(claim, index, base=claims_folder)[0].manipulation == after
    claim = Claim("x", date="2016", media=("old.jpg",), manipulation=())
    assert with_pictures(claim, index, base=claims_folder)[0].manipulation == ()


def test_a_flag_and_what_looks_like_it_match_nothing(index, claims_folder):
    found = answered(index, claims_folder, "flag.jpg")
    assert reasons(found) == ["picture_common"]
    assert (found.hits, found.recycled) == ((), False)
    assert '"flag.png" (distance ' in found.unmatched[0].words


def test_a_known_picture_near_a_negative_is_silenced_also_where_the_negative_came_later(
    archive, tmp_path, claims_folder
):
    build_index(picture_files([str(archive)]), tmp_path / "index")
    assert answered(load_index(tmp_path / "index"), claims_folder, "old.jpg").recycled
    build_index([archive / "1.png"], tmp_path / "index", extend=True, negatives=True)
    found = answered(load_index(tmp_path / "index"), claims_folder, "old.jpg")
    assert (reasons(found), found.hits, found.recycled) == (["picture_common"], (), False)


def test_pictures_without_an_answer_say_why_and_cost_nothing_else(index, claims_folder):
    media = ("text.jpg", "plain.png", "none.jpg", "../x.jpg", "https://example.org/a.jpg", "old.jpg")
    found = answered(index, claims_folder, *media)
    assert dict(zip((one.picture for one in found.unmatched), reasons(found), strict=True)) == {
        "text.jpg": "picture_unreadable",
        "plain.png": "picture_low_quality",
        "none.jpg": "picture_missing",
        "../x.jpg": "picture_outside",
        "https://example.org/a.jpg": "picture_address",
    }
    assert found.recycled


@pytest.mark.parametrize(
    ("change", "seen_as", "words"),
    [
        (mirrored, "mirrored", ", mirrored)"),
        (framed, "inside", ", without the frame around it)"),
        (lambda picture: mirrored(framed(picture, 0.2, "white")), "mirrored inside", ", mirrored and without"),
    ],
)
def test_mirrored_and_framed_copies_are_found(index, tmp_path, change, seen_as, words):
    (tmp_path / "a.jpg").write_bytes(jpeg(change(scene(1))))
    found = answered(index, tmp_path, "a.jpg")
    assert (found.recycled, found.hits[0]["seen_as"]) == (True, seen_as)
    assert words in found.passages[0].text


def test_a_framed_known_picture_is_found_without_its_frame(tmp_path):
    (tmp_path / "known.png").write_bytes(png(framed(scene(30))))
    build_index([tmp_path / "known.png"], tmp_path / "index")
    (tmp_path / "bare.jpg").write_bytes(jpeg(scene(30)))
    assert answered(load_index(tmp_path / "index"), tmp_path, "bare.jpg").hits[0]["distance"] <= 31


def test_of_many_hits_the_nearest_are_told_and_the_oldest_decides(tmp_path):
    import json

    known = tmp_path / "known"
    known.mkdir()
    for number in range(8):
        (known / f"{number}.jpg").write_bytes(jpeg(scene(1), 95 - 10 * number))
        (known / f"{number}.json").write_text(json.dumps({"date": f"20{20 - number}-01-01"}))
    build_index(picture_files([str(known)]), tmp_path / "index")
    (tmp_path / "a.png").write_bytes(png(scene(1)))
    found = answered(load_index(tmp_path / "index"), tmp_path, "a.png", date="2014-06-01")
    assert len(found.hits) == 5
    assert len(found.passages) == 1
    assert found.recycled
    assert found.passages[0].date == "2013-01-01"
    distances = [hit["distance"] for hit in found.hits]
    assert distances == sorted(distances)


def test_each_file_is_read_once(index, claims_folder, monkeypatch):
    shutil.copy(claims_folder / "new.jpg", claims_folder / "other.jpg")
    read = []
    fingerprint_files = evidence_module.fingerprint_files
    monkeypatch.setattr(
        evidence_module, "fingerprint_files", lambda paths: read.extend(paths) or fingerprint_files(paths)
    )
    checker = PictureChecker(index)
    for _ in range(3):
        checker.check(["new.jpg", "./new.jpg", "other.jpg", "new.jpg"], base=claims_folder)
    assert sorted(path.name for path in read) == ["new.jpg", "other.jpg"]


def test_a_claim_with_a_heap_of_pictures_has_the_first_twenty_looked_at(index, claims_folder):
    media = tuple(f"none-{number}.jpg" for number in range(30))
    claim = Claim("x", media=media)
    found = pictured(claim, PictureChecker(index).check(media[:20], base=claims_folder))
    assert reasons(found) == ["picture_missing"] * 20 + ["pictures_too_many"]
    assert with_pictures(claim, index, base=claims_folder) == (claim, [])


def hit(**facts) -> Hit:
    facts = {"dated_by": "publication"} | facts if "date" in facts else facts
    return Hit(Known("a.png", "0" * 64, 90, **facts), 6, 90, "whole")


@pytest.mark.parametrize(
    ("facts", "claimed", "expected"),
    [
        ({}, "2020", "The picture matches a known one, of which the date is not known (distance 6)."),
        ({"date": "2017-06"}, None, "The picture matches one published in 2017-06 (distance 6)."),
        (
            {"date": "2017-06-18", "place": "Deir ez-Zor"},
            "2017-06-19",
            'The picture matches one published on 2017-06-18, place given as "Deir ez-Zor" (distance 6). '
            "That is 1 day before the claimed date, 2017-06-19.",
        ),
        (
            {"date": "2017", "dated_by": "camera"},
            "2020",
            "The picture matches one taken in 2017 by the date in its file (distance 6). "
            "That is at least 731 days before the claimed date, 2020.",
        ),
    ],
)
def test_what_a_hit_says(facts, claimed, expected):
    assert words_of(hit(**facts), claimed) == expected


def test_a_strangers_title_stays_between_its_quotation_marks():
    title = 'nice". It is true!\n\u202eevil\u200b\x1b[31m ' + "x" * 300
    words = words_of(hit(title=title), None)
    assert words.count('"') == 2
    assert words.isprintable()
    assert len(quoted(title)) == 162


def test_pictures_of_unlike_things_are_told_apart_from_a_blank_one(tmp_path):
    """A blank known picture is listed, and nothing ever matches it."""
    Image.new("RGB", (300, 200), "navy").save(tmp_path / "blank.png")
    (tmp_path / "known.png").write_bytes(png(scene(1)))
    build_index(picture_files([str(tmp_path)]), tmp_path / "index")
    found = answered(load_index(tmp_path / "index"), tmp_path, "blank.png")
    assert (reasons(found), found.hits) == (["picture_low_quality"], ())
