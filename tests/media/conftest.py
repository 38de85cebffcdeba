"""A small archive of known pictures, shared by the tests of pictures."""

import json

import pytest
from made_scenes import jpeg, png, scene
from PIL import Image

ARCHIVE = {
    1: {"date": "2017-06-18", "title": "Missiles at night", "page": "https://example.org/2017"},
    2: {"date": "2018-10-01", "place": "Kermanshah"},
    3: {"date": "2020-01-08", "page": "https://example.org/same-day"},
    4: {"date": "2021"},
    5: {},
}


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """A folder of five known pictures with a file of facts beside each; number n is scene(n)."""
    folder = tmp_path_factory.mktemp("archive")
    for number, facts in ARCHIVE.items():
        (folder / f"{number}.png").write_bytes(png(scene(number)))
        if facts:
            (folder / f"{number}.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="session")
def index_folder(archive, tmp_path_factory):
    """The archive's index, with a flag as a negative."""
    from claimsieve.media.building import build_index, picture_files

    folder = tmp_path_factory.mktemp("indexes") / "index"
    build_index(picture_files([str(archive)]), folder)
    flags = tmp_path_factory.mktemp("flags")
    (flags / "flag.png").write_bytes(png(scene(99)))
    build_index(picture_files([str(flags)]), folder, negatives=True, extend=True)
    return folder


@pytest.fixture
def claims_folder(tmp_path):
    """Where claims and their pictures lie: copies of known ones, a new one, a flag, a plain one, and a text."""
    (tmp_path / "old.jpg").write_bytes(jpeg(scene(1), 60))
    (tmp_path / "same-day.jpg").write_bytes(jpeg(scene(3), 60))
    (tmp_path / "undated.jpg").write_bytes(jpeg(scene(5), 60))
    (tmp_path / "new.jpg").write_bytes(jpeg(scene(50)))
    (tmp_path / "flag.jpg").write_bytes(jpeg(scene(99), 60))
    (tmp_path / "plain.png").write_bytes(png(Image.new("RGB", (200, 200), "white")))
    (tmp_path / "text.jpg").write_text("no picture")
    return tmp_path
