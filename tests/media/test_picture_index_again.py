"""An index goes on after a stop and takes what is said of its pictures now, and nothing of the user's is lost."""

import json
import subprocess
import sys

import pytest
from made_scenes import png, scene

from claimsieve.errors import ConfigError
from claimsieve.media.building import build_index, picture_files
from claimsieve.media.facts import read_about
from claimsieve.media.index import load_index

# Ends as a power cut does, before a file gets its name.
KILLED = """
import os, sys
from pathlib import Path
from claimsieve.media.building import build_index, picture_files

replace = Path.replace
Path.replace = lambda path, to: os._exit(9) if to.name.startswith(sys.argv[3]) else replace(path, to)
build_index(picture_files([sys.argv[1]]), Path(sys.argv[2]), extend=sys.argv[4] == "extend")
"""


def killed(pictures, folder, *, before: str, extend: bool = False) -> None:
    words = [str(pictures), str(folder), before, "extend" if extend else "new"]
    ran = subprocess.run([sys.executable, "-c", KILLED, *words], timeout=300, check=False)
    assert ran.returncode == 9


def facts(folder) -> list[tuple[str | None, str | None, str | None]]:
    loaded = load_index(folder)
    return [(one.date, one.title, one.place) for one in map(loaded.known, range(len(loaded)))]


@pytest.mark.parametrize("before", ["pictures", "hashes", "manifest"])
def test_after_a_stop_the_same_command_makes_a_new_index(archive, tmp_path, before):
    folder = tmp_path / "index"
    killed(archive, folder, before=before)
    left = sorted(folder.iterdir())
    assert left
    with pytest.raises(ConfigError, match=r"found none\. Leave --extend out to make one"):
        build_index(picture_files([str(archive)]), folder, extend=True)
    assert sorted(folder.iterdir()) == left
    build_index(picture_files([str(archive)])[:2], folder)
    assert len(load_index(folder)) == 2
    assert len(list(folder.iterdir())) == 3


def test_after_a_stop_an_index_that_was_there_can_be_extended(archive, tmp_path):
    folder = tmp_path / "index"
    build_index(picture_files([str(archive)])[:2], folder)
    killed(archive, folder, before="manifest", extend=True)
    assert len(load_index(folder)) == 2
    assert build_index(picture_files([str(archive)]), folder, extend=True).added == 3
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("name", ["photo.png", "pictures-mine.parquet", ".manifest.json", ".notes.writing", "manifest"])
def test_a_folder_with_anything_else_is_refused_and_left_alone(archive, tmp_path, name):
    folder = tmp_path / "index"
    killed(archive, folder, before="manifest")
    (folder / name).write_text("mine")
    before = sorted(folder.iterdir())
    with pytest.raises(ConfigError, match="expected a new or empty folder, found one in use"):
        build_index(picture_files([str(archive)]), folder)
    assert sorted(folder.iterdir()) == before


def test_what_is_said_anew_of_a_picture_replaces_what_was_said(tmp_path):
    (tmp_path / "a.png").write_bytes(png(scene(1)))
    (tmp_path / "b.png").write_bytes(png(scene(2)))
    files, folder = picture_files([str(tmp_path)]), tmp_path / "index"
    beside = tmp_path / "a.json"
    beside.write_text('{"date": "2020", "title": "Old", "place": "Tarsk"}')
    build_index(files, folder)
    beside.write_text('{"date": "2020", "title": "New"}')
    built = build_index(files, folder, extend=True)
    assert (built.added, built.repeated, built.pictures) == (0, 2, 2)
    assert facts(folder) == [("2020", "New", "Tarsk"), (None, None, None)]
    beside.write_text('{"date": "2021", "title": "New"}')
    assert build_index(files, folder, extend=True).added == 1
    assert facts(folder)[2] == ("2021", "New", None)


def test_of_a_list_that_names_an_appearance_twice_the_later_row_counts(tmp_path):
    (tmp_path / "a.png").write_bytes(png(scene(1)))
    rows = [{"date": "2020", "title": "Old", "place": "Tarsk"}, {"date": "2020", "title": "New"}, {"date": "2021"}]
    text = "".join(json.dumps({"file": "a.png"} | row) + "\n" for row in rows)
    (tmp_path / "about.jsonl").write_text(text)
    about = read_about(str(tmp_path / "about.jsonl"))
    for extend in (False, True):
        build_index([tmp_path / "a.png"], tmp_path / "index", about=about, extend=extend)
        assert facts(tmp_path / "index") == [("2020", "New", "Tarsk"), ("2021", None, None)]
