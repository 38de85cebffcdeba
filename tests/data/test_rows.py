import json
from datetime import UTC, datetime

import pytest

from claimsieve.data.files import record_cells
from claimsieve.data.rows import MAX_NESTING, json_object


def test_cells_become_values_of_a_record():
    cells = {
        "claim": "[sic] as it stood",
        "source": "",
        "id": 0,
        "date": datetime(2020, 1, 8, 23, 30, tzinfo=UTC),
        "evidence": json.dumps([{"text": "b"}, "c"]),
        "manipulation": "[]",
        "media": "[one.jpg",
        "other": '["a"]',
        "flag": False,
        "label": None,
    }
    assert record_cells(cells) == {
        "claim": "[sic] as it stood",
        "id": 0,
        "date": "2020-01-08",
        "evidence": [{"text": "b"}, "c"],
        "manipulation": [],
        "media": "[one.jpg",
        "other": '["a"]',
        "flag": False,
        "label": None,
    }
    assert record_cells({"evidence": "[" * 100_000})["evidence"] == "[" * 100_000


def test_what_was_read_can_be_walked_and_written():
    """Nesting has a limit far below that of Python, in JSON and in a cell that holds JSON."""
    allowed = "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1)
    assert json_object(f'{{"claim": {allowed}}}')["claim"] == json.loads(allowed)
    with pytest.raises(ValueError, match="nested too deeply: more than 100 levels"):
        json_object(f'{{"claim": [{allowed}]}}')
    assert json_object(f'{{"claim": "{allowed * 9}"}}') == {"claim": allowed * 9}
    for depth in (MAX_NESTING + 1, 300, 900, 5_000):
        cell = "[" * depth + "]" * depth
        assert record_cells({"evidence": cell}) == {"evidence": cell}


def test_many_passages_are_not_deep():
    passages = [{"text": "a"}] * 1_000
    assert json_object(json.dumps({"claim": "a", "evidence": passages}))["evidence"] == passages


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "a key stands twice in one object: 'a'"),
        ('{"\\ud800": 1, "\\ud800": 1}', r"a key stands twice in one object: '\\ud800'"),
        ('{"a": ' + "9" * 4_301 + "}", "a whole number has too many digits"),
        ('{"a": NaN}', "not JSON: NaN"),
        ('{"a": 1} x', "not JSON: Extra data at character 10"),
        ("[1]", "expected a JSON object"),
    ],
)
def test_what_is_no_object_is_told_why(text, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        json_object(text)
    str(refusal.value).encode()
