"""An index says what is known of pictures, grows, and is refused when a byte of it is not what was written."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
from made_scenes import jpeg, png, scene
from PIL import Image

from claimsieve.errors import ConfigError, DataError
from claimsieve.media import index as index_module
from claimsieve.media.building import build_index, picture_files
from claimsieve.media.facts import read_about
from claimsieve.media.index import Known, load_index


@pytest.fixture
def folder(index_folder, tmp_path):
    """A copy of the archive's index that may be spoilt."""
    return shutil.copytree(index_folder, tmp_path / "index")


def known(folder) -> dict[str, Known]:
    """The pictures of an index by name of file."""
    loaded = load_index(folder)
    return {os.path.basename(one.file): one for one in map(loaded.known, range(len(loaded)))}  # noqa: PTH119


def changed_manifest(folder, **changes) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_facts_stand_beside_the_pictures(index_folder):
    found = known(index_folder)
    assert len(found) == 6
    one = found["1.png"]
    assert (one.date, one.dated_by, one.title) == ("2017-06-18", "publication", "Missiles at night")
    assert (one.page, one.place, one.negative) == ("https://example.org/2017", None, False)
    assert len(one.sha256) == 64
    assert one.quality > 50
    assert found["2.png"].place == "Kermanshah"
    assert found["5.png"].date is found["5.png"].dated_by is None
    assert found["flag.png"].negative


