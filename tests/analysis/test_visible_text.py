"""What cannot be seen is written out; what a language is spelt with stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.analysis.values import day, number, truth, web_address
from claimsieve.analysis.visible import one_line, visible


def test_hidden_characters_are_named():
    assert visible("a\u202ecod.exe") == "a⟨U+202E⟩cod.exe"
    assert visible("\x00\x1b[31mred") == "⟨U+0000⟩⟨U+001B⟩[31mred"
    assert visible("\u2066" * 9) == "⟨U+2066 ×9⟩"
    assert visible("x\U000e0041\U000e0042") == "x⟨U+E0041⟩⟨U+E0042⟩"
    assert visible("half \ud800 pair") == "half � pair"


def test_lines_stay_lines_and_words_stay_spelt():
    assert visible("one\r\ntwo\rthree\u2028four\tfive") == "one\ntwo\nthree\nfour\tfive"
    persian = "می\u200cخواهم"  # with a joiner that belongs to the word
    assert visible(persian) == persian
    assert visible("👩\u200d🚒") == "👩\u200d🚒"


@given(st.text(st.characters(codec=None)))
def test_every_text_can_be_written_as_utf_8_and_holds_no_control(text):
    found = visible(text)
    found.encode()
    assert not [sign for sign in found if sign < " " and sign not in "\n\t"]
    assert "\u202e" not in found


def test_a_line_has_an_end():
    assert one_line("a\n b   c") == "a b c"
    assert one_line("x" * 50, limit=10) == "x" * 10 + " …"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "\x01javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//evil.example/x",
        "https:",
        "http://[broken",
        "https://a.example/ space",
        'https://a.example/"onmouseover="alert(1)',
        "https://a.example/\u202egpj.exe",
        "https://a.example/" + "x" * 3_000,
        17,
        None,
    ],
)
def test_only_plain_web_addresses_become_links(address):
    assert web_address(address) is None


def test_a_web_address_stays_as_it_is():
    assert web_address(" https://a.example/ü?x=1&y=2#z ") == "https://a.example/ü?x=1&y=2#z"


def test_days_in_words():
    assert day("2020-01-08") == "8 January 2020"
    assert day("2020-12") == "December 2020"
    assert day("2020") == "2020"
    assert day("yesterday") == "yesterday"
    assert day(None) is None


def test_values_of_tables():
    assert number("0.25", 0, 1) == 0.25
    assert number("1e999") is None
    assert number(True) is None
    assert number(2, 0, 1) is None
    assert truth("True") is True
    assert truth("no") is None
