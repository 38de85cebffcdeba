"""Which of two dates is earlier, where they are known well enough to say."""

from datetime import date

import pytest

from claimsieve.media.dates import days_between, days_of, is_date, relation


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020", date(2020, 1, 1), date(2020, 12, 31)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        ("2021-02", date(2021, 2, 1), date(2021, 2, 28)),
        ("2020-04", date(2020, 4, 1), date(2020, 4, 30)),
        ("2020-01-08", date(2020, 1, 8), date(2020, 1, 8)),
    ],
)
def test_a_date_may_mean_any_of_its_days(text, first, last):
    assert days_of(text) == (first, last)


@pytest.mark.parametrize("text", ["", "20", "2020-13", "2020-02-30", "2020-1-8", "08.01.2020", "0000", "2020-01-08T10"])
def test_what_is_no_day_is_refused(text):
    assert not is_date(text)
    with pytest.raises(ValueError, match=r"2020|expected|month|year|day|isoformat"):
        days_of(text)


@pytest.mark.parametrize(
    ("known", "claimed", "expected"),
    [
        ("2017-06-18", "2020-01-08", "before"),
        ("2020-01-07", "2020-01-08", "before"),
        ("2020-01-08", "2020-01-08", "same_or_later"),
        ("2020-01-09", "2020-01-08", "same_or_later"),
        ("2019", "2020-01-08", "before"),
        ("2019-12", "2020", "before"),
        ("2020", "2020-01-08", "unknown"),
        ("2020-01", "2020-01-08", "unknown"),
        ("2020-01-08", "2020-01", "unknown"),
        ("2020", "2020", "same_or_later"),
        ("2021", "2020-01-08", "same_or_later"),
        (None, "2020-01-08", "unknown"),
        ("2017", None, "unknown"),
    ],
)
def test_a_date_is_before_another_only_on_every_reading(known, claimed, expected):
    assert relation(known, claimed) == expected


def test_a_leeway_lets_the_days_just_before_be():
    assert relation("2020-01-06", "2020-01-08", leeway_days=1) == "before"
    assert relation("2020-01-06", "2020-01-08", leeway_days=2) == "just_before"
    assert relation("2020-01-08", "2020-01-08", leeway_days=2) == "same_or_later"


def test_days_are_counted_from_the_last_day_that_the_earlier_date_may_mean():
    assert days_between("2020-01-07", "2020-01-08") == 1
    assert days_between("2019", "2020-01-08") == 8
    assert days_between("2017-06-18", "2020-01-08") == 934