def test_a_list_of_facts_may_know_a_picture_from_several_pages(archive, tmp_path):
    rows = [
        ["file", "date", "page", "views"],
        [str(archive / "1.png"), "2017-06-18", "https://example.org/a", "3"],
        [os.path.relpath(archive / "1.png", tmp_path), "2019", "https://example.org/b", ""],
        ["nowhere.png", "2019", "", ""],
    ]
    with (tmp_path / "about.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    about = read_about(str(tmp_path / "about.csv"))
    built = build_index(picture_files([str(archive)]), tmp_path / "index", about=about)
    assert (built.added, len(built.unused), len(built.undated)) == (6, 1, 1)
    loaded = load_index(tmp_path / "index")
    dates = [one.date for one in map(loaded.known, range(6))]
    assert dates == ["2017-06-18", "2019", "2018-10-01", "2020-01-08", "2021", None]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"date": "2020"}, "expected a column 'file', found date"),
        ({"file": "a.png", "date": "8.1.2020"}, "expected a date as YYYY"),
        ({"file": "a.png", "date": 20.5}, "expected text in 'date'"),
        ({"file": "a.png", "page": "javascript:alert(1)"}, "begins with http:// or https://"),
        ({"file": "a.png", "page": "https://a b"}, "begins with http:// or https://"),
        ({"file": "a.png", "title": "x" * 501}, "at most 500 characters in 'title', found 501"),
        ({"file": "a\0.png"}, "expected the name of a file"),
        ({"file": ["a.png"]}, "expected text in 'file'"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_before_any_picture_is_read(tmp_path, row, message):
    (tmp_path / "about.jsonl").write_text('{"file": "b.png"}\n' + json.dumps(row) + "\n")
    with pytest.raises(DataError, match=rf"about.jsonl: row 2: .*{message}"):
        read_about(str(tmp_path / "about.jsonl"))


def test_all_bad_rows_of_a_list_are_told_at_once(tmp_path):
    (tmp_path / "about.csv").write_text("file,date\na.png,May\nb.png,2020\n,2021\n")
    with pytest.raises(DataError, match=r"row 2: expected a date .*; row 4: expected a column 'file'.*Mend them\.$"):
        read_about(str(tmp_path / "about.csv"))


def test_a_camera_tells_the_day_and_the_place_where_nobody_else_does(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2016:05:04 10:11:12"
    exif.get_ifd(0x8825).update({1: "N", 2: (33.0, 47.0, 9.6), 3: "W", 4: (42.0, 26.0, 28.32)})
    scene(7).save(tmp_path / "a.jpg", exif=exif)
    scene(8).save(tmp_path / "b.jpg", exif=exif)
    (tmp_path / "b.jpg.json").write_text('{"date": "2019", "place": "elsewhere", "kind": "their own"}')
    build_index(picture_files([str(tmp_path)]), tmp_path / "index")
    found = known(tmp_path / "index")
    assert (found["a.jpg"].date, found["a.jpg"].dated_by) == ("2016-05-04", "camera")
    assert found["a.jpg"].place == "33.7860, -42.4412"
    assert (found["b.jpg"].date, found["b.jpg"].dated_by, found["b.jpg"].place) == ("2019", "publication", "elsewhere")


@pytest.mark.parametrize(
    ("day", "north"),
    [("0000:00:00 00:00:00", (0.0, 0.0, 0.0)), ("no day", (91.0, 0.0, 0.0)), ("1200:01:01", (0.0, 5_000.0, 9.0))],
)
def test_what_a_camera_cannot_mean_is_left_out(tmp_path, day, north):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = day
    exif.get_ifd(0x8825).update({1: "N", 2: north, 3: "E", 4: (0.0, 0.0, 0.0)})
    scene(7).save(tmp_path / "a.jpg", exif=exif)
    build_index(picture_files([str(tmp_path)]), tmp_path / "index")
    one = known(tmp_path / "index")["a.jpg"]
    assert (one.date, one.dated_by, one.place) == (None, None, None)


def test_pictures_that_cannot_be_used_are_told_and_the_rest_is_indexed(tmp_path):
    (tmp_path / "good.png").write_bytes(png(scene(1)))
    (tmp_path / "bad.png").write_bytes(png(scene(2))[:3_000])
    (tmp_path / "wrong.png").write_bytes(png(scene(3)))
    (tmp_path / "wrong.json").write_text('{"date": "yesterday"}')
    (tmp_path / "twice.png").write_bytes(png(scene(4)))
    (tmp_path / "twice.png.json").write_text('{"date": "2020", "date": "2021"}')
    Image.new("RGB", (300, 300), "red").save(tmp_path / "plain.png")
    built = build_index(picture_files([str(tmp_path)]), tmp_path / "index")
    assert (built.added, built.pictures) == (2, 2)
    assert [os.path.basename(name) for name in built.low_quality] == ["plain.png"]  # noqa: PTH119
    reasons = {os.path.basename(one.file): one.reason for one in built.unread}  # noqa: PTH119
    assert set(reasons) == {"bad.png", "wrong.png", "twice.png"}
    assert "wrong.json: expected a date as YYYY" in reasons["wrong.png"]
    assert "a key stands twice" in reasons["twice.png"]


def test_of_a_folder_hidden_files_links_and_other_files_are_left_out(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    for name in ("b.PNG", "below/a.jpg", ".hidden.png", "c.txt", "d.zip"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "outside.png").write_bytes(b"x")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "loop").symlink_to(folder)
    assert [path.relative_to(folder).as_posix() for path in picture_files([str(folder)])] == ["b.PNG", "below/a.jpg"]
    assert picture_files([str(folder / "c.txt"), str(folder / "c.txt")]) == [folder / "c.txt"]  # asked for by name
    with pytest.raises(DataError, match="expected a picture or a folder of pictures, found nothing"):
        picture_files([str(tmp_path / "none")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected pictures .*found none"):
        picture_files([str(tmp_path / "empty")])


def test_an_index_grows_and_does_not_take_the_same_appearance_twice(folder, archive, tmp_path):
    before = load_index(folder)
    (tmp_path / "more.jpg").write_bytes(jpeg(scene(40)))
    built = build_index([*picture_files([str(archive)]), tmp_path / "more.jpg"], folder, extend=True, threshold=25)
    assert (built.added, built.repeated, built.pictures, built.negatives) == (1, 5, 6, 1)
    after = load_index(folder)
    assert (len(after), after.threshold, before.threshold) == (7, 25, 31)
    assert after.fingerprint != before.fingerprint
    assert np.array_equal(after.hashes[: len(before.hashes)], before.hashes)
    assert len(list(folder.iterdir())) == 3  # what it was before is gone
    assert load_index(folder, threshold=10).threshold == 10


def test_the_same_pictures_make_the_same_index(archive, tmp_path):
    files = picture_files([str(archive)])
    for name in ("one", "two"):
        build_index(files, tmp_path / name)
    assert load_index(tmp_path / "one").fingerprint == load_index(tmp_path / "two").fingerprint


def test_a_stop_before_the_manifest_leaves_the_old_index(folder, tmp_path, monkeypatch):
    (tmp_path / "more.jpg").write_bytes(jpeg(scene(40)))
    write = index_module.write_file

    def stopped(path, content):
        if path.name == "manifest.json":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(index_module, "write_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        build_index([tmp_path / "more.jpg"], folder, extend=True)
    assert len(load_index(folder)) == 6


def test_places_that_are_not_as_asked_are_refused_before_any_work(folder, archive, tmp_path):
    files = picture_files([str(archive)])
    with pytest.raises(ConfigError, match=r"found an index. Add to it with --extend"):
        build_index(files, folder)
    with pytest.raises(ConfigError, match=r"--extend: expected a picture index in .*found none"):
        build_index(files, tmp_path / "none", extend=True)
    with pytest.raises(ConfigError, match="expected a new or empty folder, found one in use"):
        build_index(files, archive)
    for threshold in (-1, 64):
        with pytest.raises(ConfigError, match="expected a distance from 0 to 63"):
            build_index(files, tmp_path / "new", threshold=threshold)
        with pytest.raises(ConfigError, match="expected a distance from 0 to 63"):
            load_index(folder, threshold=threshold)
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"found none. The first: .*bad.png: expected a picture"):
        build_index([tmp_path / "bad.png"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("stem", ["pictures", "hashes"])
def test_any_changed_byte_is_noticed(folder, stem):
    (path,) = folder.glob(f"{stem}-*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"'{path.name}' is not what was saved \(SHA-256 differs\)"):
        load_index(folder)
    path.write_bytes(content + b"x")
    with pytest.raises(DataError, match="is not what was saved"):
        load_index(folder)
    path.unlink()
    with pytest.raises(DataError, match=f"expected '{path.name}', found nothing"):
        load_index(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "written by a newer claimsieve"),
        ({"hash": {"decoding": 9}}, "written by a newer claimsieve"),
        ({"hash": {"decoding": 0}}, "other hashes then. Make it anew"),
        ({"kind": "model"}, "not the manifest of a picture index: of a 'model'"),
        ({"threshold": 200}, "a threshold of 200"),
        ({"threshold": True}, "a threshold of True"),
        ({"files": {}}, "other files than an index has"),
        ({"files": {"../hashes-0123456789abcdef.safetensors": {"sha256": "0", "bytes": 1}}}, "other files"),
        ({"files": None}, "not the manifest"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(folder, changes, message):
    changed_manifest(folder, **changes)
    with pytest.raises(DataError, match=message):
        load_index(folder)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"[" * 50_000, b"\xff\xfe", b'{"kind": "picture index"}'])
def test_a_manifest_of_rubbish_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match="not the manifest of a picture index"):
        load_index(folder)


def test_what_is_no_index_is_told_with_what_makes_one(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"expected a picture index .*claimsieve media index"):
            load_index(path)


def rewritten(folder, stem: str, content: bytes) -> None:
    """A stranger's index: another content, and a manifest that vouches for it."""
    import hashlib

    sha256 = hashlib.sha256(content).hexdigest()
    manifest = json.loads((folder / "manifest.json").read_text())
    (old,) = [name for name in manifest["files"] if name.startswith(stem)]
    name = f"{stem}-{sha256[:16]}.{old.split('.')[1]}"
    files = {key: value for key, value in manifest["files"].items() if key != old}
    files[name] = {"sha256": sha256, "bytes": len(content)}
    (folder / name).write_bytes(content)
    changed_manifest(folder, files=files)


@pytest.mark.parametrize(
    ("hashes", "owners", "message"),
    [
        (np.zeros((2, 31), np.uint8), np.zeros(2, np.int64), r"hashes of shape \(2, 31\)"),
        (np.zeros((2, 32), np.int8), np.zeros(2, np.int64), "hashes of shape"),
        (np.zeros((2, 32), np.uint8), np.zeros(3, np.int64), r"owners of shape \(3,\)"),
        (np.zeros((2, 32), np.uint8), np.full(2, 99, np.int64), "a hash of a picture that is not there"),
        (np.zeros((2, 32), np.uint8), np.full(2, -1, np.int64), "a hash of a picture that is not there"),
    ],
)
def test_hashes_that_cannot_be_are_refused(folder, hashes, owners, message):
    from safetensors.numpy import save

    rewritten(folder, "hashes", save({"hashes": hashes, "owners": owners}))
    with pytest.raises(DataError, match=f"its hashes cannot be read: {message}"):
        load_index(folder)


def test_a_strangers_table_is_checked(folder):
    import io

    import pyarrow
    import pyarrow.parquet

    def parquet(table):
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink)
        return sink.getvalue()

    good = load_index(folder).pictures
    row = good.to_pylist()[0]
    for change, message in (
        ({"date": "yesterday"}, "a date that is none"),
        ({"page": "javascript:alert(1)"}, "a page that is no web address"),
    ):
        bad = pyarrow.Table.from_pylist([row | change] * len(good), schema=good.schema)
        rewritten(folder, "pictures", parquet(bad))
        with pytest.raises(DataError, match=message):
            load_index(folder)
    rewritten(folder, "pictures", parquet(good.drop_columns(["title"])))
    with pytest.raises(DataError, match="other columns than an index has"):
        load_index(folder)
    for rubbish in (b"", b"PAR1rubbishPAR1", b"\x80\x04pickle"):
        rewritten(folder, "pictures", rubbish)
        with pytest.raises(DataError, match=r"its (pictures|hashes) cannot be read"):
            load_index(folder)
