import io
import sys

import pytest
from read_back import short

from claimsieve.data.files import Reject, Row, read_rows


def test_json_lines_keep_their_line_numbers(rows_in):
    content = (
        b'\xef\xbb\xbf{"claim": "first"}\r\n'
        b"\r\n"
        b'{"claim": "caf\xc3\xa9"}\n'
        b'{"claim": "caf\xe9"}\n'
        b'{"claim": "after"}\n'
        b'["claim"]\n'
        b'{"claim": NaN}\n'
        b'{"claim": "half}\n'
        b'  {"claim": "last"}'
    )
    assert short(rows_in("a.jsonl", content)) == [
        (1, {"claim": "first"}),
        (3, {"claim": "café"}),
        (4, "not UTF-8: byte 0xe9 at 15"),
        (5, {"claim": "after"}),
        (6, "expected a JSON object"),
        (7, "not JSON: NaN"),
        (8, "not JSON: Invalid control character at character 17"),
        (9, {"claim": "last"}),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"claim": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"claim": ' + b"9" * 5_000 + b"}", "a whole number has too many digits"),
        (b"x" * 16_000_001, "the line is longer than 16,000,000 bytes"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8: byte 0xff at 1"),
        (b"{'claim': 'a'}", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        (b"claim,label", "not JSON: Expecting value at character 1"),
        (b'{"claim": -Infinity}', "not JSON: -Infinity"),
        (b"null", "expected a JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_line_of_json_costs_that_line_only(rows_in, line, reason):
    before, bad, after = rows_in("a.jsonl", b'{"claim": "before"}\n' + line + b'\n{"claim": "after"}\n')
    assert (before, after) == (Row(1, {"claim": "before"}), Row(3, {"claim": "after"}))
    assert isinstance(bad, Reject)
    assert bad.place == 2
    assert bad.reason.startswith(reason)
    assert bad.excerpt.startswith(line[:5].decode("utf-8", "replace"))
    assert len(bad.excerpt) <= 200


def test_only_a_line_feed_ends_a_line_of_json(rows_in):
    (row,) = rows_in("a.jsonl", '{"claim": "a\u2028b\x85c"}\n')
    assert row.fields == {"claim": "a\u2028b\x85c"}


def test_standard_input_is_json_lines(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"claim": "a"}\n[]\n')))
    assert short(read_rows("-")) == [(1, {"claim": "a"}), (2, "expected a JSON object")]


def test_a_key_that_stands_twice_is_a_reject_not_a_lost_value(rows_in):
    content = b'{"claim": "a", "note": 1, "claim": "b"}\n{"claim": "a", "evidence": [{"text": "b", "text": "c"}]}\n'
    assert short(rows_in("a.jsonl", content)) == [
        (1, "a key stands twice in one object: 'claim'"),
        (2, "a key stands twice in one object: 'text'"),
    ]


def test_files_with_a_mark_each_can_be_put_one_after_another(rows_in):
    marked = b'\xef\xbb\xbf{"claim": "a"}\n\xef\xbb\xbf\n'
    assert [row.place for row in rows_in("a.jsonl", marked + marked)] == [1, 3]


def test_a_long_line_that_begins_with_blanks_is_no_blank_line(rows_in, monkeypatch):
    monkeypatch.setattr("claimsieve.data.packed.MAX_ROW_BYTES", 20)
    monkeypatch.setattr("claimsieve.data.json_lines.MAX_ROW_BYTES", 20)
    content = (
        b" " * 21 + b'{"claim": "a"}\n' + b" " * 20 + b"\n" + b"\n" + b'{"claim": "12345678"}\n{"claim": "1234567"}'
    )
    assert short(rows_in("a.jsonl", content)) == [
        (1, "the line is longer than 20 bytes"),
        (2, "the line is longer than 20 bytes"),
        (4, "the line is longer than 20 bytes"),
        (5, {"claim": "1234567"}),
    ]
