"""claimsieve media index and check: what they print, write and end with."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_scenes import jpeg, scene

from claimsieve.media.index import load_index


@pytest.mark.parametrize("words", ["index", "check"])
def test_help_has_an_example(claimsieve, words):
    code, out, err = claimsieve("media", words, "--help")
    assert (code, err) == (0, "")
    assert f"Example: claimsieve media {words} " in out
    assert "--json" in out
    assert f"\n  {words} " in claimsieve("media", "--help")[1]


def test_index_says_what_it_made_and_what_to_do_next(claimsieve, archive, tmp_path):
    target = tmp_path / "index"
    code, out, err = claimsieve("media", "index", archive, "-o", target)
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"1 without a date ({archive}/5.png): a match with them cannot show that a picture is older",
        f"5 added: {target} knows 5 pictures",
        f"next: claimsieve media check PICTURE --index {target} --claimed-date DATE",
    ]
    assert claimsieve("media", "index", archive, "-o", target, "--extend", "-q") == (0, "", "")
    code, _, err = claimsieve("media", "index", archive, "-o", target)
    assert code == 2
    assert "Add to it with --extend" in err


def test_index_with_files_that_cannot_be_read_is_exit_code_3(claimsieve, claims_folder, tmp_path):
    target = tmp_path / "made" / "index"
    code, out, err = claimsieve("media", "index", claims_folder, "-o", target, "--json", "-q")
    assert (code, err) == (3, "")
    told = json.loads(out)
    assert (told["pictures"], told["added"], told["undated"]) == (6, 6, 6)
    assert [entry["file"] for entry in told["unread"]] == [str(claims_folder / "text.jpg")]
    assert told["low_quality"] == [str(claims_folder / "plain.png")]
    assert len(load_index(target)) == 6


def test_an_archive_is_refused_with_what_to_do(claimsieve, tmp_path):
    (tmp_path / "all.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    code, _, err = claimsieve("media", "index", tmp_path / "all.zip", "-o", tmp_path / "index")
    assert code == 1
    assert "found a zip archive; unpack it" in err


def test_check_tells_people_in_words(claimsieve, index_folder, claims_folder):
    files = [claims_folder / name for name in ("old.jpg", "new.jpg", "flag.jpg", "plain.png")]
    code, out, err = claimsieve("media", "check", *files, "--index", index_folder, "--claimed-date", "2020-01-08")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"{files[0]}: recycled. The picture matches one published on 2017-06-18 as ")
    assert lines[0].endswith("before the claimed date, 2020-01-08. https://example.org/2017")
    assert lines[1].startswith(f"{files[1]}: not in the index (quality ")
    assert lines[2].startswith(f"{files[2]}: picture_common: it looks like ")
    assert lines[3].startswith(f"{files[3]}: picture_low_quality: ")
    assert err == "4 looked up, 1 with a match, 1 recycled, 2 without an answer\n"


def test_check_speaks_json_lines(claimsieve, index_folder, claims_folder, tmp_path):
    arguments = [claims_folder, "--index", index_folder, "--claimed-date", "2020-01-08"]
    code, out, err = claimsieve("media", "check", *arguments, "--json")
    assert (code, err) == (3, "")  # one of them is no picture
    rows = {row["picture"].rsplit("/", 1)[-1]: row for row in map(json.loads, out.splitlines())}
    assert len(rows) == 7
    assert rows["old.jpg"]["manipulation"] == ["recycled"]
    assert rows["old.jpg"]["evidence"]["text"] == rows["old.jpg"]["hits"][0]["words"]
    assert rows["old.jpg"]["evidence"]["source"] == "picture index"
    assert (rows["same-day.jpg"]["manipulation"], len(rows["same-day.jpg"]["hits"])) == ([], 1)
    assert (rows["new.jpg"]["manipulation"], rows["new.jpg"]["hits"], rows["new.jpg"]["evidence"]) == ([], [], None)
    for name, reason in (("text.jpg", "picture_unreadable"), ("plain.png", "picture_low_quality")):
        assert rows[name]["unmatched"]["reason"] == reason
        assert rows[name]["manipulation"] is None
    code, nothing, err = claimsieve("media", "check", *arguments, "-o", tmp_path / "out.jsonl")
    assert (code, nothing) == (3, "")
    assert (tmp_path / "out.jsonl").read_text() == out
    assert f"wrote 7 rows → {tmp_path / 'out.jsonl'}" in err


def test_check_without_a_claimed_date_says_that_age_was_not_judged(claimsieve, index_folder, claims_folder, tmp_path):
    arguments = [claims_folder / "old.jpg", "--index", index_folder]
    code, _, err = claimsieve("media", "check", *arguments)
    expected = "1 looked up, 1 with a match, recycled was not judged: no --claimed-date, 0 without an answer\n"
    assert (code, err) == (0, expected)
    code, out, _ = claimsieve("media", "check", *arguments, "--json")
    assert (code, json.loads(out)["manipulation"]) == (0, None)


def test_check_reads_a_picture_on_standard_input(claimsieve, index_folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(jpeg(scene(1)))))
    code, out, _ = claimsieve("media", "check", "-", "--index", index_folder, "--claimed-date", "2020", "--json")
    row = json.loads(out)
    assert (code, row["picture"], row["manipulation"]) == (0, "-", ["recycled"])
    assert row["hits"][0]["picture"] == "-"


def test_a_threshold_of_ones_own_finds_less(claimsieve, index_folder, claims_folder):
    check = ["media", "check", claims_folder / "old.jpg", "--index", index_folder, "--json"]
    rows = [json.loads(claimsieve(*check, *more)[1]) for more in ([], ["--threshold", "0"])]
    distance = rows[0]["hits"][0]["distance"]
    assert len(rows[1]["hits"]) == (distance == 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--claimed-date", "8.1.2020"], 2, "--claimed-date 8.1.2020: expected YYYY"),
        (["--threshold", "128"], 2, "expected a distance from 0 to 63"),
        (["-o", "out.csv"], 2, "expected a file that ends in .jsonl"),
        (["--index", "nowhere"], 1, "expected a picture index with manifest.json, found none"),
    ],
)
def test_wrong_options_are_told(claimsieve, index_folder, claims_folder, arguments, code, message):
    given = ["media", "check", claims_folder / "old.jpg", "--index", index_folder, *arguments]
    found, out, err = claimsieve(*given)
    assert (found, out) == (code, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_names_that_would_steer_a_terminal_are_shown_plainly(claimsieve, index_folder, tmp_path):
    name = tmp_path / "a\x1b[31m\u202egnp.png"
    name.write_bytes(b"no picture")
    code, out, err = claimsieve("media", "check", name, "--index", index_folder)
    assert code == 3
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_names_that_are_no_utf_8_are_written_with_escapes(claimsieve, archive, tmp_path):
    folder = tmp_path / os.fsdecode(b"pictures\xfe")
    folder.mkdir()
    (folder / os.fsdecode(b"bad\xff.png")).write_bytes((archive / "1.png").read_bytes())
    (folder / os.fsdecode(b"none\xff.png")).write_text("no picture")
    index = tmp_path / os.fsdecode(b"index\xff")
    code, out, _ = claimsieve("media", "index", folder, "-o", index, "--json")
    assert code == 3
    assert json.loads(out)["unread"][0]["file"] == f"{tmp_path}/pictures\\xfe/none\\xff.png"
    assert load_index(index).known(0).file == f"{tmp_path}/pictures\\xfe/bad\\xff.png"
    code, out, _ = claimsieve("media", "check", folder, "--index", index, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, [row["picture"].rsplit("/", 1)[1] for row in rows]) == (3, ["bad\\xff.png", "none\\xff.png"])
    assert len(rows[0]["hits"]) == 1
    code, _, _ = claimsieve("media", "check", folder, "--index", index, "-o", tmp_path / "c.jsonl")
    assert [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()] == rows
    code, out, _ = claimsieve("media", "check", folder, "--index", index)
    assert "bad\\xff.png: The picture matches" in out


def test_the_summary_names_files_and_what_was_passed_over(claimsieve, archive, tmp_path):
    (tmp_path / "1.png").write_bytes((archive / "1.png").read_bytes())
    (tmp_path / "drawing.svg").write_text("<svg/>")
    (tmp_path / "about.csv").write_text("file,date\nnone.png,2020\n")
    code, _, err = claimsieve("media", "index", tmp_path, "-o", tmp_path / "index", "--about", tmp_path / "about.csv")
    assert code == 0
    assert f"1 file of other kinds than can be read passed over: {tmp_path}/drawing.svg\n" in err
    assert f"1 without a date ({tmp_path}/1.png): " in err
    assert f"1 in {tmp_path}/about.csv that were not given: {tmp_path}/none.png\n" in err
    assert "knows 1 picture\n" in err
    (tmp_path / "text.png").write_text("no picture")
    code, _, err = claimsieve("media", "check", tmp_path, "--index", tmp_path / "index")
    assert code == 3
    assert "1 looked up, 1 with a match, recycled was not judged: no --claimed-date, 0 without an answer" in err
    assert ", 1 that could not be read" in err
    assert "drawing.svg" in err


def test_a_model_is_not_taken_for_an_index(claimsieve, archive, tmp_path):
    (tmp_path / "manifest.json").write_text('{"kind": "tfidf", "format_version": 1}')
    code, _, err = claimsieve("media", "index", archive, "-o", tmp_path)
    assert (code, "expected a new or empty folder, found one in use" in err) == (2, True)


def test_an_output_that_is_a_checked_picture_is_refused(claimsieve, index_folder, tmp_path):
    picture = tmp_path / "photo.jsonl"  # a picture given by name may be called anything
    picture.write_bytes(jpeg(scene(1)))
    (tmp_path / "link.jsonl").symlink_to(picture)
    for target in (picture, tmp_path / "link.jsonl"):
        code, _, err = claimsieve("media", "check", picture, "--index", index_folder, "-o", target)
        assert (code, "expected another file for the output than the input" in err) == (1, True)
        assert picture.read_bytes() == jpeg(scene(1))


def test_an_output_in_no_folder_is_refused(claimsieve, index_folder, claims_folder):
    target = claims_folder / "none" / "out.jsonl"
    code, _, err = claimsieve("media", "check", claims_folder / "old.jpg", "--index", index_folder, "-o", target)
    assert (code, "expected an existing folder for the output, found none" in err) == (1, True)
    assert not target.parent.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [["--json"], []])
def test_a_standard_output_that_is_full_is_one_sentence(index_folder, claims_folder, form):
    words = ["media", "check", claims_folder / "old.jpg", "--index", index_folder, *form]
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "claimsieve", *map(str, words)]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "claimsieve: standard output: cannot be written: No space left on device.\n"
