from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimsieve import yaml12
from claimsieve.errors import ConfigError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
tricky = st.sampled_from(
    [
        "no",
        "~",
        "=",
        "<<",
        "1e5",
        "0x1",
        "1_000",
        "2020-01-08",
        "12:30",
        "!x",
        "&a",
        "a: b",
        " #",
        "a\nb",
        "\x85",
        "---",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    text | tricky,
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))


def read(tmp_path, content):
    path = tmp_path / "a.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return yaml12.read(path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2e-5", 2e-5),
        ("1E+5", 1e5),
        (".5", 0.5),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1f", 31),
        ("true", True),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("2020-01-08", "2020-01-08"),
        ("2020-01-08T10:00:00Z", "2020-01-08T10:00:00Z"),
        ("2020-13-45", "2020-13-45"),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("[1, {b: c}]", [1, {"b": "c"}]),
    ],
)
def test_values_are_those_of_yaml_1_2(tmp_path, written, value):
    found = read(tmp_path, f"a: {written}\n")["a"]
    assert found == value
    assert type(found) is type(value)


@given(st.dictionaries(text, values, max_size=3))
@settings(deadline=None, max_examples=60)
def test_what_is_dumped_is_parsed_back(data):
    assert yaml12.parse(yaml12.dump(data), place="here") == data


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    assert read(tmp_path, "\ufeffa: 1\n") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", r"line 3: not valid YAML: found duplicate key \"a\""),
        ("a: {b: 1, b: 2}", "found duplicate key"),
        ("a: &lol [x, x]\nb: [*lol, *lol]\n", r"line 1: anchors and aliases \(& and \*\) are not supported"),
        ("a: *lol\n", "anchors and aliases"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", r"line 2: tags \(!\) are not supported"),
        ("%TAG ! tag:yaml.org,2002:python/\n---\na: !object:os.system {}\n", "tags"),
        ("a: !!binary aGVsbG8=\n", "tags"),
        ("a: !!bool perhaps\n", "tags"),
        ("a: !unknown 3\n", "tags"),
        ("%YAML 1.1\n---\na: no\n", "expected YAML 1.2"),
        ("a: " + "x" * 1_000_000, "expected at most 1,000,000 bytes of YAML, found 1,000,003"),
        (b"a: caf\xe9\n", "expected UTF-8 text, found byte 0xe9"),
        ("a: 1\n".encode("utf-16"), "expected UTF-8 text, found byte 0xff"),
        (b"a: \x00\n", "not valid YAML: unacceptable character"),
        ("a: .nan\n", "expected a finite number, found nan"),
        ("a: [-.inf]\n", "expected a finite number, found -inf"),
        ("a: 1e400\n", "expected a finite number, found inf"),
        ("1: a\n", "expected a text as key, found 1. Put it in quotes"),
        ("a: {true: b}\n", "expected a text as key, found True"),
        ("~: a\n", "expected a text as key, found None"),
        ("? [a]\n: b\n", "expected a text as key"),
        ("? {a: b}\n: c\n", "not valid YAML"),
        ("? - a:\n: c\n", "not valid YAML"),
        ("a: " + "[" * 100_000, "line 1: nested too deeply: expected at most 50 levels"),
        ("a: " + "{a: " * 3_000 + "1" + "}" * 3_000, "nested too deeply"),
        ("- " * 2_000, "nested too deeply"),
        ("\n".join(" " * level + "a:" for level in range(60)), "line 51: nested too deeply"),
        ("a: " + "9" * 5_000, "not valid YAML: Exceeds the limit"),
        ("a: 0x" + "f" * 5_000, r"expected a whole number below 2\*\*63"),
        ('a: "\\ud800"\n', "half a character"),
        ('"\\ud800": a\n', "half a character"),
        ("a: 'b\n", "not valid YAML: found unexpected end of stream"),
        ("a: b: c\n", "line 1: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("", "expected a mapping of keys to values, found NoneType"),
        ("- a\n", "expected a mapping of keys to values, found list"),
        ("just words\n", "expected a mapping of keys to values, found str"),
    ],
)
def test_what_a_config_has_no_use_for_is_one_clear_problem(tmp_path, content, problem):
    with pytest.raises(ConfigError, match=problem) as refusal:
        read(tmp_path, content)
    message = str(refusal.value)
    assert message.startswith(f"{tmp_path / 'a.yaml'}")
    assert "\n" not in message
    assert len(message) < 400


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none.yaml: cannot be read: No such file or directory"):
        yaml12.read(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        yaml12.read(tmp_path)
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"endless\.yaml: expected a file, found a device or pipe"):
        yaml12.read(tmp_path / "endless.yaml")


@given(st.binary(max_size=100) | st.text("ab:-?[]{}&*!|>'\"%@#,~<= \n\t01.e_é", max_size=60).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_a_mapping_or_a_config_error(tmp_path_factory, content):
    with suppress(ConfigError):
        assert isinstance(read(tmp_path_factory.getbasetemp(), content), dict)


def test_a_name_that_no_file_can_have_is_one_message():
    with pytest.raises(ConfigError, match=r"'a\\x00b': cannot be read: embedded null byte"):
        yaml12.read(Path("a\0b"))
